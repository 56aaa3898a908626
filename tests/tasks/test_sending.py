"""Step 5: a message is sent once, and never again where the first call is in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.messages import send_message
from tasks.results import Done, Later
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.contract import Task
from tnimport.domain.backoff import ATTEMPTS_MOST
from tnimport.ledger.housekeeping import reap
from tnimport.ledger.messaging import messages, outgoing
from tnimport.ledger.messaging import sending as messages_sending
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.schema import lanes
from tnimport.ledger.schema import work as work_table

if TYPE_CHECKING:
    from typing import Any

    from tests.tasks.conftest import World
    from tnimport.ledger.messaging.messages import MessageView

OURS, THEIRS = "9192381000", "+12065550123"
CREATE = "catapult.messages.create"


@pytest.fixture
def number(world: World) -> str:
    """A number that Catapult holds."""
    spec = ApplicationSpec(name="ours", incoming_message_url="https://example.com/inbound")
    application = world.access.catapult.create_application(spec, 5)
    world.sandbox.put_in_service([OURS])
    world.access.catapult.import_number(f"+1{OURS}", application, 5)
    return OURS


def queued(world: World, **changes: Any) -> str:
    values = {"account": "default", "sender": OURS, "recipient": THEIRS, "text": "canary text"}
    (message_id,) = outgoing.store(
        world.ledger, [NewMessage(**values | changes)], key=None, fingerprint="f"
    ).message_ids
    return message_id


def seen(world: World, message_id: str) -> MessageView:
    view = messages.view(world.ledger, message_id)
    assert view is not None
    return view


def at_carrier(world: World) -> list[dict[str, Any]]:
    return list(world.sandbox.state("users")["users"][world.sandbox.user_id]["messages"])


def send(world: World):
    return world.run(Task.SEND_MESSAGE)


@pytest.mark.usefixtures("number")
def test_a_message_is_sent_under_the_carriers_id_with_all_it_says(world: World) -> None:
    message_id = queued(world, tag="order 7", receipt_requested="all")
    assert seen(world, message_id).state == "queued"
    result = send(world)
    view = seen(world, message_id)
    assert (view.state, view.attempts, view.code) == ("sent", 1, None)
    assert result == Done({"state": "sent", "carrier_id": view.carrier_id})
    sent = world.access.catapult.get_message(view.carrier_id or "", 5)
    assert (sent.sender, sent.to, sent.text, sent.tag) == (f"+1{OURS}", THEIRS, "canary text", "order 7")
    assert sent.receipt_requested == "all"
    assert world.waiting() == []
    assert view.sent_at is not None


@pytest.mark.usefixtures("number")
@pytest.mark.parametrize("kind", ["cut-after", "cut-before", "error-after", "error", "empty", "html", "truncated"])
def test_what_is_unclear_is_unknown_and_never_sent_again(world: World, kind: str) -> None:
    more = {"status": 503} if kind.startswith("error") else {}
    if kind == "empty":  # without a Location the message has no name
        kind, more = "answer", {"status": 201, "body": ""}
    world.sandbox.fault(CREATE, kind, count=1, **more)
    message_id = queued(world)
    result = send(world)
    view = seen(world, message_id)
    if view.state == "sent":  # a torn or strange body does not matter where the Location was read
        assert kind in {"html", "truncated"}
        return
    assert view.state == "unknown"
    assert view.code
    assert result == Done({"state": "unknown", "code": view.code})
    assert world.waiting() == []
    assert len(world.sandbox.calls(CREATE)) == 1


@pytest.mark.usefixtures("number")
def test_a_run_that_died_while_sending_leaves_a_message_of_unknown_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = queued(world)
    job = world.job(world.take(world.grant(Task.SEND_MESSAGE)))
    with monkeypatch.context() as killed:
        killed.setattr("tasks.messages.sending.taken", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send_message(job)
    assert seen(world, message_id).state == "sending"
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    reap.reap(world.ledger)
    assert send(world) == Done({"state": "unknown", "code": "run_vanished"})
    assert seen(world, message_id).state == "unknown"
    assert len(at_carrier(world)) == 1
    assert world.waiting() == []


@pytest.mark.usefixtures("number")
def test_a_ledger_that_is_away_for_a_moment_is_waited_for_with_the_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, tried = messages_sending.taken, []

    def away(*arguments: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise sa.exc.OperationalError("", {}, OSError())
        really(*arguments)

    monkeypatch.setattr("tasks.patience.LEDGER_AWAY", 0.01)
    monkeypatch.setattr("tasks.messages.sending.taken", away)
    message_id = queued(world)
    send(world)
    assert (seen(world, message_id).state, len(tried)) == ("sent", 3)


@pytest.mark.usefixtures("number")
def test_a_limit_pauses_the_lane_and_the_message_goes_out_later(world: World) -> None:
    world.sandbox.fault(CREATE, "rate-limited", count=1, seconds=30)
    message_id = queued(world)
    assert isinstance(send(world), Later)
    view = seen(world, message_id)
    assert (view.state, view.sent_at) == ("queued", None)
    assert view.code == "message-rate-limit"
    with world.ledger.read() as tx:
        paused = tx.run(sa.select(lanes.c.paused_until).where(lanes.c.name == "messages")).scalar_one()
        assert 0 < paused - tx.now <= 3  # a 403 names no reset
    assert send(world).counts["state"] == "sent"
    assert seen(world, message_id).code is None
    assert len(at_carrier(world)) == 1


def test_where_nobody_listens_nothing_was_sent(world: World, number: str) -> None:
    message_id = queued(world, sender=number)
    world.nobody_listens(1)
    for _ in range(ATTEMPTS_MOST + 2):
        assert isinstance(send(world), Later)
    assert seen(world, message_id).state == "queued"
    world.mended()
    assert send(world).counts["state"] == "sent"
    assert len(at_carrier(world)) == 1


def test_a_refusal_is_final_with_the_carriers_words(world: World) -> None:
    message_id = queued(world)  # Catapult has no such number
    assert send(world) == Done({"state": "failed", "code": "number-access-denied"})
    view = seen(world, message_id)
    assert (view.state, view.code) == ("failed", "number-access-denied")
    assert view.description
    assert world.waiting() == []


@pytest.mark.usefixtures("number")
def test_a_passing_refusal_is_tried_again_and_given_up_in_the_end(world: World) -> None:
    body = '{"category": "bad-request", "code": "message-delay-limit", "message": "The queue is full."}'
    world.sandbox.fault(CREATE, "answer", status=400, body=body, headers={"Content-Type": "application/json"})
    message_id = queued(world)
    for _ in range(ATTEMPTS_MOST - 1):
        assert isinstance(send(world), Later)
    assert send(world) == Done({"state": "failed", "code": "message-delay-limit"})
    assert seen(world, message_id).attempts == ATTEMPTS_MOST


@pytest.mark.usefixtures("number")
def test_a_fault_of_the_account_keeps_messages_waiting_with_the_reason_and_asks_once_a_minute(world: World) -> None:
    import_id = world.submit("9192381001")
    world.sandbox.fault(CREATE, "unauthorized", count=1)
    message_id = queued(world)
    assert isinstance(send(world), Later)
    view = seen(world, message_id)
    assert (view.state, view.code) == ("queued", "access-denied")
    assert "then resume" in (view.description or "")
    with world.ledger.read() as tx:
        lane = tx.run(sa.select(lanes).where(lanes.c.name == "messages")).one()
        assert 50 < lane.paused_until - tx.now <= 61
        assert not lane.opened
    assert world.view(import_id).state == "queued"  # imports are not held by it
    assert world.view(import_id).waiting_on is None
    assert send(world).counts["state"] == "sent"


@pytest.mark.usefixtures("number")
def test_a_run_that_comes_too_late_calls_nobody(world: World) -> None:
    message_id = queued(world)
    job = world.job(world.take(world.grant(Task.SEND_MESSAGE)))
    assert send_message(replace(job, deadline=0)) == Later("too_late", 0)
    assert seen(world, message_id).state == "queued"
    assert at_carrier(world) == []


@pytest.mark.usefixtures("number")
def test_receipts_are_asked_to_come_to_our_callback(world: World) -> None:
    world.change(callback_url="https://tn.example/callbacks/default")
    world.access = replace(world.access, callback_secret="a secret")
    message_id = queued(world, receipt_requested="error")
    send(world)
    (sent,) = at_carrier(world)
    at = "https://tnimport:a%20secret@tn.example/callbacks/default/messages"
    assert sent["callbackUrl"] == f"{at}?message={message_id}"


def test_a_message_that_is_forgotten_is_no_work(world: World) -> None:
    queued(world)
    with world.ledger.write() as tx:
        tx.run(sa.delete(messages.messages))
    assert send(world) == Done({"skipped": "there is nothing to send"})
    assert world.waiting() == []
