"""No piece of a secret gets through, in whatever form a carrier echoes it and wherever its words are cut."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.bandwidth import texts
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.errors import CarrierError
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.hiding import Secrets, hiding

PASSWORD = "catchThe  Road\tRunner&\"é'<b>/1+2\\x"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").replace("%C3%A9", "%c3%a9").replace("%2F", "%2f"),
    "percent, slash left": quote,
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json in utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json of gson": lambda text: json.dumps(text)[1:-1].replace("&", "\\u0026").replace("'", "\\u0027"),
    "xml": escape,
    "xml attribute": lambda text: quoteattr(text)[1:-1],
    "xml by number": lambda text: escape(text, {'"': "&#34;", "'": "&#x27;", "é": "&#233;"}),
    "html": lambda text: escape(text, {'"': "&quot;", "é": "&eacute;"}),
    "blanks made one": lambda text: " ".join(text.split()),
    "utf-8 taken for latin-1": lambda text: text.encode().decode("latin-1"),
    "without accents": lambda text: text.replace("é", "?"),
}


def shown(text: str, *secrets: str) -> str:
    with hiding(Secrets(secrets)):
        return texts.description(text)


def pieces(secret: str) -> list[str]:
    """What would give a secret away: any five of its letters in a row."""
    whole = " ".join(secret.split())
    return [whole[at : at + 5] for at in range(len(whole) - 4)]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_known_in_every_form(form: Callable[[str], str]) -> None:
    assert shown(f"no user {form(PASSWORD)} here", PASSWORD) == "no user [secret] here"


@pytest.mark.parametrize("before", [*range(480, 501), *range(4050, 4097)])
def test_a_secret_in_which_a_sentence_is_cut_leaves_no_piece(before: int) -> None:
    for filling in ("x", " "):
        seen = shown("x" + filling * before + PASSWORD + " and more", PASSWORD)
        assert not [piece for piece in pieces(PASSWORD) if piece in seen]


@pytest.mark.parametrize("before", range(50, 65))
def test_a_secret_in_which_a_code_is_cut_leaves_no_piece(before: int) -> None:
    with hiding(Secrets([PASSWORD])):
        seen = texts.code("x" * before + PASSWORD) or ""
    assert not [piece for piece in pieces(PASSWORD) if piece in seen]


def test_a_known_code_is_kept_for_what_it_means() -> None:
    with hiding(Secrets(["5012", "number"])):
        assert texts.code(" 5012 ") == "5012"
        assert texts.code("duplicate-number") == "duplicate-number"
        assert texts.code("number-frozen") == "[secret]-frozen"


@pytest.mark.parametrize("secret", ["a", "s", "12", "é", " "])
def test_a_very_short_secret_is_hidden_only_where_it_stands_alone(secret: str) -> None:
    assert shown("The password was 12345, sé", secret) == "The password was 12345, sé"
    if secret.strip():
        assert shown(f"not '{secret}'!", secret) == "not '[secret]'!"


@given(st.text(min_size=1), st.text())
def test_any_secret_may_be_hidden_in_any_text(secret: str, text: str) -> None:
    hidden = Secrets([secret])
    assert secret not in hidden.out_of(text + secret + text) or secret in "[secret]" or len(secret.strip()) < 4


def test_nothing_is_hidden_after_a_call() -> None:
    assert shown("hush", "hush") == "[secret]"
    assert texts.description("hush") == "hush"


ECHO = f"the end of a long story {'x' * 470} {PASSWORD}"


class Told:
    """A transport that always gets the same answer."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def send(self, *_: object) -> Reply:
        return self._reply


DASHBOARD = DashboardCredentials(account_id="1", username="u", password=PASSWORD)
CATAPULT = CatapultCredentials(user_id="u-1", token="t-1", secret="c" * 20)


def failure_of(call: Callable[[], Any]) -> str:
    with pytest.raises(CarrierError) as caught:
        call()
    return repr(vars(caught.value)) + repr(caught.value.args)


def test_no_piece_is_in_an_error_of_either_client() -> None:
    body = json.dumps({"category": "bad-request", "code": PASSWORD, "message": ECHO}).encode()
    catapult = Catapult("https://h.invalid", CATAPULT, DASHBOARD, Told(Reply(400, {}, body)))
    seen = failure_of(lambda: catapult.import_number("+19195550100", "a-1", 5))
    status = f"<ErrorCode>{escape(PASSWORD)}</ErrorCode><Description>{escape(ECHO)}</Description>"
    reply = Reply(400, {}, f"<R><ResponseStatus>{status}</ResponseStatus></R>".encode())
    seen += failure_of(lambda: Dashboard("https://h.invalid", DASHBOARD, Told(reply)).get_order("o-1", 5))
    assert not [piece for piece in pieces(PASSWORD) if piece in seen]


def test_no_piece_is_in_an_order() -> None:
    error = f"<Code>{escape(PASSWORD)}</Code><Description>{escape(ECHO)}</Description>"
    body = f"<O><OrderId>o-1</OrderId><Errors><Error>{error}</Error></Errors></O>".encode()
    dashboard = Dashboard("https://h.invalid", DASHBOARD, Told(Reply(200, {}, body)))
    seen = repr(dashboard.get_order("o-1", 5))
    assert not [piece for piece in pieces(PASSWORD) if piece in seen]
