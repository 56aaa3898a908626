"""What came in is stored once, and found again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MessageEvent
from tnimport.ledger import schema
from tnimport.ledger.messaging import inbound
from tnimport.ledger.messaging.inbound import Call

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger

OURS = "+14352154439"


def call(message_id: str, account: str = "default", **changes: Any) -> Call:
    plain = {"kind": "message", "event_type": "sms", "sender": "+13233326955", "recipient": OURS, "text": "Hi"}
    event = MessageEvent(message_id=message_id, **plain | changes)
    return Call(Account(name=account, account_id="9"), event)


def test_an_event_is_stored_once_for_each_account_and_kind(ledger: Ledger, desk: Desk) -> None:
    receipt = {"kind": "receipt:delivered", "delivery_state": "delivered", "delivery_code": "0"}
    first = [call("m-2"), call("m-1"), call("m-1", **receipt), call("m-1", account="north"), call("m-1", text="again")]
    assert inbound.store(ledger, first) == [True, True, True, True, False]
    assert inbound.store(ledger, [call("m-1"), call("m-3", media=("https://a.example/1",))]) == [False, True]
    rows = desk.rows(schema.inbound)
    assert len(rows) == 5
    assert {row.text for row in rows if row.message_id == "m-1"} == {"Hi"}
    (mms,) = desk.rows(schema.inbound, message_id="m-3")
    assert mms.media == ["https://a.example/1"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("message", ["message.received"]),
        ("receipt:delivered", ["message.delivered"]),
        ("receipt:not-delivered", ["message.failed"]),
        ("out:error", ["message.failed"]),
        ("out:sent", []),
        ("receipt:waiting", []),
    ],
)
def test_what_is_news_is_owed_once_to_those_who_asked(ledger: Ledger, desk: Desk, kind: str, told: list[str]) -> None:
    event = call("m-1", kind=kind).event
    owner = Account(name="default", account_id="9", inbound_task="theirs", inbound_queue="theirs")
    inbound.store(ledger, [Call(owner, event), Call(owner, event)])
    inbound.store(ledger, [Call(owner, event)])
    assert [row.type for row in desk.rows(schema.deliveries)] == told


@pytest.fixture
def sent(ledger: Ledger, desk: Desk) -> str:
    """A message of ours by the carrier's id `m-9`, which proves a number."""
    import_id, nonce = desk.accept(1), "a" * 20
    with ledger.write() as tx:
        plain = {"id": "msg_1", "account": "default", "sender": 3233326955, "recipient": OURS, "text": "t", "media": []}
        times = {"created_at": tx.now, "updated_at": tx.now}
        tx.run(sa.insert(schema.messages).values(**plain, **times, state="sent", carrier_id="m-9"))
        proof = {"import_id": import_id, "place": 0, "nonce": nonce, "tn": 3233326955, "message_id": "msg_1"}
        tx.run(sa.insert(schema.proofs).values(**proof))
    return f"tnv-{nonce}"


def test_a_receipt_tells_the_message_that_it_is_of(ledger: Ledger, desk: Desk, sent: str) -> None:
    receipt = {"kind": "receipt:not-delivered", "delivery_state": "not-delivered", "delivery_code": "750"}
    inbound.store(ledger, [call("m-9", **receipt), call("m-unknown", **receipt)])
    row = desk.row(schema.messages)
    assert (row.delivery_state, row.delivery_code) == ("not-delivered", "750")


def test_a_nonce_that_arrives_is_proof_and_nobody_elses_news(ledger: Ledger, desk: Desk, sent: str) -> None:
    owner = Account(name="default", account_id="9", inbound_task="theirs", inbound_queue="theirs")
    inbound.store(ledger, [Call(owner, call("m-1", text=f"between others {sent}", sender="+12065550100").event)])
    assert desk.row(schema.proofs).arrived_at is None
    assert len(desk.rows(schema.deliveries)) == 1
    inbound.store(ledger, [Call(owner, call("m-2", text=f"check {sent}").event)])
    assert desk.row(schema.proofs).arrived_at is not None
    assert len(desk.rows(schema.deliveries)) == 1


def test_what_becomes_of_a_message_that_proves_a_number_is_nobody_elses_news(
    ledger: Ledger, desk: Desk, sent: str
) -> None:
    owner = Account(name="default", account_id="9", inbound_task="theirs", inbound_queue="theirs")
    for kind in ("receipt:delivered", "receipt:not-delivered", "out:error"):
        inbound.store(ledger, [Call(owner, call("m-9", kind=kind, text=f"check {sent}").event)])
    assert desk.rows(schema.deliveries) == []
    inbound.store(ledger, [Call(owner, call("m-8", kind="out:error", text="ours").event)])
    assert len(desk.rows(schema.deliveries)) == 1


def test_many_who_are_told_the_same_at_once_store_it_once(ledger: Ledger) -> None:
    calls = [call(f"m-{number}") for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(lambda turn: inbound.store(ledger, calls[turn:] + calls[:turn]), (0, 5, 10, 15)))
    assert sum(map(sum, new)) == len(calls)


def test_pages_go_from_the_newest_to_the_oldest_and_leave_receipts_out(ledger: Ledger) -> None:
    for number in range(5):
        inbound.store(ledger, [call(f"m-{number}"), call(f"m-{number}", kind="receipt:delivered")])
    inbound.store(ledger, [call("m-other", recipient="+12065550100"), call("m-north", account="north")])
    found, after = inbound.page(ledger, number=OURS, accounts={"default"}, limit=3)
    assert [one.message_id for one in found] == ["m-4", "m-3", "m-2"]
    rest, end = inbound.page(ledger, number=OURS, accounts={"default"}, after=after, limit=3)
    assert ([one.message_id for one in rest], end) == (["m-1", "m-0"], None)
    assert len(inbound.page(ledger)[0]) == 7
    assert inbound.page(ledger, accounts=set()) == ([], None)
