"""What is owed to those who asked to be told, what becomes of it, and who is told at once."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.ledger.conftest import ACCOUNT, CLAIM_SECONDS, Desk, emptied
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import DeliveryState, Event, receiver_of, receiver_of_queue
from tnimport.ledger import schema as tables
from tnimport.ledger.claims import receivers, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.receivers import AT_ONCE, IN_DOUBT, TOGETHER, Receivers
from tnimport.ledger.claims.work import ClaimLost, Run
from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports import closing, control
from tnimport.ledger.notifying import deliveries, webhooks
from tnimport.ledger.notifying.deliveries import Attempt
from tnimport.ledger.sql import sessions

URL = "https://a.example/hook?token=t"
OTHER = "https://b.example/hook"
TAKEN = Attempt(204)
LATE = Attempt(None, "timeout", "no whole answer came in time")
DOWN = Trouble(limited=False)


def account(**settings: Any) -> Account:
    return Account(name=ACCOUNT, account_id="9999999", signs=True, **settings)


def came_in(desk: Desk, owner: Account, message_id: str = "m-1", event: str = "message.received") -> int:
    """A message that the carrier has called us about, and what is owed for it."""
    with desk.ledger.write() as tx:
        values = {"account": ACCOUNT, "message_id": message_id, "kind": event, "received_at": tx.now}
        said = {
            "sender": "+19195550101",
            "recipient": "+19195550102",
            "text": "hello",
            "media": [],
            "event_type": "sms",
        }
        row = sa.insert(tables.inbound).values(**values, **said).returning(tables.inbound.c.id)
        inbound_id = int(tx.run(row).scalar_one())
        deliveries.owe_inbound(tx, [deliveries.News(owner, inbound_id, Event(event))])
    return inbound_id


def owe(desk: Desk, url: str = URL, count: int = 1) -> None:
    """Owe one receiver so many deliveries."""
    begun = len(desk.rows(tables.inbound))
    for number in range(begun, begun + count):
        came_in(desk, account(inbound_url=url), f"m-{number}")


def told(desk: Desk) -> list[tuple[str, str]]:
    return [(row.type, row.state) for row in desk.rows(tables.deliveries)]


def begun(desk: Desk) -> Run:
    """The next delivery, on its way."""
    run = desk.run(Lane.WEBHOOKS)
    owed = deliveries.begin(desk.ledger, run)
    assert owed is not None
    assert owed.id == run.delivery_id
    return run


def granted(desk: Desk) -> list[str]:
    """The receivers of all that may start now."""
    return [str(grant.receiver) for grant in desk.claim(Lane.WEBHOOKS).grants]


def trusted(desk: Desk, url: str) -> None:
    """A receiver that has answered before."""
    owe(desk, url)
    deliveries.delivered(desk.ledger, begun(desk), TAKEN)


# What is owed.


def test_what_comes_in_is_owed_to_everybody_the_settings_name(desk: Desk) -> None:
    owner = account(inbound_url=URL, inbound_task="theirs.received", inbound_queue="theirs")
    inbound_id = came_in(desk, owner)
    owed = desk.rows(tables.deliveries)
    assert {(row.target, row.address) for row in owed} == {
        ("url", "https://a.example/hook?…"),
        ("task", "theirs.received"),
    }
    for row in owed:
        assert (row.account, row.type, row.inbound_id) == (ACCOUNT, "message.received", inbound_id)
        assert (row.state, row.attempts, row.import_id) == (DeliveryState.WAITING, 0, None)
    assert len(desk.rows(tables.work, lane=Lane.WEBHOOKS)) == 2


def test_where_the_settings_name_nobody_nothing_is_owed(desk: Desk) -> None:
    came_in(desk, account())
    assert desk.rows(tables.deliveries) == []
    assert desk.rows(tables.work) == []


def finished(desk: Desk, **options: Any) -> str:
    import_id = desk.available(2, **options)
    desk.finish_all()
    return import_id


def cancelled(desk: Desk, **options: Any) -> str:
    import_id = desk.accept(2, **options)
    control.cancel(desk.ledger, import_id)
    return import_id


def refused(desk: Desk, **options: Any) -> str:
    import_id = desk.accept(2, **options)
    with desk.ledger.write() as tx:
        closing.refuse(tx, import_id, "code", "No such application.")
    return import_id


def empty(desk: Desk, **options: Any) -> str:
    return desk.accept(0, **options)


@pytest.mark.parametrize("end", [finished, cancelled, refused, empty])
def test_whoever_submitted_an_import_is_told_once_that_it_ended(desk: Desk, end: Callable[..., str]) -> None:
    import_id = end(desk, notify_url=URL)
    row = desk.row(tables.deliveries)
    assert (row.type, row.import_id, row.address) == (Event.IMPORT_FINISHED, import_id, URL)
    ended = desk.row(tables.imports, id=import_id).finished_at
    assert row.created_at == ended
    assert begun(desk).receiver == receiver_of(URL)


def test_whoever_gave_no_address_is_not_told(desk: Desk) -> None:
    finished(desk)
    assert told(desk) == []


def test_a_held_import_is_told_of_each_time_it_is_held(desk: Desk) -> None:
    import_id = desk.accept(2, notify_url=URL)
    for _ in range(2):
        with desk.ledger.write() as tx:
            closing.hold(tx, import_id, "12016", "Mend it.")
            closing.hold(tx, import_id, "12016", "Mend it.")
        control.resume(desk.ledger, import_id)
    assert told(desk) == [(Event.IMPORT_HELD, "waiting")] * 2


def test_what_is_owed_of_an_import_is_delivered_though_it_is_over(desk: Desk) -> None:
    cancelled(desk, notify_url=URL)
    desk.reap()
    deliveries.delivered(desk.ledger, begun(desk), TAKEN)
    assert told(desk) == [(Event.IMPORT_FINISHED, "delivered")]
    assert desk.rows(tables.work) == []


# What becomes of it.


def test_an_attempt_is_counted_before_it_is_made_and_a_failed_one_is_made_again(desk: Desk) -> None:
    owe(desk)
    run = begun(desk)
    assert desk.row(tables.deliveries).attempts == 1
    deliveries.again(desk.ledger, run, LATE, 300, DOWN)
    row = desk.row(tables.deliveries)
    assert (row.state, row.code, row.status) == (DeliveryState.WAITING, "timeout", None)
    assert granted(desk) == []
    desk.passes(301)
    again = begun(desk)
    assert (again.delivery_id, again.attempts) == (run.delivery_id, 1)
    deliveries.delivered(desk.ledger, again, TAKEN)
    row = desk.row(tables.deliveries)
    assert (row.state, row.code, row.status, row.attempts) == (DeliveryState.DELIVERED, None, 204, 2)
    assert desk.rows(tables.work) == []


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.DISABLED])
def test_what_has_ended_is_attempted_no_more(desk: Desk, state: DeliveryState) -> None:
    owe(desk)
    deliveries.ended(desk.ledger, begun(desk), state, Attempt(410, "http_410", "Gone."))
    assert told(desk) == [("message.received", state)]
    desk.passes(1e6)
    assert granted(desk) == []


def test_a_run_that_lost_its_claim_writes_nothing(desk: Desk) -> None:
    owe(desk)
    run = begun(desk)
    desk.vanish(run)
    second = begun(desk)
    assert second.delivery_id == run.delivery_id
    with pytest.raises(ClaimLost):
        deliveries.delivered(desk.ledger, run, TAKEN)
    assert told(desk) == [("message.received", "waiting")]


def test_a_delivery_whose_runs_vanish_is_left_to_a_person_and_no_import_is_held(desk: Desk) -> None:
    import_id = desk.accept(1)
    owe(desk)
    for _ in range(3):
        desk.vanish(begun(desk))
    row = desk.row(tables.deliveries)
    assert (row.state, row.code, row.attempts) == (DeliveryState.FAILED, "needs_attention", 3)
    assert desk.rows(tables.work, lane=Lane.WEBHOOKS) == []
    assert desk.state(import_id) == "queued"


# Who is told at once.


def test_a_receiver_that_never_answered_is_asked_once_and_one_that_did_several_times(desk: Desk) -> None:
    owe(desk, URL, 10)
    assert granted(desk) == [receiver_of(URL)]
    assert granted(desk) == []
    trusted(desk, OTHER)
    owe(desk, OTHER, 10)
    assert granted(desk) == [receiver_of(OTHER)] * AT_ONCE
    assert granted(desk) == []


def test_receivers_in_doubt_share_a_few_places_and_take_none_from_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "LOOKAHEAD", 4)
    trusted(desk, OTHER)
    for number in range(10):
        owe(desk, f"https://{number}.example/")
    owe(desk, OTHER)
    desk.passes(1)
    told_now = granted(desk)
    assert len(told_now) == IN_DOUBT + 1
    assert receiver_of(OTHER) in told_now
    owe(desk, OTHER)
    assert granted(desk) == [receiver_of(OTHER)]


def test_all_receivers_together_keep_only_a_few_threads(desk: Desk) -> None:
    several = [URL, OTHER, "https://third.example/", "https://fourth.example/"]
    for url in several:
        trusted(desk, url)
    for url in several:
        owe(desk, url, 5)
    assert len(granted(desk)) == TOGETHER
    assert granted(desk) == []
    with desk.ledger.read() as tx:
        sent = tx.run(sa.select(tables.work.c.id).where(tables.work.c.state == work.SENT)).scalars().first()
    with desk.ledger.write() as tx:
        tx.run(sa.delete(tables.work).where(tables.work.c.id == sent))
    assert len(granted(desk)) == 1


def test_many_for_one_that_hangs_do_not_hide_one_for_another(desk: Desk) -> None:
    owe(desk, URL, 10)
    owe(desk, OTHER)
    desk.passes(1)
    assert sorted(granted(desk)) == sorted([receiver_of(URL), receiver_of(OTHER)])
    assert granted(desk) == []


def test_one_that_fails_again_and_again_gets_a_rest_and_is_then_tried_once(desk: Desk) -> None:
    trusted(desk, URL)
    owe(desk, URL, 10)
    for _ in range(5):
        deliveries.again(desk.ledger, begun(desk), LATE, 1000, DOWN)
    assert granted(desk) == []
    desk.passes(20)
    assert granted(desk) == [receiver_of(URL)]
    assert granted(desk) == []


def test_one_that_asks_for_a_rest_gets_it_and_an_answer_opens_it_again(desk: Desk) -> None:
    trusted(desk, URL)
    owe(desk, URL, 3)
    asked = Trouble(limited=True, reset_after=120)
    deliveries.again(desk.ledger, begun(desk), Attempt(429, "http_429"), 120, asked)
    desk.passes(100)
    assert granted(desk) == []
    desk.passes(21)
    assert len(granted(desk)) == 3


def test_an_answer_of_any_kind_is_a_sign_of_life(desk: Desk) -> None:
    owe(desk, URL, 2)
    deliveries.again(desk.ledger, begun(desk), Attempt(404, "http_404"), 300, None)
    owe(desk, URL, 5)
    assert len(granted(desk)) == AT_ONCE


def test_a_taken_message_ends_with_its_claim(desk: Desk) -> None:
    owe(desk)
    grant = desk.grant(Lane.WEBHOOKS)
    assert desk.take(grant) is not None
    assert desk.take(grant) is None
    desk.passes(CLAIM_SECONDS + 1)
    desk.reap()
    assert desk.row(tables.work).state == work.WAITING


# Seen, and sent again.


def test_deliveries_are_seen_the_newest_first_and_a_page_at_a_time(desk: Desk) -> None:
    for number in range(3):
        owe(desk, f"https://{number}.example/?token=t")
        desk.passes(1)
    first, after = webhooks.page(desk.ledger, limit=2)
    rest, end = webhooks.page(desk.ledger, limit=2, after=after)
    assert [one.address[8] for one in (*first, *rest)] == ["2", "1", "0"]
    assert end is None
    assert all("token" not in one.address and one.next_attempt_at == one.created_at for one in first)
    assert webhooks.page(desk.ledger, state=DeliveryState.FAILED) == ([], None)
    assert webhooks.page(desk.ledger, accounts=["other"]) == ([], None)
    assert webhooks.view(desk.ledger, first[0].id) == first[0]
    assert webhooks.view(desk.ledger, "whk_none") is None


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DISABLED])
def test_one_that_is_over_is_sent_again_once_however_often_it_is_asked_for(desk: Desk, state: DeliveryState) -> None:
    owe(desk)
    run = begun(desk)
    deliveries.ended(desk.ledger, run, state, LATE)
    for _ in range(2):
        webhooks.replay(desk.ledger, str(run.delivery_id), account(inbound_url=OTHER))
    again = begun(desk)
    assert (again.delivery_id, again.attempts, again.receiver) == (run.delivery_id, 0, receiver_of(OTHER))
    assert desk.row(tables.deliveries).address == OTHER
    assert granted(desk) == []


def test_one_that_is_being_attempted_is_left_to_its_run(desk: Desk) -> None:
    owe(desk)
    run = begun(desk)
    webhooks.replay(desk.ledger, str(run.delivery_id), account(inbound_url=URL))
    deliveries.delivered(desk.ledger, run, TAKEN)
    assert told(desk) == [("message.received", "delivered")]


def test_one_that_waits_is_sent_now_and_its_receiver_may_be_anybody(desk: Desk) -> None:
    owe(desk)
    run = begun(desk)
    deliveries.again(desk.ledger, run, LATE, 3600, DOWN)
    assert granted(desk) == []
    webhooks.replay(desk.ledger, str(run.delivery_id), None)
    assert granted(desk) == [receiver_of(URL)]


def test_what_is_told_of_an_import_goes_to_the_address_of_its_caller_again(desk: Desk) -> None:
    cancelled(desk, notify_url=URL)
    run = begun(desk)
    deliveries.ended(desk.ledger, run, DeliveryState.FAILED, LATE)
    webhooks.replay(desk.ledger, str(run.delivery_id), account(inbound_url=OTHER))
    assert desk.row(tables.deliveries).address == URL
    assert granted(desk) == [receiver_of(URL)]


HANDED_ON = {"inbound_task": "theirs.received", "inbound_queue": "theirs"}


@pytest.mark.parametrize("owner", [None, account(), account(inbound_url=URL)])
def test_what_would_be_handed_on_to_nobody_fails_at_once(desk: Desk, owner: Account | None) -> None:
    came_in(desk, account(**HANDED_ON))
    run = begun(desk)
    deliveries.ended(desk.ledger, run, DeliveryState.DELIVERED, Attempt(None))
    webhooks.replay(desk.ledger, str(run.delivery_id), owner)
    row = desk.row(tables.deliveries)
    assert (row.state, row.code, row.address) == (DeliveryState.FAILED, "no_receiver", "theirs.received")
    assert desk.rows(tables.work) == []


def test_what_is_handed_on_again_goes_to_the_queue_that_the_settings_name(desk: Desk) -> None:
    came_in(desk, account(**HANDED_ON))
    run = begun(desk)
    deliveries.ended(desk.ledger, run, DeliveryState.FAILED, LATE)
    webhooks.replay(desk.ledger, str(run.delivery_id), account(**HANDED_ON | {"inbound_queue": "elsewhere"}))
    assert granted(desk) == [receiver_of_queue("elsewhere")]


def test_places_are_counted_by_one_dispatcher_at_a_time_whatever_the_account(postgres_ledger: Ledger) -> None:
    emptied(postgres_ledger)
    hasty = Ledger(postgres_ledger.url, lock_seconds=0.02)
    with postgres_ledger.write() as tx:
        Receivers(tx, "one")
        with pytest.raises(sa.exc.OperationalError) as waits, hasty.write() as other:
            Receivers(other, "another")
    assert sessions.is_blocked(waits.value)
    with hasty.write() as other:
        Receivers(other, "another")
    hasty.close()
