"""One POST on real sockets: signed, in time, and only to where it may go."""

import _socket
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from tests.servers.receiver import OURS, Receiver, receiver
from tnimport.domain.reach import Reach
from tnimport.domain.webhooks import RECEIVER, receiver_of
from tnimport.intake.options import read_options
from tnimport.webhooks.sending import Answer, Sender

OLD = "whsec_" + "b2xkLXNlY3JldC1vZi10d2VudHktZm91cg=="
NEW = "whsec_" + "bmV3LXNlY3JldC1vZi10d2VudHktZm91cg=="
BODY = '{"type":"import.finished","data":{"name":"Zoë"}}'
Open = Callable[..., Receiver]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Make a receiver."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(receiver(*args, **options))


def sender(*allowed: str, **options: Any) -> Sender:
    return Sender((NEW, OLD), Reach(allowed or ("127.0.0.0/8",)), **options)


def post(to: Receiver | str, by: Sender | None = None, timeout: float = 5, *, at: float | None = None) -> Answer:
    url = to if isinstance(to, str) else to.url
    return (by or sender()).post(url, "whk_1", BODY, at=time() if at is None else at, timeout=timeout)


def test_a_receiver_with_either_secret_knows_that_it_is_ours(opened: Open) -> None:
    hook = opened()
    assert post(f"{hook.url}?token=t") == Answer(204)
    (told,) = hook.told
    assert (told.path, told.headers["content-type"]) == ("/hook?token=t", "application/json")
    assert told.headers["webhook-id"] == "whk_1"
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(told.body, told.headers)["data"]["name"] == "Zoë"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3RoZXI=").verify(told.body, told.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(told.body + b" ", told.headers)


def test_the_signature_is_of_the_time_it_was_made_at(opened: Open) -> None:
    hook = opened()
    post(hook, at=time() - 600)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(hook.told[0].body, hook.told[0].headers)


@pytest.mark.parametrize("status", [200, 202, 301, 307, 404, 410, 500])
def test_any_status_is_an_answer_and_no_redirect_is_followed(opened: Open, status: int) -> None:
    hook, elsewhere = opened(), opened()
    hook.answers = [(status, {"Location": elsewhere.url})]
    assert post(hook).status == status
    assert elsewhere.asked == 0


@pytest.mark.parametrize(("said", "wait"), [("120", 120), ("86400", 3600), ("soon", None), (None, None)])
def test_what_the_receiver_asks_for_is_read(opened: Open, said: str | None, wait: float | None) -> None:
    hook = opened()
    hook.answers = [(429, {} if said is None else {"Retry-After": said})]
    assert post(hook) == Answer(429, wait=wait)


def test_what_else_a_receiver_says_of_its_limits_is_not_for_us(opened: Open) -> None:
    hook = opened()
    hook.answers = [(429, {"X-RateLimit-Reset": "30", "Retry-After": "120"}), (429, {"X-RateLimit-Reset": "30"})]
    assert [post(hook).wait, post(hook).wait] == [120, None]


def test_a_large_answer_is_an_answer(opened: Open) -> None:
    hook = opened()
    hook.body = b"x" * 5_000_000
    assert post(hook).status == 204


def test_a_receiver_that_hangs_costs_no_more_than_its_time(opened: Open) -> None:
    hook = opened()
    hook.awake.clear()
    began = monotonic()
    assert post(hook, timeout=0.3).code == "timeout"
    assert 0.3 <= monotonic() - began < 15


def test_nobody_there_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = post(f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.code, answer.description) == (
        None,
        "connection_refused",
        "the host refuses connections",
    )


def test_a_certificate_must_be_trusted_and_for_this_host(opened: Open) -> None:
    hook = opened(tls=True)
    trusting = sender(ca_file=OURS)
    assert post(hook, trusting).status == 204
    assert post(hook).code == "tls_failure"
    assert post(hook.url.replace("127.0.0.1", "localhost"), trusting).code == "tls_failure"
    assert len(hook.told) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1", "0"])
def test_an_address_that_may_not_be_called_sees_no_connection(
    opened: Open, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)  # the tests' own knows loopback by fewer names
    hook = opened()
    refused = post(hook.url.replace("127.0.0.1", host), sender("192.0.2.0/24"))
    assert (refused.status, refused.code) == (None, "address_refused")
    assert hook.asked == 0


def test_a_name_that_changes_its_mind_is_asked_once_and_its_first_answer_counts(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is of the address that is connected to: what the name says afterwards is never heard."""
    allowed, inside = opened("127.0.0.1"), opened("127.0.0.2")
    port = int(allowed.url.rsplit(":", 1)[1].partition("/")[0])
    real, answers, asked = socket.getaddrinfo, ["127.0.0.1", "127.0.0.2"], []

    def fickle(host: Any, number: Any, *args: Any, **options: Any) -> Any:
        if host != "fickle.example":
            return real(host, number, *args, **options)
        if options.get("flags"):
            raise socket.gaierror("no number")
        asked.append(host)
        return _socket.getaddrinfo(answers[len(asked) - 1], number, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", fickle)
    assert post(f"http://fickle.example:{port}/", sender("127.0.0.1/32")).status == 204
    assert asked == ["fickle.example"]
    answers[:] = ["127.0.0.2", "127.0.0.1"]
    asked.clear()
    assert post(f"http://fickle.example:{port}/", sender("127.0.0.1/32")).code == "address_refused"
    assert inside.asked == 0


def test_the_environment_s_proxy_is_not_used(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    hook, proxy = opened(), opened()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert post(hook).status == 204
    assert proxy.asked == 0


HOSTS = st.from_regex(r"[A-Za-z0-9.%_~!$&'()*+,;=-]{1,80}|\[[0-9a-f:.]{2,20}\]", fullmatch=True)
RESTS = st.from_regex(r"(:[0-9]{0,5})?([/?#][!-~]{0,60})?", fullmatch=True)


@given(scheme=st.sampled_from(["http", "https", "HTTP"]), host=HOSTS, rest=RESTS)
def test_whatever_the_intake_takes_for_an_address_can_be_attempted(scheme: str, host: str, rest: str) -> None:
    url = f"{scheme}://{host}{rest}"
    _, problems = read_options({"notify_url": url})
    if problems:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _nobody)
        assert post(url, SENDER).code == "dns_failure"
    assert receiver_of(url).startswith(RECEIVER)


SENDER = sender()


def _nobody(*_: Any, **__: Any) -> Any:
    raise socket.gaierror("nobody has this name")
