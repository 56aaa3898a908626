"""The dispatcher's rounds: what is due goes out, as far as there is room, and it knows when to look again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import structlog

from tnimport.contract import Queue, Task
from tnimport.domain.accounts import Account, Paces
from tnimport.domain.lanes import Lane, pace_of
from tnimport.intake.accept import accept
from tnimport.intake.payload import from_object
from tnimport.ledger import lanes, work
from tnimport.ledger.schema import work as work_table
from workers import dispatcher as process
from workers.dispatching import AWAY_SECONDS, LONGEST_SLEEP, REAP_SECONDS, ROOM_SECONDS, Dispatcher
from workers.publisher import BrokerAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from tnimport.ledger.engine import Ledger
    from tnimport.ledger.grants import Grant

UNLIMITED = Paces(dashboard_per_second=0, numbers_per_minute=0, applications_per_second=0, lookups_per_second=0)
ACCOUNT = Account(name="default", account_id="1", site_id="743", paces=UNLIMITED, order_size=1)


class Outlet:
    """Keeps what it is given."""

    def __init__(self, room: int = 64) -> None:
        self.sent: list[Grant] = []
        self.space = room
        self.away = self.broken = False

    def room(self) -> dict[Queue, int]:
        if self.away:
            raise BrokerAway("ConnectionError")
        return dict.fromkeys(Queue, self.space)

    def publish(self, grants: list[Grant]) -> list[Grant]:
        if self.broken:
            return list(grants)
        self.sent += grants
        return []


@pytest.fixture
def outlet() -> Outlet:
    """Where grants go in these tests."""
    return Outlet()


@pytest.fixture
def submit(ledger: Ledger) -> Callable[..., str]:
    """Accept an import of so many numbers, each an order of its own."""
    serial = iter(range(100, 900))

    def submit(size: int = 1) -> str:
        exchange = 200 + next(serial)
        numbers = [f"919{exchange}{2000 + index}" for index in range(size)]
        submission = from_object({"numbers": numbers, "application": {"id": "a-1"}}, {"default": ACCOUNT})
        accepted = accept(ledger, submission.request, submission.rows, key=None, fingerprint=submission.fingerprint)
        return accepted.import_id

    return submit


def dispatcher(ledger: Ledger, outlet: Outlet, account: Account = ACCOUNT) -> Dispatcher:
    return Dispatcher(ledger, {account.name: account}, outlet, claim_seconds=60)


def states(ledger: Ledger) -> list[str]:
    with ledger.read() as tx:
        return list(tx.run(sa.select(work_table.c.state)).scalars())


def test_an_idle_round_sends_nothing_and_sleeps(ledger: Ledger, outlet: Outlet) -> None:
    assert 0 < dispatcher(ledger, outlet).once() <= min(LONGEST_SLEEP, REAP_SECONDS)
    assert outlet.sent == []


def test_due_work_goes_out_once(ledger: Ledger, outlet: Outlet, submit: Callable[..., str]) -> None:
    import_id = submit()
    both = dispatcher(ledger, outlet), dispatcher(ledger, outlet)
    for one in both * 3:
        one.once()
    (grant,) = outlet.sent
    assert (grant.task, grant.import_id, grant.count) == (Task.SUBMIT_ORDER, import_id, 1)
    assert states(ledger) == [work.SENT]


def test_a_new_account_is_opened_with_one_order(ledger: Ledger, outlet: Outlet, submit: Callable[..., str]) -> None:
    submit(10)
    dispatcher(ledger, outlet).once()
    assert len(outlet.sent) == 1


def test_a_full_queue_gets_nothing_and_is_looked_at_again_soon(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    outlet.space = 0
    one = dispatcher(ledger, outlet)
    assert one.once() <= ROOM_SECONDS
    assert outlet.sent == []
    assert states(ledger) == [work.WAITING]
    outlet.space = 1
    one.once()
    assert len(outlet.sent) == 1


def test_the_room_of_a_queue_is_shared_among_all_who_have_work_for_it(ledger: Ledger, outlet: Outlet) -> None:
    paces = replace(UNLIMITED, messages_per_second=0)
    accounts = {name: replace(ACCOUNT, name=name, paces=paces) for name in ("a", "b")}
    with ledger.write() as tx:
        for name, account in accounts.items():
            lane = lanes.lock(tx, name, Lane.MESSAGES, pace_of(account.paces, Lane.MESSAGES))
            lanes.save(tx, name, Lane.MESSAGES, replace(lane, opened=True))
            for number in range(20):
                work.plan(tx, Task.SEND_MESSAGE, name, Lane.MESSAGES, tx.now, message_id=f"msg_{name}{number}")
    outlet.space = 11
    one = Dispatcher(ledger, accounts, outlet, claim_seconds=60)
    one.once()
    sent = Counter(str(grant.message_id)[4] for grant in outlet.sent)
    assert sorted(sent.values()) == [5, 6]


def test_a_broker_that_is_away_leaves_the_work_where_it_is(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    outlet.away = True
    one = dispatcher(ledger, outlet)
    assert one.once() == AWAY_SECONDS
    assert states(ledger) == [work.WAITING]
    outlet.away = False
    one.once()
    assert states(ledger) == [work.SENT]


def test_what_was_not_published_goes_back_and_out_again(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    outlet.broken = True
    one = dispatcher(ledger, outlet)
    one.once()
    assert states(ledger) == [work.WAITING]
    outlet.broken = False
    one.once()
    assert len(outlet.sent) == 1


def test_work_of_an_account_that_is_no_longer_configured_waits_for_its_return(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    dispatcher(ledger, outlet, replace(ACCOUNT, name="other")).once()
    assert states(ledger) == [work.WAITING]
    dispatcher(ledger, outlet).once()
    assert states(ledger) == [work.SENT]


def test_a_message_that_nobody_took_is_sent_again_under_a_new_serial(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    dispatcher(ledger, outlet).once()
    with ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    dispatcher(ledger, outlet).once()
    first, second = outlet.sent
    assert (second.work, second.serial) == (first.work, first.serial + 1)


def test_the_loop_waits_for_a_ledger_that_is_away_and_stops_when_asked(outlet: Outlet) -> None:
    stopping, rounds, waits = Event(), [], []

    class Away:
        def once(self) -> float:
            rounds.append(1)
            if len(rounds) < 3:
                raise sa.exc.OperationalError("", {}, OSError())
            stopping.set()
            return 7.0

    class Bell:
        def wait(self, seconds: float, _: Event) -> None:
            waits.append(seconds)

        def close(self) -> None:
            """Nothing to let go of."""

    process.work(Away(), Bell(), stopping)
    told = [process.LEDGER_AWAY_SECONDS, process.LEDGER_AWAY_SECONDS, 7.0]
    assert waits == pytest.approx([seconds - process.EARLIEST for seconds in told])


def test_a_lane_of_a_newer_version_is_left_to_newer_dispatchers_and_said_once(
    ledger: Ledger, outlet: Outlet, submit: Callable[..., str]
) -> None:
    submit()
    with ledger.write() as tx:
        row = {"task": "tnimport.of_tomorrow", "account": "default", "lane": "tomorrow", "due_at": tx.now - 1}
        tx.run(sa.insert(work_table).values(**row))
    hands = dispatcher(ledger, outlet)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            hands.once()
    assert [one["lane"] for one in logs if one["event"] == "lane_of_a_newer_version"] == ["tomorrow"]
    assert {grant.task for grant in outlet.sent} == {Task.SUBMIT_ORDER}
