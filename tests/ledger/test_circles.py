"""Two transactions wait for each other: the database rolls one back, and it is done again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.ledger.conftest import emptied, opened_desk
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema, submitting
from tnimport.ledger.circles import TIMES, untangled

if TYPE_CHECKING:
    from tnimport.ledger.engine import Ledger


class Broken(Exception):
    """What the driver says."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str) -> tuple[list[int], object]:
    """A move that fails so often, and then does what it should."""
    tried: list[int] = []

    @untangled
    def move(result: str) -> str:
        tried.append(1)
        if len(tried) <= times:
            raise OperationalError("UPDATE", None, Broken(sqlstate))
        return result

    return tried, move


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_what_the_database_rolled_back_is_done_again(sqlstate: str) -> None:
    tried, move = failing(TIMES - 1, sqlstate)
    assert move("done") == "done"
    assert len(tried) == TIMES


@pytest.mark.parametrize(("sqlstate", "times"), [("40P01", TIMES), ("08006", 1)])
def test_not_for_ever_and_not_when_the_ledger_is_away(sqlstate: str, times: int) -> None:
    tried, move = failing(99, sqlstate)
    with pytest.raises(OperationalError):
        move("done")
    assert len(tried) == times


def test_a_run_that_is_rolled_back_in_a_circle_of_waits_still_records_what_the_carrier_said(
    postgres_ledger: Ledger,
) -> None:
    """SQLite has one writer at a time, and so no circles."""
    desk = opened_desk(emptied(postgres_ledger))
    import_id = desk.accept(2)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    desk.in_doubt()  # so that the answer is news to the lane
    with ThreadPoolExecutor(1) as threads:
        with desk.ledger.write() as tx:
            tx.run(sa.text("SET LOCAL deadlock_timeout = '1min'"))  # so the other one notices, and is rolled back
            tx.run(sa.select(schema.lanes).where(schema.lanes.c.name == Lane.DASHBOARD).with_for_update())
            recording = threads.submit(submitting.accepted, desk.ledger, run, "c-1", "RECEIVED", 2)
            waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid != :own")
            own = tx.run(sa.text("SELECT pg_backend_pid()")).scalar()
            while not tx.run(waits, {"own": own}).scalar():
                tx.run(sa.text("SELECT pg_stat_clear_snapshot()"))
            # This closes the circle.
            tx.run(sa.update(schema.work).where(schema.work.c.id == run.id).values(attempts=7))
        recording.result(30)
    assert desk.counts(import_id) == {"ordered": 2}
