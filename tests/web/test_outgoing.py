"""Sending messages over HTTP: accepted whole or refused with every problem; shown as they fare."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.web.conftest import ACCOUNT, Seed, Serve, Web
from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.messages import BATCH_MOST, MessageState
from tnimport.ledger.engine import Ledger
from tnimport.ledger.messaging import inbound, messages
from tnimport.ledger.schema import messages as messages_table
from tnimport.ledger.schema import numbers, work

OURS, OTHER, THEIRS = "+19195550000", "+19195550001", "+12065550123"
GOOD: dict[str, Any] = {"from": OURS, "to": THEIRS, "text": "Good morning"}
Post = Callable[..., requests.Response]


@pytest.fixture
def web(serve: Serve, ledger: Ledger, seed: Seed) -> Web:
    """The application, with two numbers that are imported on the account and one that is not."""
    seed(ledger, 3)
    with ledger.write() as tx:
        tx.run(sa.update(numbers).where(numbers.c.pos < 2).values(outcome="imported", updated_at=tx.now))
    called = replace(ACCOUNT, callback_url="https://tn.example/callbacks/default")
    return serve(ledger, accounts={"default": called, "north": Account(name="north", account_id="2")})


@pytest.fixture
def post(web: Web) -> Post:
    def _post(body: object, **headers: str) -> requests.Response:
        return web.post("/v1/messages", json.dumps(body), "application/json", headers=headers)

    return _post


def errors(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    document = answer.json()
    assert all(one["fix"] and one["detail"] for one in document["errors"])
    return {one["pointer"]: one["code"] for one in document["errors"]}


def stored(web: Web) -> int:
    with web.ledger.read() as tx:
        count = tx.run(sa.select(sa.func.count()).select_from(messages_table)).scalar_one()
        assert count == tx.run(sa.select(sa.func.count()).where(work.c.message_id.is_not(None))).scalar_one()
    return int(count)


def test_a_message_is_stored_before_it_is_answered_and_shown_under_its_address(web: Web, post: Post) -> None:
    answer = post(GOOD | {"tag": "order 7", "receipt_requested": "all", "to": "+1 (206) 555-0123"})
    assert answer.status_code == 202, answer.text
    view = answer.json()
    assert answer.headers["Location"] == view["links"]["self"] == f"/v1/messages/{view['id']}"
    told = {name: view[name] for name in ("from", "to", "text", "tag", "receipt_requested", "state", "account")}
    assert told == GOOD | {"tag": "order 7", "receipt_requested": "all", "state": "queued", "account": "default"}
    assert web.get(answer.headers["Location"]).json() == view
    assert stored(web) == 1


def test_a_list_is_answered_in_its_order(web: Web, post: Post) -> None:
    answer = post([GOOD | {"text": f"{at}"} for at in range(BATCH_MOST)])
    assert answer.status_code == 202
    assert [one["text"] for one in answer.json()["messages"]] == [f"{at}" for at in range(BATCH_MOST)]
    first, second = web.get("/v1/messages?page_size=30").json(), None
    second = web.get(f"/v1/messages?page_size=30&page_token={first['next_page_token']}").json()
    newest = [one["text"] for one in [*first["messages"], *second["messages"]]]
    assert newest == [f"{at}" for at in reversed(range(BATCH_MOST))]
    assert second["next_page_token"] == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_list_is_answered_as_one_in_whatever_encoding_it_came(web: Web, encoding: str) -> None:
    for _ in range(2):  # the second is answered with what was stored for the first
        body = json.dumps([GOOD]).encode(encoding)
        answer = web.post("/v1/messages", body, "application/json", headers={"Idempotency-Key": "key"})
        assert answer.status_code == 202, answer.text
        assert [one["text"] for one in answer.json()["messages"]] == ["Good morning"]
        assert "Location" not in answer.headers
    assert stored(web) == 1


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"from": "12"}, "/from", "too_short"),
        ({"from": 7}, "/from", "invalid_value"),
        ({"from": None}, "/from", "required"),
        ({"from": "+19195550002"}, "/from", "not_imported"),
        ({"account": "north"}, "/from", "not_imported"),
        ({"account": "south"}, "/account", "unknown_account"),
        ({"account": 5}, "/account", "invalid_value"),
        ({"to": "+999"}, "/to", "invalid_value"),
        ({"to": "555-0123"}, "/to", "missing_area_code"),
        ({"to": None}, "/to", "required"),
        ({"text": ""}, "/text", "required"),
        ({"text": " \n\u2003"}, "/text", "required"),
        ({"text": "x" * 2049}, "/text", "invalid_value"),
        ({"text": "a\0b"}, "/text", "invalid_value"),
        ({"text": "\ud800"}, "/text", "invalid_value"),
        ({"text": ["x"]}, "/text", "invalid_value"),
        ({"tag": "t" * 256}, "/tag", "invalid_value"),
        ({"media": ["ftp://x.example/1"]}, "/media/0", "invalid_url"),
        ({"media": ["https://x.example/1"] * 11}, "/media", "invalid_value"),
        ({"media": ["https://x.example/1"], "receipt_requested": "all"}, "/receipt_requested", "receipt_with_media"),
        ({"receipt_requested": "some"}, "/receipt_requested", "invalid_value"),
        ({"account": "north", "receipt_requested": "error"}, "/receipt_requested", "receipt_without_callback"),
        ({"txt": "x"}, "/txt", "unknown_field"),
    ],
)
def test_a_wrong_message_is_refused_and_named(
    web: Web, post: Post, change: dict[str, Any], pointer: str, code: str
) -> None:
    assert errors(post(GOOD | change)) == {pointer: code}
    assert errors(post([GOOD, GOOD | change])) == {f"/1{pointer}": code}
    assert stored(web) == 0


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"text": "x" * 3000}, "It has 3,000 characters, and may have 2,048 at most."),
        ({"text": 5}, "It must be a text."),
        ({"media": "x"}, "It must be a list."),
        ({"media": ["https://x.example/1"] * 11}, "It has 11 entries, and may have 10 at most."),
        ({"receipt_requested": "x"}, "It must be none, all or error."),
        ({"account": 5}, "It must be a text of printable characters."),
    ],
)
def test_a_wrong_message_is_told_of_in_our_words(post: Post, change: dict[str, Any], detail: str) -> None:
    (one,) = post(GOOD | change).json()["errors"]
    assert one["detail"] == detail


def test_every_problem_of_every_message_is_told_at_once(web: Web, post: Post) -> None:
    found = errors(post([GOOD | {"from": "1", "text": ""}, GOOD, {"to": THEIRS, "text": "x", "account": "south"}, 7]))
    assert found == {
        "/0/from": "too_short",
        "/0/text": "required",
        "/2/from": "required",
        "/2/account": "unknown_account",
        "/3": "unreadable_json",
    }
    assert stored(web) == 0


@pytest.mark.parametrize(
    ("body", "code"), [([], "required"), ([GOOD] * 51, "too_many_messages"), ("x", "unreadable_json")]
)
def test_a_body_that_is_no_message_nor_some_is_refused(web: Web, post: Post, body: object, code: str) -> None:
    assert errors(post(body)) == {"": code}
    assert stored(web) == 0


def test_what_is_no_json_is_refused(web: Web) -> None:
    for body in (b"{", b"", b'"x"'):
        refused = web.post("/v1/messages", body, "application/json")
        assert errors(refused) == {"": "unreadable_json"}
        assert '"from"' in refused.json()["errors"][0]["fix"]
        assert "numbers" not in refused.json()["errors"][0]["fix"]
    assert web.post("/v1/messages", b"to,text\n", "text/csv").status_code == 415
    assert web.post("/v1/messages", b" " * (3 << 20), "application/json").status_code == 413


def test_numbers_abroad_and_pictures_without_a_text_are_fine(post: Post) -> None:
    body = GOOD | {"to": "+44 20 7946 0018", "text": "", "media": ["https://x.example/1.png"]}
    view = post(body).json()
    assert (view["to"], view["media"], view["text"]) == ("+442079460018", ["https://x.example/1.png"], "")


def test_the_same_key_and_body_are_the_same_messages_and_never_others(web: Web, post: Post) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = post([GOOD, GOOD], **key)
    again = post([GOOD, GOOD], **key)
    assert again.json() == first.json()
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert post([GOOD], **key).json()["type"] == "/problems/key-reused"
    assert post(GOOD).json()["id"] != post(GOOD).json()["id"]
    with web.ledger.write() as tx:
        tx.run(sa.update(numbers).values(outcome="released"))
    assert post([GOOD, GOOD], **key).json() == first.json()
    assert stored(web) == 4


def test_a_number_that_was_removed_since_sends_nothing(web: Web, post: Post, seed: Seed) -> None:
    removal = seed(web.ledger, 1, action="REMOVE")
    assert post(GOOD).status_code == 202
    with web.ledger.write() as tx:
        theirs = sa.text("SELECT id FROM orders WHERE import_id = :id").bindparams(id=removal).columns(sa.column("id"))
        gone = sa.update(numbers).where(numbers.c.order_id.in_(theirs))
        tx.run(gone.values(outcome="released", updated_at=tx.now + 1))
    assert errors(post(GOOD)) == {"/from": "not_imported"}


def test_receipts_are_shown_those_that_came_too_early_as_well(web: Web, post: Post) -> None:
    view = post(GOOD).json()
    receipt = {"event_type": "sms", "sender": OURS, "recipient": THEIRS, "delivery_state": "delivered"}
    event = MessageEvent(message_id="m-1", kind="receipt:delivered", delivery_code="0", **receipt)
    inbound.store(web.ledger, [inbound.Call(ACCOUNT, event)])
    with web.ledger.write() as tx:
        tx.run(sa.update(messages_table).values(state="sent", carrier_id="m-1", sent_at=tx.now))
    shown = web.get(view["links"]["self"]).json()
    assert (shown["delivery_state"], shown["delivery_code"], shown["carrier_id"]) == ("delivered", "0", "m-1")
    with web.ledger.write() as tx:
        said = {"delivery_code": "750", "delivery_description": "Rejected."}
        messages.told(tx, "default", "m-1", delivery_state="not-delivered", **said)
        messages.told(tx, "default", "m-1", delivery_state="waiting", delivery_code=None, delivery_description=None)
        messages.told(tx, "north", "m-1", delivery_state="delivered", delivery_code="0", delivery_description=None)
        messages.told(tx, "default", "m-2", delivery_state="delivered", delivery_code="0", delivery_description=None)
    shown = web.get(view["links"]["self"]).json()
    assert (shown["delivery_state"], shown["delivery_code"]) == ("not-delivered", "750")


def test_messages_are_found_by_number_and_state(web: Web, post: Post) -> None:
    post([GOOD, GOOD | {"from": OTHER}, GOOD | {"to": "+442079460018"}])
    with web.ledger.write() as tx:
        failed = {"state": MessageState.FAILED, "code": "restricted-number", "description": "Not allowed."}
        tx.run(sa.update(messages_table).where(messages_table.c.sender == 9195550001).values(**failed))
    assert len(web.get("/v1/messages", params={"from": "919-555-0000"}).json()["messages"]) == 2
    assert len(web.get("/v1/messages", params={"to": "+442079460018"}).json()["messages"]) == 1
    (one,) = web.get("/v1/messages?state=failed").json()["messages"]
    assert (one["from"], one["code"], one["fix"]) == (OTHER, "restricted-number", "Use another number.")
    assert web.get("/v1/messages?from=12").status_code == 422
    assert web.get("/v1/messages?page_token=x").status_code == 400


def test_nothing_is_shown_that_is_not_there(web: Web) -> None:
    for name in ("msg_0000000000000000", "a" * 25, "%00"):
        assert web.get(f"/v1/messages/{name}").status_code == 404
