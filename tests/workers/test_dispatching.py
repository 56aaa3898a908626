"""The dispatcher's rounds: what is due goes out, as far as there is room, and it knows when to look again."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from math import inf
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
from tnimport.ledger.claims import dispatch, lanes, work
from tnimport.ledger.engine import Ledger
from tnimport.ledger.schema import work as work_table
from workers import apart
from workers import dispatcher as process
from workers.apart import BLOCKED_SECONDS, REST_MOST, Apart
from workers.dispatching import AWAY_SECONDS, LONGEST_SLEEP, REAP_SECONDS, ROOM_SECONDS, Dispatcher
from workers.publisher import BrokerAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from tnimport.ledger.claims.grants import Grant

UNLIMITED = Paces(dashboard_per_second=0, numbers_per_minute=0, applications_per_second=0, lookups_per_second=0)
ACCOUNT = Account(name="default", account_id="1", site_id="743", paces=UNLIMITED, order_size=1)


class Broker:
    """Keeps what it is given."""

    def __init__(self, room: int = 64) -> None:
        self.sent: list[Grant] = []
        self.space = room
        self.tries = 0
        self.away = self.broken = False

    def room(self) -> dict[Queue, int]:
        if self.away:
            raise BrokerAway("ConnectionError")
        return dict.fromkeys(Queue, self.space)

    def publish(self, grants: list[Grant]) -> list[Grant]:
        self.tries += 1
        if self.broken:
            return list(grants)
        self.sent += grants
        return []


@pytest.fixture
def broker() -> Broker:
    """Where grants go in these tests."""
    return Broker()


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


def dispatcher(ledger: Ledger, broker: Broker, account: Account = ACCOUNT) -> Dispatcher:
    return Dispatcher(ledger, {account.name: account}, broker, claim_seconds=60)


def states(ledger: Ledger) -> list[str]:
    with ledger.read() as tx:
        return list(tx.run(sa.select(work_table.c.state)).scalars())


def test_an_idle_round_sends_nothing_and_sleeps(ledger: Ledger, broker: Broker) -> None:
    assert 0 < dispatcher(ledger, broker).once() <= min(LONGEST_SLEEP, REAP_SECONDS)
    assert broker.sent == []


def test_due_work_goes_out_once(ledger: Ledger, broker: Broker, submit: Callable[..., str]) -> None:
    import_id = submit()
    both = dispatcher(ledger, broker), dispatcher(ledger, broker)
    for one in both * 3:
        one.once()
    (grant,) = broker.sent
    assert (grant.task, grant.import_id, grant.count) == (Task.SUBMIT_ORDER, import_id, 1)
    assert states(ledger) == [work.SENT]


def test_a_new_account_is_opened_with_one_order(ledger: Ledger, broker: Broker, submit: Callable[..., str]) -> None:
    submit(10)
    dispatcher(ledger, broker).once()
    assert len(broker.sent) == 1


def test_a_full_queue_gets_nothing_and_is_looked_at_again_soon(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    broker.space = 0
    one = dispatcher(ledger, broker)
    assert one.once() <= ROOM_SECONDS
    assert broker.sent == []
    assert states(ledger) == [work.WAITING]
    broker.space = 1
    one.once()
    assert len(broker.sent) == 1


def test_the_room_of_a_queue_is_shared_among_all_who_have_work_for_it(ledger: Ledger, broker: Broker) -> None:
    paces = replace(UNLIMITED, messages_per_second=0)
    accounts = {name: replace(ACCOUNT, name=name, paces=paces) for name in ("a", "b")}
    with ledger.write() as tx:
        for name, account in accounts.items():
            lane = lanes.lock(tx, name, Lane.MESSAGES, pace_of(account.paces, Lane.MESSAGES))
            lanes.save(tx, name, Lane.MESSAGES, replace(lane, opened=True))
            for number in range(20):
                work.plan(tx, Task.SEND_MESSAGE, name, Lane.MESSAGES, tx.now, message_id=f"msg_{name}{number}")
    broker.space = 11
    one = Dispatcher(ledger, accounts, broker, claim_seconds=60)
    one.once()
    sent = Counter(str(grant.message_id)[4] for grant in broker.sent)
    assert sorted(sent.values()) == [5, 6]


def test_a_broker_that_is_away_leaves_the_work_where_it_is(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    broker.away = True
    one = dispatcher(ledger, broker)
    assert one.once() == AWAY_SECONDS
    assert states(ledger) == [work.WAITING]
    broker.away = False
    one.once()
    assert states(ledger) == [work.SENT]


def test_what_was_not_published_goes_back_and_out_again(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    broker.broken = True
    one = dispatcher(ledger, broker)
    one.once()
    assert states(ledger) == [work.WAITING]
    broker.broken = False
    one.once()
    assert len(broker.sent) == 1


TWO = {name: replace(ACCOUNT, name=name) for name in ("a", "b")}


def message_for(ledger: Ledger, *names: str) -> None:
    """A message of each account is due."""
    with ledger.write() as tx:
        for name in names:
            work.plan(tx, Task.SEND_MESSAGE, name, Lane.MESSAGES, tx.now, message_id=f"msg_{name}")


def late_claim(ledger: Ledger, account: str = "a") -> None:
    """A run of this account has vanished."""
    with ledger.write() as tx:
        work.plan(tx, Task.SEND_MESSAGE, account, Lane.MESSAGES, tx.now + 900, message_id=f"msg_late_{account}")
        late = work_table.c.message_id == f"msg_late_{account}"
        tx.run(sa.update(work_table).where(late).values(state=work.RUNNING, token="t", until=1))


def strikes(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return tx.run(sa.select(sa.func.sum(work_table.c.strikes))).scalar_one()


def test_a_redis_that_hangs_keeps_a_round_for_one_lane_and_the_next_round_begins_with_another(
    ledger: Ledger, broker: Broker
) -> None:
    message_for(ledger, "a", "b")
    broker.broken = True
    one = Dispatcher(ledger, TWO, broker, claim_seconds=60)
    assert one.once() == AWAY_SECONDS
    assert (broker.tries, one.broker_away) == (1, True)
    broker.broken, broker.space = False, 1
    one.once()
    assert one.broker_away is False
    assert len(broker.sent) == 1
    served = max(one._turns, key=one._turns.__getitem__)
    assert broker.sent[0].message_id == f"msg_{served[0]}"
    assert len(one._turns) == 2


def test_what_runs_out_during_a_long_round_is_taken_back_between_two_lanes(
    ledger: Ledger, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_for(ledger, "a", "b")
    one = Dispatcher(ledger, TWO, broker, claim_seconds=60)
    seen: list[int] = []

    def slowly(grants: list[Grant]) -> list[Grant]:
        seen.append(strikes(ledger))
        if len(seen) == 1:
            late_claim(ledger)
            one._reaped = -inf  # more than a second has gone
        return []

    monkeypatch.setattr(broker, "publish", slowly)
    one.once()
    assert seen == [0, 1]


@pytest.mark.parametrize("migrated_url", ["postgres"], indirect=True)
def test_a_lane_that_somebody_keeps_locked_stops_neither_the_others_nor_the_reap(
    migrated_url: str, broker: Broker
) -> None:
    ledger, frozen = Ledger(migrated_url, lock_seconds=0.02), Ledger(migrated_url)
    message_for(ledger, "a", "b")
    for name in ("a", "b"):
        with ledger.write() as tx:
            lanes.lock(tx, name, Lane.MESSAGES, lanes.UNPACED)
    one = Dispatcher(ledger, TWO, broker, claim_seconds=60)
    with frozen.write() as tx:
        lanes.lock(tx, "a", Lane.MESSAGES, lanes.UNPACED)
        late_claim(ledger)
        assert one.once() <= BLOCKED_SECONDS
        assert strikes(ledger) == 1
        assert [grant.message_id for grant in broker.sent] == ["msg_b"]
    one._apart._rests.clear()  # the time is over
    one.once()
    assert {grant.message_id for grant in broker.sent} >= {"msg_a", "msg_b"}
    ledger.close()
    frozen.close()


def test_a_lane_that_fails_rests_longer_each_time_while_the_others_go_on(
    ledger: Ledger, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_for(ledger, "a", "b")
    real = dispatch.claim

    def claim(ledger: Ledger, account: str, *arguments: object, **options: object) -> object:
        if account == "a":
            raise ValueError("a bad row with +19192380000 in it")
        return real(ledger, account, *arguments, **options)

    monkeypatch.setattr(dispatch, "claim", claim)
    one = Dispatcher(ledger, TWO, broker, claim_seconds=60)
    with structlog.testing.capture_logs() as logs:
        one.once()
        one.once()  # the lane rests
    (failed,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (failed["part"], failed["error"]) == ("messages of a", "ValueError")
    assert failed["at"][-1].endswith(" claim")
    assert "9192380000" not in str(logs)
    assert [grant.message_id for grant in broker.sent] == ["msg_b"]


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the rests, as a list of one."""
    now = [0.0]
    monkeypatch.setattr(apart, "monotonic", lambda: now[0])
    return now


