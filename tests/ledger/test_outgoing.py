"""Messages are stored once for each key; a number may send when the newest fact of it says that Catapult holds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.ledger import schema
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.imports.staging import KeyConflict
from tnimport.ledger.messaging import inbound, messages, outgoing, sending
from tnimport.ledger.messaging.inbound import Call
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.messaging.sending import Why

if TYPE_CHECKING:
    from typing import Any

    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger

FIRST = "9192380000"


def message(**changes: Any) -> NewMessage:
    values = {"account": "default", "sender": FIRST, "recipient": "+12065550123", "text": "Hi", "media": ("https://a",)}
    return NewMessage(**values | changes)


def test_a_key_makes_messages_once_and_never_others(ledger: Ledger, desk: Desk) -> None:
    pair = [message(text="one"), message(text="two")]
    first = outgoing.store(ledger, pair, key="http:k", fingerprint="f")
    assert outgoing.store(ledger, pair, key="http:k", fingerprint="f") == outgoing.Stored(
        first.message_ids, replayed=True
    )
    with pytest.raises(KeyConflict):
        outgoing.store(ledger, pair, key="http:k", fingerprint="g")
    assert outgoing.store(ledger, pair[:1], key="http:0:k", fingerprint="f").replayed is False
    assert [view.text for view in messages.views(ledger, first.message_ids)] == ["one", "two"]
    assert len(desk.rows(schema.work)) == len(desk.rows(schema.messages)) == 3


def test_many_who_send_the_same_at_once_send_it_once(ledger: Ledger, desk: Desk) -> None:
    pair = [message(), message()]
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(lambda _: outgoing.store(ledger, pair, key="k", fingerprint="f"), range(8)))
    assert len({tuple(one.message_ids) for one in stored}) == 1
    assert sum(not one.replayed for one in stored) == 1
    assert len(desk.rows(schema.messages)) == 2


def test_the_newest_fact_of_a_number_decides(ledger: Ledger, desk: Desk) -> None:
    numbers = [str(int(FIRST) + place) for place in range(3)]
    assert outgoing.held(ledger, "default", numbers) == set()
    desk.available(3)
    assert outgoing.held(ledger, "default", numbers) == set()
    desk.finish_all()
    assert outgoing.held(ledger, "default", numbers) == set(numbers)
    assert outgoing.held(ledger, "default", [*numbers[:1], "2062380000"]) == {numbers[0]}
    assert outgoing.held(ledger, "north", numbers) == set()
    removal = desk.accept(1, action=Action.REMOVE)
    assert outgoing.held(ledger, "default", numbers) == set(numbers)  # not yet
    desk.finish_all(Lane.LOOKUPS)
    (order,) = desk.rows(schema.orders, import_id=removal)
    assert order.released == 1
    assert outgoing.held(ledger, "default", numbers) == set(numbers[1:])
    desk.available(1, client_ref="again")
    desk.finish_all()
    assert outgoing.held(ledger, "default", numbers) == set(numbers)


def test_no_message_is_called_for_twice_by_two_runs(ledger: Ledger, desk: Desk) -> None:
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    run = desk.run(Lane.MESSAGES)
    sending.calling(ledger, run)
    desk.vanish(run)
    other = desk.run(Lane.MESSAGES)
    with pytest.raises(work.ClaimLost):
        sending.taken(ledger, run, "m-1")
    with pytest.raises(work.ClaimLost):
        sending.calling(ledger, other)
    sending.unanswered(ledger, other, Why("run_vanished"))
    view = messages.view(ledger, message_id)
    assert view is not None
    assert (view.state, view.code, view.carrier_id) == ("unknown", "run_vanished", None)


def test_a_fault_of_the_account_stops_messages_and_no_import(ledger: Ledger, desk: Desk) -> None:
    import_id = desk.accept(1)
    outgoing.store(ledger, [message()] * 3, key=None, fingerprint="f")
    run = desk.run(Lane.MESSAGES)
    sending.calling(ledger, run)
    sending.account_fault(ledger, run, Fault("access-denied", "Mend it.", whole_account=True))
    desk.back_to_waiting()
    assert desk.claim(Lane.MESSAGES).grants == []
    desk.passes(sending.ASK_AGAIN + 1)
    assert len(desk.claim(Lane.MESSAGES).grants) == 1
    assert desk.state(import_id) == "queued"


def test_as_many_go_out_at_once_as_a_queue_holds(ledger: Ledger, desk: Desk) -> None:
    outgoing.store(ledger, [message()] * 50, key=None, fingerprint="f")
    outgoing.store(ledger, [message()] * 50, key=None, fingerprint="f")
    assert len(desk.claim(Lane.MESSAGES, room=dispatch.MESSAGES_AHEAD).grants) == dispatch.MESSAGES_AHEAD


def test_pages_go_from_the_newest_to_the_oldest(ledger: Ledger) -> None:
    outgoing.store(ledger, [message(text=f"{at}") for at in range(5)], key=None, fingerprint="f")
    outgoing.store(ledger, [message(account="north")], key=None, fingerprint="f")
    found, after = messages.page(ledger, accounts={"default"}, limit=3)
    assert [one.text for one in found] == ["4", "3", "2"]
    rest, end = messages.page(ledger, accounts={"default"}, after=after, limit=3)
    assert ([one.text for one in rest], end) == (["1", "0"], None)
    assert messages.page(ledger, sender=2062380000)[0] == []
    assert len(messages.page(ledger, sender=int(FIRST), recipient="+12065550123")[0]) == 6


@pytest.mark.parametrize("early", [True, False])
def test_a_message_that_the_carrier_could_not_send_says_so(ledger: Ledger, early: bool) -> None:
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    words = {"kind": "out:error", "event_type": "sms", "sender": f"+1{FIRST}", "recipient": "+12065550123"}
    call = Call(Account(name="default", account_id="9"), MessageEvent(message_id="m-1", **words))
    for step in (early, not early):
        if step:
            inbound.store(ledger, [call])
            continue
        with ledger.write() as tx:
            tx.run(sa.update(schema.messages).values(state="sent", carrier_id="m-1"))
    view = messages.view(ledger, message_id)
    assert view is not None
    assert view.delivery_state == "error"


def test_a_receipt_sets_the_delivery_once(ledger: Ledger) -> None:
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    with ledger.write() as tx:
        tx.run(sa.update(schema.messages).values(state="sent", carrier_id="m-1"))
        for state, code in (("waiting", None), ("delivered", "0"), ("not-delivered", "750"), ("waiting", None)):
            messages.told(tx, "default", "m-1", delivery_state=state, delivery_code=code, delivery_description=None)
        messages.told(tx, "default", "m-1", delivery_state=None, delivery_code="9", delivery_description="x")
    view = messages.view(ledger, message_id)
    assert view is not None
    assert (view.delivery_state, view.delivery_code) == ("delivered", "0")


def receipt(message_id: str | None, account: str = "default", **changes: Any) -> Call:
    """The carrier tells of the delivery of its `m-1`, at the address that names this message of ours."""
    words = {"kind": "receipt:delivered", "event_type": "sms", "sender": f"+1{FIRST}", "recipient": "+12065550123"}
    words |= {"delivery_state": "delivered", "delivery_code": "0"}
    return Call(Account(name=account, account_id="9"), MessageEvent(message_id="m-1", **words | changes), message_id)


@pytest.fixture
def unclear(ledger: Ledger, desk: Desk) -> str:
    """A message whose answer was lost."""
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    run = desk.run(Lane.MESSAGES)
    sending.calling(ledger, run)
    sending.unanswered(ledger, run, Why("timeout", "No answer."))
    return message_id


@pytest.mark.parametrize(
    ("words", "delivery"),
    [
        ({}, "delivered"),
        ({"kind": "receipt:not-delivered", "delivery_state": "not-delivered"}, "not-delivered"),
        ({"kind": "out:error", "delivery_state": None}, "error"),
        ({"kind": "out:sent", "delivery_state": None}, None),
    ],
)
def test_word_of_a_message_of_unknown_outcome_proves_that_it_was_sent(
    ledger: Ledger, unclear: str, words: dict[str, Any], delivery: str | None
) -> None:
    inbound.store(ledger, [receipt(unclear, **words)])
    view = messages.view(ledger, unclear)
    assert view is not None
    assert (view.state, view.carrier_id, view.delivery_state) == ("sent", "m-1", delivery)
    assert (view.code, view.description) == (None, None)
    inbound.store(ledger, [receipt(unclear, kind="out:later", delivery_state=None)])
    again = messages.view(ledger, unclear)
    assert again == view


@pytest.mark.parametrize(
    "call",
    [
        receipt("msg_0000000000000000"),
        receipt(None),
        receipt("", account="north"),
        receipt("", recipient="+12065550199"),
        receipt("", sender="+19192380009"),
        receipt("", sender="74999"),
        receipt("", kind="message", delivery_state=None),
    ],
)
def test_word_of_something_else_leaves_it_unknown(ledger: Ledger, unclear: str, call: Call) -> None:
    named = Call(call.account, call.event, unclear if call.message_id == "" else call.message_id)
    inbound.store(ledger, [named])
    view = messages.view(ledger, unclear)
    assert view is not None
    assert (view.state, view.carrier_id) == ("unknown", None)


def test_word_that_comes_before_the_answer_stands_in_for_one_that_is_lost(ledger: Ledger, desk: Desk) -> None:
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    run = desk.run(Lane.MESSAGES)
    sending.calling(ledger, run)
    inbound.store(ledger, [receipt(message_id)])
    early = messages.view(ledger, message_id)
    assert early is not None
    assert (early.state, early.delivery_state) == ("sending", "delivered")
    assert sending.unanswered(ledger, run, Why("timeout")) == "sent"
    view = messages.view(ledger, message_id)
    assert view is not None
    assert (view.state, view.carrier_id, view.code) == ("sent", "m-1", None)


def test_the_answer_and_word_of_the_message_agree_whichever_comes_first(ledger: Ledger, desk: Desk) -> None:
    (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
    run = desk.run(Lane.MESSAGES)
    sending.calling(ledger, run)
    inbound.store(ledger, [receipt(message_id)])
    sending.taken(ledger, run, "m-1")
    inbound.store(ledger, [receipt(message_id, kind="out:sent", delivery_state=None)])
    view = messages.view(ledger, message_id)
    assert view is not None
    assert (view.state, view.carrier_id, view.delivery_state) == ("sent", "m-1", "delivered")


def test_an_answer_that_is_lost_while_word_comes_leaves_no_message_unknown(ledger: Ledger, desk: Desk) -> None:
    for _ in range(5):
        (message_id,) = outgoing.store(ledger, [message()], key=None, fingerprint="f").message_ids
        run = desk.run(Lane.MESSAGES)
        sending.calling(ledger, run)
        word = receipt(message_id)
        with ThreadPoolExecutor(2) as pool:
            told = pool.submit(inbound.store, ledger, [word])
            sending.unanswered(ledger, run, Why("timeout"))
            told.result()
        view = messages.view(ledger, message_id)
        assert view is not None
        assert view.state == "sent"
        with ledger.write() as tx:
            tx.run(sa.delete(schema.inbound))
            tx.run(sa.delete(schema.messages))
