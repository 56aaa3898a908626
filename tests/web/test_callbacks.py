"""The carrier calls: messages in both forms, who is let in, what is stored, and what is told of it to nobody."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from socket import create_connection
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.ledger.messaging import inbound as ledger_inbound
from tnimport.ledger.messaging import outgoing
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.schema import inbound, messages
from tnimport.web.access.keyring import Keyring
from tnimport.web.carrier import callbacks
from tnimport.web.carrier.callers import proof

if TYPE_CHECKING:
    from pathlib import Path

    import requests

    from tests.web.conftest import Serve, Web
    from tnimport.ledger.engine import Ledger

SECRET = "canary:s€cret/callback"  # with all that user-info has to encode
PATH = "/callbacks/default/messages"
NUMBERS = ("+13233326955", "+14352154439")
EVENT = {
    "eventType": "sms",
    "direction": "in",
    "messageId": "m-1",
    "from": NUMBERS[0],
    "to": NUMBERS[1],
    "text": "canary of a text",
    "time": "2026-11-14T16:13:06Z",
    "state": "received",
}


def basic(password: str, user: str = "tnimport") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def called(serve: Serve, ledger: Ledger) -> Web:
    """A web process that the carrier may call."""
    return serve(ledger, callback_secrets={"default": SECRET})


def post(web: Web, event: object = None, **options: Any) -> requests.Response:
    body = event if isinstance(event, bytes) else json.dumps(EVENT if event is None else event).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"} | options.pop("headers", basic(SECRET))
    return web.post(options.pop("path", PATH), body, headers=headers)


def stored(web: Web) -> list[Any]:
    with web.ledger.read() as tx:
        return list(tx.run(sa.select(inbound).order_by(inbound.c.id)))


def test_a_message_by_post_is_stored_once_and_told_so(called: Web) -> None:
    assert post(called).json() == {"status": "stored"}
    again = post(called, EVENT | {"text": "changed on the way"})
    assert (again.status_code, again.json()) == (200, {"status": "known"})
    (row,) = stored(called)
    assert (row.message_id, row.sender, row.recipient, row.text) == ("m-1", *NUMBERS, "canary of a text")


def test_a_message_by_get_is_answered_with_a_document_that_asks_for_nothing(called: Web) -> None:
    query = EVENT | {"eventType": "mms", "media": "[https://a.example/1, https://a.example/2]"}
    for _ in range(2):
        answer = called.get(PATH, params=query, headers=basic(SECRET))
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
        assert answer.text.endswith("<Response/>")
    (row,) = stored(called)
    assert (row.event_type, row.media) == ("mms", ["https://a.example/1", "https://a.example/2"])


def test_the_first_call_without_credentials_gets_the_challenge(called: Web) -> None:
    for answer in (post(called, headers={}), called.get(PATH, params=EVENT)):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert stored(called) == []


NO_PASSWORD = [basic("wrong"), basic(""), basic("\xff\xfe"), {"Authorization": f"Bearer {SECRET}"}]


@pytest.mark.parametrize("headers", [*NO_PASSWORD, {"Authorization": "Basic é"}, {"Authorization": "Basic"}])
def test_another_password_is_none_and_an_unknown_account_is_answered_alike(
    called: Web, headers: dict[str, str]
) -> None:
    headers = {name: value.encode() for name, value in headers.items()}  # as bytes, for they are not all Latin-1
    wrong = post(called, headers=headers)
    unknown = post(called, headers=headers, path="/callbacks/nobody/messages")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    told = [{**answer.json(), "instance": ""} for answer in (wrong, unknown)]
    assert told[0] == told[1]
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]


@pytest.mark.parametrize("user", ["tnimport", "anybody", ""])
@pytest.mark.parametrize("password", [SECRET, "canary%3As%E2%82%ACcret%2Fcallback"])
def test_the_password_counts_and_may_come_as_it_stands_in_the_url(called: Web, user: str, password: str) -> None:
    assert post(called, headers=basic(password, user)).status_code == 200


def test_the_secret_of_one_account_does_not_open_another(serve: Serve, ledger: Ledger) -> None:
    accounts = {name: Account(name=name, account_id="9") for name in ("default", "north", "bare")}
    web = serve(ledger, accounts=accounts, callback_secrets={"default": SECRET, "north": "other"})
    answers = [post(web, path=f"/callbacks/{name}/messages").status_code for name in accounts]
    assert answers == [200, 401, 401]


def test_keys_and_host_names_are_for_others(serve: Serve, ledger: Ledger, tmp_path: Path) -> None:
    keyed = serve(ledger, callback_secrets={"default": SECRET}, keyring=Keyring(tmp_path / "none"), hosts=None)
    assert post(keyed).status_code == 200
    assert keyed.get("/v1/inbound").status_code in {401, 503}
    under_another_name = serve(ledger, callback_secrets={"default": SECRET})
    headers = basic(SECRET) | {"Host": "callbacks.example"}
    assert post(under_another_name, headers=headers).status_code == 200
    assert under_another_name.get("/v1/inbound", headers=headers).status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"canary", b'{"messageId": "m-canary"}', b"\xff" * 9])
def test_junk_is_400_and_leaves_no_trace_of_what_it_was(
    called: Web, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = post(called, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-request")
    assert "canary" not in answer.text
    assert "canary" not in "".join(str(record.__dict__) for record in caplog.records if "uvicorn" not in record.name)
    assert called.get(PATH, headers=basic(SECRET)).status_code == 400


def test_what_is_too_large_is_413(called: Web) -> None:
    fits = EVENT | {"text": "x" * 200_000}
    assert post(called, fits).status_code == 200
    assert post(called, fits | {"tag": "x" * 100_000}).status_code == 413
    assert len(stored(called)) == 1


@pytest.mark.parametrize("path", [PATH, "/v1/messages", "/v1/imports"])
def test_a_caller_that_goes_away_within_its_body_is_no_mistake_of_ours(
    called: Web, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    address = urlsplit(called.url)
    secret = basic(SECRET)["Authorization"]
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {secret}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with caplog.at_level(logging.INFO):
        with create_connection((address.hostname, address.port or 80), timeout=10) as caller:
            caller.sendall(head.encode())
        deadline = monotonic() + 10
        while not any(record.msg == "caller_gone" for record in caplog.records):
            assert monotonic() < deadline, [record.getMessage() for record in caplog.records]
            called.get("/livez")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info] == []


def test_numbers_texts_and_secrets_are_in_no_log(called: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        post(called)
        called.get(PATH, params=EVENT, headers=basic(SECRET))
        post(called, headers=basic("canary-wrong"))
    ours = [record for record in caplog.records if record.name.startswith("tnimport")]
    assert {record.msg for record in ours} >= {"callback_stored"}
    logged = "".join(str(record.__dict__) for record in ours)
    assert not [word for word in ("canary", SECRET, *NUMBERS, "4352154439") if word in logged]


def test_without_a_ledger_the_carrier_is_sent_to_the_fallback(called: Web) -> None:
    with called.ledger.write() as tx:
        tx.run(sa.text("ALTER TABLE inbound RENAME TO away"))
    answer = post(called)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/ledger-unavailable")
    with called.ledger.write() as tx:
        tx.run(sa.text("ALTER TABLE away RENAME TO inbound"))
    assert post(called).status_code == 200


def test_a_ledger_that_is_slow_is_answered_in_time_and_the_call_after_it_is_stored(
    called: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SECONDS", 0.2)
    with called.ledger.write():
        assert post(called).status_code == 503
    monkeypatch.setattr(callbacks, "SECONDS", 20)
    assert post(called).status_code == 200
    assert len(stored(called)) == 1


def test_the_time_for_an_answer_counts_from_the_beginning_of_the_call(
    called: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SECONDS", 0.2)
    address = urlsplit(called.url)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {basic(SECRET)['Authorization']}\r\n"
    with create_connection((address.hostname, address.port or 80), timeout=10) as caller:
        caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert caller.recv(100).startswith(b"HTTP/1.1 503 ")
    assert stored(called) == []


def test_many_at_once_share_transactions_and_one_that_cannot_be_stored_takes_no_other_with_it(
    serve: Serve, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    really = ledger_inbound.store

    def store(on: Ledger, calls: list[Any]) -> list[bool]:
        sizes.append(len(calls))
        if any(call.event.message_id == "m-bad" for call in calls):
            raise ValueError("canary")
        return really(on, calls)

    monkeypatch.setattr(ledger_inbound, "store", store)
    web = serve(ledger, callback_secrets={"default": SECRET})
    names = [f"m-{number}" for number in range(40)] + ["m-bad"]
    with ThreadPoolExecutor(len(names)) as pool, ledger.write():  # while it is held, the others gather
        told = [pool.submit(post, web, EVENT | {"messageId": name}) for name in names]
        web.get("/livez")
    assert sorted(answer.result().status_code for answer in told) == [200] * 40 + [500]
    assert len(stored(web)) == 40
    assert max(sizes) > 1


def test_the_doctor_is_shown_that_it_has_reached_this_deployment(called: Web) -> None:
    answer = called.get(f"{PATH}?probe=n-1", headers=basic(SECRET))
    assert answer.json() == {"proof": proof(SECRET, "n-1")}
    assert called.get(f"{PATH}?probe=n-1").status_code == 401
    assert stored(called) == []


def test_what_came_in_can_be_read_by_number(called: Web) -> None:
    for place, to in enumerate([NUMBERS[1], "+12065550100", NUMBERS[1]]):
        post(called, EVENT | {"messageId": f"m-{place}", "to": to})
    page = called.get("/v1/inbound?number=(435)%20215-4439&page_size=1").json()
    assert [one["message_id"] for one in page["inbound"]] == ["m-2"]
    (first,) = page["inbound"]
    assert (first["from"], first["to"], first["text"], first["account"]) == (*NUMBERS, "canary of a text", "default")
    rest = called.get(f"/v1/inbound?number=4352154439&page_token={page['next_page_token']}").json()
    assert [one["message_id"] for one in rest["inbound"]] == ["m-0"]
    assert rest["next_page_token"] == ""
    assert len(called.get("/v1/inbound").json()["inbound"]) == 3
    for wrong in ("number=hello", "page_token=bm8", "page_size=0"):
        assert called.get(f"/v1/inbound?{wrong}").status_code in {400, 422}


@pytest.mark.parametrize("ours", ["msg_0000000000000000", "msg_", "x" * 5000, "%00", "%ED%A0%80", "a&message=b"])
def test_the_message_that_the_address_names_may_be_anything(called: Web, ours: str) -> None:
    event = EVENT | {"direction": "out", "state": "sent"}
    assert post(called, event, path=f"{PATH}?message={ours}").status_code == 200
    assert len(stored(called)) == 1


def test_a_receipt_at_the_address_of_a_message_whose_answer_was_lost_is_its_proof(called: Web) -> None:
    new = NewMessage(account="default", sender=NUMBERS[1][2:], recipient=NUMBERS[0], text="Hi")
    (ours,) = outgoing.store(called.ledger, [new], key=None, fingerprint="f").message_ids
    with called.ledger.write() as tx:
        tx.run(sa.update(messages).values(state="unknown", code="timeout"))
    assert "tried again" not in called.get(f"/v1/messages/{ours}").json()["fix"]
    told = EVENT | {"direction": "out", "from": NUMBERS[1], "to": NUMBERS[0], "deliveryState": "delivered"}
    post(called, told, path=f"{PATH}?message={ours}")
    view = called.get(f"/v1/messages/{ours}").json()
    assert (view["state"], view["carrier_id"], view["delivery_state"]) == ("sent", "m-1", "delivered")
    assert (view["code"], view["fix"]) == (None, None)
