"""What ends a grant before its last number: limits, faults, time, a stop, a lost claim; the rest goes back."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.catalogue import STEPS
from tasks.results import Done
from tnimport.contract import Task
from tnimport.domain.accounts import Paces
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.imports import control, numbers
from tnimport.ledger.schema import lanes, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.conftest import World

NUMBER = "9192381000"
MANY = [f"91923810{index:02}" for index in range(60)]
pytestmark = pytest.mark.usefixtures("whole_grants")


@pytest.mark.parametrize("kind", ["rate-limited", "rate-limited-bare"])
def test_too_many_stops_the_grant_pauses_the_lane_and_gives_the_tokens_back(
    world: World, available: Callable[..., str], kind: str
) -> None:
    world.change(paces=Paces(dashboard_per_second=0, numbers_per_minute=60_000, numbers_burst=1000))
    import_id = available(*MANY)
    world.sandbox.fault("catapult.numbers.create", kind, count=1, skip=10, seconds=30)
    grant = world.grant(Task.IMPORT_NUMBERS)
    assert grant.count == 60
    assert STEPS[Task.IMPORT_NUMBERS](world.job(world.take(grant))) == Done({"imported": 10, "stopped": 1})
    with world.ledger.read() as tx:
        lane = tx.run(sa.select(lanes).where(lanes.c.name == "numbers")).one()
        assert lane.paused_until - tx.now > (25 if kind == "rate-limited" else 1)
    left = world.the_work()
    assert (left.first, left.last) == (10, 60)
    assert left.attempts == 0
    assert len(world.sandbox.calls("catapult.numbers.create")) == 11
    world.run(Task.IMPORT_NUMBERS)
    assert world.view(import_id).state == "complete"


def test_tokens_of_calls_that_were_not_made_come_back(world: World, available: Callable[..., str]) -> None:
    world.change(paces=Paces(dashboard_per_second=0, numbers_per_minute=60_000, numbers_burst=5000))
    available(*MANY)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    with world.ledger.write() as tx:
        tx.run(sa.update(lanes).where(lanes.c.name == "numbers").values(tokens=0, filled_at=tx.now + 1000))
    STEPS[Task.IMPORT_NUMBERS](world.job(run, deadline=monotonic()))
    with world.ledger.read() as tx:
        assert tx.run(sa.select(lanes.c.tokens).where(lanes.c.name == "numbers")).scalar_one() == 60


def test_wrong_credentials_stop_the_grant_at_once_and_hold_the_import(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(*MANY)
    world.sandbox.fault("catapult.numbers.create", "unauthorized", count=1, skip=5)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 5, "stopped": 1})
    assert world.view(import_id).state == "held"
    assert world.view(import_id).held["instruction"]
    assert len(world.sandbox.calls("catapult.numbers.create")) == 6
    world.mended()
    assert world.grant(Task.IMPORT_NUMBERS).count == 1, "a doubtful account is tried with one call"


def test_a_connection_that_was_refused_stops_the_grant_and_costs_no_attempt(
    world: World, available: Callable[..., str], free_port: int
) -> None:
    import_id = available(*MANY)
    world.nobody_listens(free_port)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"stopped": 1})
    assert world.the_work().attempts == 0
    world.mended()
    world.run(Task.IMPORT_NUMBERS)
    assert world.view(import_id).state == "complete"


def test_a_run_whose_time_is_up_starts_no_call_and_the_rest_goes_back(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(*MANY)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    assert STEPS[Task.IMPORT_NUMBERS](world.job(run, deadline=monotonic() + world.http_timeout - 0.1)) == Done({})
    assert world.sandbox.calls("catapult.numbers.create") == []
    left = world.the_work()
    assert (left.first, left.last, left.attempts, left.strikes) == (0, 60, 0, 0)
    world.run(Task.IMPORT_NUMBERS)
    assert world.view(import_id).state == "complete"


def test_a_worker_that_is_asked_to_stop_ends_its_grant_between_two_numbers(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(*MANY)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    job = world.job(run)
    made, really = [], job.access.catapult.import_number

    def import_number(*arguments: object) -> str:
        made.append(arguments)
        if len(made) == 7:
            world.stopping.set()
        return really(*arguments)

    job.access.catapult.import_number = import_number
    assert STEPS[Task.IMPORT_NUMBERS](job) == Done({"imported": 7})
    assert (world.the_work().first, world.the_work().last) == (7, 60)
    assert world.view(import_id).counts["imported"] == 7


def test_a_pause_is_seen_at_the_next_flush(
    world: World, available: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.result_buffer.FLUSH_NUMBERS", 25)
    import_id = available(*MANY)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    control.pause(world.ledger, import_id)
    STEPS[Task.IMPORT_NUMBERS](world.job(run))
    assert 0 < world.view(import_id).counts["imported"] <= 25
    assert world.view(import_id).state == "paused"


def test_a_run_that_lost_its_claim_writes_nothing_and_what_it_did_is_found_out(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(*MANY)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    with world.ledger.write() as tx:
        tx.run(sa.update(work).values(token="somebody-else"))
    with pytest.raises(ClaimLost):
        STEPS[Task.IMPORT_NUMBERS](world.job(run))
    assert world.view(import_id).counts["imported"] == 0
    assert world.view(import_id).counts["available"] == 60


def test_a_long_grant_tells_how_far_it_is(
    world: World, available: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.result_buffer.TELL_SECONDS", 0)
    monkeypatch.setattr("tasks.result_buffer.FLUSH_NUMBERS", 25)
    monkeypatch.setattr("tasks.result_buffer.FLUSH_SECONDS", 3600)  # by count only, however slow the machine is
    available(*MANY)
    world.run(Task.IMPORT_NUMBERS)
    assert world.told == ["25/60", "50/60"]


def test_a_ledger_that_is_away_for_a_moment_loses_no_result(
    world: World, available: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = available(NUMBER)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))
    really, failures = numbers.record, iter(range(2))

    def record(*arguments: object) -> bool:
        if next(failures, None) is not None:
            raise sa.exc.OperationalError("", {}, OSError())
        return really(*arguments)

    monkeypatch.setattr(numbers, "record", record)
    monkeypatch.setattr("tasks.patience.LEDGER_AWAY", 0.001)
    assert STEPS[Task.IMPORT_NUMBERS](world.job(run)) == Done({"imported": 1})
    assert world.fates(import_id) == {NUMBER: ("imported", None)}


def test_a_ledger_that_stays_away_is_waited_for_no_longer_than_the_claim_lasts(
    world: World, available: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    available(NUMBER)
    run = world.take(world.grant(Task.IMPORT_NUMBERS))

    def record(*_: object) -> bool:
        raise sa.exc.OperationalError("", {}, OSError())

    monkeypatch.setattr(numbers, "record", record)
    monkeypatch.setattr("tasks.patience.LEDGER_AWAY", 0.001)
    world.http_timeout = 0.2
    with pytest.raises(sa.exc.OperationalError):
        STEPS[Task.IMPORT_NUMBERS](world.job(run, deadline=monotonic() + 2))
