"""What is decided before anything is asked of the ledger: forms of answers, foreign pages, words."""

import pytest
from starlette.datastructures import Headers

from tnimport.domain.life import NumberState
from tnimport.web.access.guard import is_foreign
from tnimport.web.deps import LOOPBACK
from tnimport.web.imports.history import told
from tnimport.web.imports.waits import in_words
from tnimport.web.wire.media import CSV, JSON, NDJSON, wanted
from tnimport.web.wire.schemas import LISTED_STATES


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("text/*", CSV),
        ("application/*", JSON),
        ("application/x-ndjson", NDJSON),
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0.1, application/x-ndjson;q=0.2", NDJSON),
        ("text/csv;q=0", JSON),
        ("text/csv;q=nonsense", JSON),
        ("image/png", JSON),
    ],
)
def test_the_form_of_an_answer_is_the_one_that_is_liked_best(accept: str | None, form: str) -> None:
    assert wanted(accept) == form


OURS = {"host": "127.0.0.1:8080"}


@pytest.mark.parametrize(
    ("method", "headers", "foreign"),
    [
        ("GET", OURS, False),
        ("POST", OURS, False),
        ("POST", {"host": "localhost"}, False),
        ("POST", {"host": "[::1]:8080"}, False),
        ("POST", {"host": "127.0.0.2"}, False),
        ("POST", {"host": "10.0.0.1"}, True),
        ("POST", OURS | {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}, False),
        ("POST", OURS | {"origin": "http://evil.example"}, True),
        ("POST", OURS | {"origin": "null"}, True),
        ("POST", OURS | {"origin": "http://[broken"}, True),
        ("POST", OURS | {"sec-fetch-site": "cross-site"}, True),
        ("POST", OURS | {"sec-fetch-site": "same-site"}, True),
        ("GET", OURS | {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, False),
        ("GET", {"host": "evil.example:8080"}, True),
        ("GET", {"host": "[broken"}, True),
        ("GET", {}, True),
    ],
)
def test_a_page_of_another_site_cannot_borrow_this_machine(
    method: str, headers: dict[str, str], *, foreign: bool
) -> None:
    assert is_foreign(method, Headers(headers), LOOPBACK) is foreign


def test_with_keys_any_host_name_will_do() -> None:
    assert not is_foreign("POST", Headers({"host": "tnimport.example"}), None)


def test_every_state_of_a_row_can_be_asked_for() -> None:
    assert set(LISTED_STATES) == {*(state.value for state in NumberState), "rejected", "duplicate"}


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        ({"what": "cancelling"}, "what is under way to end, then it is cancelled"),
        ({"what": "held", "code": "c", "instruction": None}, "a person: c"),
        ({"what": "paused", "since": 1.0}, "somebody to resume it"),
        ({"what": "rate_limit", "lane": "numbers", "until": 1.0}, "Bandwidth's limit on number imports"),
        ({"what": "rate_limit", "lane": "new_lane"}, "Bandwidth's limit on new lane"),
        ({"what": "worker"}, "a worker to pick up its work; is one running?"),
        ({"what": "application"}, "its application to be found or created"),
        ({"what": "carrier_order", "carrier_order_id": None}, "Bandwidth to accept an order"),
        ({"what": "carrier_order", "carrier_order_id": "o-1", "status": None}, "Bandwidth's order o-1"),
        (
            {"what": "carrier_order", "carrier_order_id": "o-1", "status": "PROCESSING"},
            "Bandwidth's order o-1 (PROCESSING)",
        ),
        (
            {"what": "pace", "left": 1200, "action": "IMPORT", "per_minute": 1200.0},
            "the pace of number imports (1,200 a minute), 1,200 left",
        ),
        (
            {"what": "pace", "left": 2, "action": "REMOVE", "per_minute": 0.5},
            "the pace of removals (0.5 a minute), 2 left",
        ),
        ({"what": "calls", "left": 1200, "action": "IMPORT"}, "its number imports, 1,200 left"),
        ({"what": "new_thing"}, "new thing"),
    ],
)
def test_what_an_import_waits_for_is_said_in_words(wait: dict[str, object], words: str) -> None:
    assert in_words(wait) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "order_accepted", "carrier_order_id": "o-1"}, "Bandwidth accepted the order as o-1."),
        ({"kind": "order_not_sent"}, "The order could not be sent (-); it is tried again."),
        ({"kind": "something_new", "x": 1}, "Something new."),
    ],
)
def test_what_happened_is_told_in_a_sentence(event: dict[str, object], words: str) -> None:
    assert told(event) == words
