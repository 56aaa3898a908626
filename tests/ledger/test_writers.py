"""Writers of SQLite take turns: none starves beside another process that writes all the time."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.ledger.engine import Ledger
from tnimport.ledger.schema import lanes
from tnimport.ledger.sql import writers
from tnimport.ledger.sql.writers import PAUSE_SECONDS, STRETCH_SECONDS, Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Time:
    """A clock that stands still but for naps; at each nap something may happen."""

    def __init__(self) -> None:
        self.now = 100.0
        self.naps: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(writers, "monotonic", made.monotonic)
    monkeypatch.setattr(writers, "sleep", made.sleep)
    return made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    lanes.create(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def other(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """A writer of another process, who holds the lock."""
    raw = sqlite3.connect(ledger.url.database, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    yield raw
    raw.close()


def write(ledger: Ledger) -> int:
    with ledger.write() as tx:
        return tx.changed(sa.insert(lanes).values(account="a", name="b", tokens=1.0, filled_at=0.0))


def test_whoever_waits_for_another_process_looks_again_within_milliseconds_however_long_it_takes(
    ledger: Ledger, other: sqlite3.Connection, time: Time
) -> None:
    def let_go() -> None:
        if len(time.naps) == 500:
            other.execute("COMMIT")

    time.meanwhile = let_go
    assert write(ledger) == 1
    assert len(time.naps) == 500
    assert max(time.naps) < PAUSE_SECONDS


def test_a_lock_that_is_held_for_too_long_is_an_error_of_the_ledger(
    ledger: Ledger, other: sqlite3.Connection, time: Time
) -> None:
    assert other.in_transaction
    with pytest.raises(sa.exc.OperationalError, match="database is locked"):
        write(ledger)
    assert sum(time.naps) == pytest.approx(writers.BUSY_MS / 1000, abs=PAUSE_SECONDS)


def test_another_trouble_is_told_at_once(ledger: Ledger, time: Time) -> None:
    with ledger.write() as tx, pytest.raises(sa.exc.OperationalError, match="within a transaction"):
        writers.begin_writing(tx.connection)
    assert time.naps == []


def test_readers_wait_in_sqlite_as_before(ledger: Ledger) -> None:
    write(ledger)
    with ledger.read() as tx:
        assert tx.connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == writers.BUSY_MS
    assert ledger.engine.pool.checkedin() == 1


def turns(queue: Queue, time: Time, count: int, *, lasting: float, apart: float) -> None:
    for _ in range(count):
        with queue.turn():
            time.now += lasting
        time.now += apart


def test_writers_that_follow_each_other_closely_make_a_pause_in_which_others_look(time: Time) -> None:
    turns(Queue(), time, 105, lasting=STRETCH_SECONDS / 10, apart=0.00001)
    assert time.naps == [PAUSE_SECONDS] * 10


def test_where_pauses_are_made_anyway_none_is_added(time: Time) -> None:
    turns(Queue(), time, 100, lasting=STRETCH_SECONDS / 10, apart=PAUSE_SECONDS)
    assert time.naps == []


def test_a_turn_that_fails_is_over(time: Time) -> None:
    queue = Queue()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), queue.turn():
            raise ZeroDivisionError
    assert time.naps == []