def test_rests_grow_to_some_seconds_and_end_with_the_first_success(time: list[float]) -> None:
    parts, rests, broken = Apart(), [], True

    def act() -> float:
        if broken:
            raise KeyError
        return 7.0

    for _ in range(8):
        rests.append(parts.run("x", act))
        assert parts.run("x", act) == pytest.approx(rests[-1])
        time[0] += rests[-1]
    assert parts.failures("x") == 8
    assert 0.5 <= rests[0] <= 1 < rests[2] < rests[4] <= REST_MOST
    assert max(rests) == REST_MOST
    broken = False
    assert (parts.run("x", act), parts.failures("x")) == (7.0, 0)


def test_a_ledger_or_broker_that_is_away_is_no_failure_of_a_part() -> None:
    parts = Apart()
    for error in (sa.exc.OperationalError("", {}, OSError()), BrokerAway("x")):

        def act(error: Exception = error) -> float:
            raise error

        with pytest.raises(type(error)):
            parts.run("x", act)
    assert parts.failures("x") == 0


def test_a_dispatcher_whose_rounds_fail_again_and_again_goes_on_and_says_that_it_is_not_well(
    time: list[float],
) -> None:
    class Broken:
        broker_away = False

        def once(self) -> float:
            raise ValueError

    class House:
        kept = 0

        def once(self) -> None:
            self.kept += 1

    house = House()
    rounds = process.Rounds(Broken(), house, Apart())
    well = []
    for _ in range(process.FAILURES_HIDDEN + 1):
        time[0] += rounds.once()
        well.append(rounds.well())
    assert well == [True] * process.FAILURES_HIDDEN + [False]
    assert house.kept == process.FAILURES_HIDDEN + 1


