"""The database's clock is put forward or back: nothing waits for hours, nothing is done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.claims import work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.housekeeping import clock as ledgers_clock
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.imports import polling, submitting
from tnimport.ledger.imports.numbers import Flush

if TYPE_CHECKING:
    from tests.ledger.conftest import Clock, Desk

HOUR = 3600.0
SLACK = 5.0
ALIVE = [Process(kind="dispatcher", host="one", pid=pid, version="1") for pid in (1, 2)]


@pytest.fixture(autouse=True)
def alive(desk: Desk) -> None:
    """Two processes that show themselves."""
    for process in ALIVE:
        heartbeats.beat(desk.ledger, process, first=True)


def put_back(desk: Desk, clock: Clock) -> None:
    clock.step(-HOUR)
    heartbeats.beat(desk.ledger, ALIVE[0])  # one process has shown itself since, the other not yet
    desk.reap()


def now(desk: Desk) -> float:
    with desk.ledger.read() as tx:
        return tx.now


def test_a_claim_does_not_outlive_a_clock_that_is_put_back(desk: Desk, clock: Clock) -> None:
    desk.available(3)
    run = desk.run(Lane.NUMBERS)
    put_back(desk, clock)
    assert desk.row(schema.work).until - now(desk) == pytest.approx(120, abs=SLACK)
    desk.passes(120 + SLACK)
    assert desk.reap() == 1
    assert not desk.rows(schema.work, token=run.token)


def test_a_run_goes_on_over_a_clock_that_is_put_back(desk: Desk, clock: Clock) -> None:
    import_id = desk.available(3)
    run = desk.run(Lane.NUMBERS)
    put_back(desk, clock)
    desk.finish(run)
    assert desk.state(import_id) == "complete"


def test_waits_and_pauses_end_when_they_would_have(desk: Desk, clock: Clock) -> None:
    desk.accept(3)
    polling.unfinished(desk.ledger, desk.accepted(desk.run(Lane.DASHBOARD)), "PROCESSING", 60)
    desk.available(2)
    desk.record(desk.run(Lane.NUMBERS), Flush(first=0, last=True, trouble=Trouble(limited=True, reset_after=30)))
    put_back(desk, clock)
    (poll,) = desk.rows(schema.work, task="tnimport.poll_order")
    assert poll.due_at - now(desk) == pytest.approx(60, abs=SLACK)
    lane = desk.lane(Lane.NUMBERS)
    assert lane.paused_until - now(desk) == pytest.approx(30, abs=SLACK)
    assert lane.filled_at <= lane.paused_until
    desk.passes(60 + SLACK)
    assert desk.claim(Lane.DASHBOARD).grants
    assert desk.claim(Lane.NUMBERS).grants


def test_how_long_ago_an_order_was_sent_is_still_known(desk: Desk, clock: Clock) -> None:
    desk.accept(3)
    submitting.sending(desk.ledger, desk.run(Lane.DASHBOARD))
    put_back(desk, clock)
    assert now(desk) - desk.row(schema.orders).sent_at == pytest.approx(0, abs=SLACK)


def test_what_began_before_the_clock_was_put_forward_and_back_again_keeps_its_time(desk: Desk, clock: Clock) -> None:
    desk.accept(3)
    submitting.sending(desk.ledger, desk.run(Lane.DASHBOARD))
    desk.passes(60)
    clock.step(HOUR)
    for process in ALIVE:
        heartbeats.beat(desk.ledger, process)
    put_back(desk, clock)
    assert now(desk) - desk.row(schema.orders).sent_at == pytest.approx(60, abs=SLACK)
    assert all(one.alive for one in heartbeats.heard(desk.ledger))


def test_a_clock_that_was_put_back_is_followed_once(desk: Desk, clock: Clock) -> None:
    desk.available(3)
    desk.run(Lane.NUMBERS)
    clock.step(-HOUR)
    assert ledgers_clock.follow(desk.ledger) == pytest.approx(HOUR, abs=SLACK)
    assert ledgers_clock.follow(desk.ledger) == 0
    until = desk.row(schema.work).until
    desk.reap()
    assert desk.row(schema.work).until == until
    assert all(one.alive for one in heartbeats.heard(desk.ledger))


HISTORY = {
    "imports": {"created_at", "staged_at", "sealed_at", "started_at", "paused_at", "held_at", "verify_ended_at"}
    | {"finished_at", "updated_at"},
    "orders": {"finished_at"},
    "numbers": {"updated_at"},
    "messages": {"created_at", "updated_at"},
    "inbound": {"received_at"},
    "deliveries": {"created_at", "updated_at"},
    "proofs": {"arrived_at", "settled_at"},
    "events": {"at"},
    "refusals": {"at"},
    "sums": {"until"},  # one that is not of the last while, or lies ahead, is made anew
    "heartbeats": {"started_at", "seen_at"},  # followed by themselves
}
AMOUNTS = {"tokens", "max_per_minute", "share"}


def test_every_time_of_the_ledger_either_follows_the_clock_or_is_history() -> None:
    follows = {table.name: set(names) for table, names, _ in ledgers_clock.FOLLOWING}
    for table in schema.metadata.tables.values():
        times = {one.name for one in table.columns if isinstance(one.type, sa.Double)} - AMOUNTS
        assert times == follows.get(table.name, set()) | HISTORY.get(table.name, set()), table.name


def test_a_claim_ends_early_when_the_clock_is_put_forward_and_its_run_writes_nothing_more(
    desk: Desk, clock: Clock
) -> None:
    import_id = desk.available(2)
    run = desk.run(Lane.NUMBERS)
    clock.step(HOUR)
    assert desk.reap() == 1
    with pytest.raises(work.ClaimLost):
        desk.finish(run)
    looks = desk.rows(schema.work)
    assert [(one.look, one.lost) for one in looks] == [(True, True)] * 2
    assert desk.state(import_id) == "running"