def test_a_broken_wake_up_ends_no_dispatcher() -> None:
    stopping, waits = Event(), []

    class Deaf:
        def wait(self, *_: object) -> None:
            waits.append(1)
            stopping.set()
            raise sqlite3.OperationalError("locking protocol")

    class Rounds:
        def once(self) -> float:
            return 0.0

    process.work(Rounds(), Deaf(), stopping)
    assert waits == [1]


def test_work_of_an_account_that_is_no_longer_configured_waits_for_its_return(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    dispatcher(ledger, broker, replace(ACCOUNT, name="other")).once()
    assert states(ledger) == [work.WAITING]
    dispatcher(ledger, broker).once()
    assert states(ledger) == [work.SENT]


def test_a_message_that_nobody_took_is_sent_again_under_a_new_serial(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    dispatcher(ledger, broker).once()
    with ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    dispatcher(ledger, broker).once()
    first, second = broker.sent
    assert (second.work, second.serial) == (first.work, first.serial + 1)


def test_the_loop_waits_for_a_ledger_that_is_away_and_stops_when_asked(broker: Broker) -> None:
    stopping, rounds, waits = Event(), [], []

    class Away:
        def once(self) -> float:
            rounds.append(1)
            if len(rounds) < 3:
                raise sa.exc.OperationalError("", {}, OSError())
            stopping.set()
            return 7.0

    class WakeUp:
        def wait(self, seconds: float, _: Event) -> None:
            waits.append(seconds)

        def close(self) -> None:
            """Nothing to let go of."""

    process.work(Away(), WakeUp(), stopping)
    told = [process.LEDGER_AWAY_SECONDS, process.LEDGER_AWAY_SECONDS, 7.0]
    assert waits == pytest.approx([seconds - process.EARLIEST for seconds in told])


def test_a_lane_of_a_newer_version_is_left_to_newer_dispatchers_and_said_once(
    ledger: Ledger, broker: Broker, submit: Callable[..., str]
) -> None:
    submit()
    with ledger.write() as tx:
        row = {"task": "tnimport.of_tomorrow", "account": "default", "lane": "tomorrow", "due_at": tx.now - 1}
        tx.run(sa.insert(work_table).values(**row))
    hands = dispatcher(ledger, broker)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            hands.once()
    assert [one["lane"] for one in logs if one["event"] == "lane_of_a_newer_version"] == ["tomorrow"]
    assert {grant.task for grant in broker.sent} == {Task.SUBMIT_ORDER}
