"""A sleeping dispatcher wakes at a commit, on both kinds of ledger, whatever becomes of its connection."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING
from unittest.mock import Mock

import psycopg
import pytest
import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.ledger.claims import work
from tnimport.ledger.engine import Ledger
from workers.wakeup import PostgresWakeUp, wake_up_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.wakeup import WakeUp

LONG = 30.0


@pytest.fixture
def wake_up(ledger: Ledger) -> Iterator[WakeUp]:
    """What wakes up at commits of the ledger, listening already."""
    wake_up = wake_up_for(ledger)
    wake_up.wait(0.1, Event())
    yield wake_up
    wake_up.close()


def commit(ledger: Ledger) -> None:
    with ledger.write() as tx:
        work.plan(tx, Task.SUBMIT_ORDER, "default", "dashboard", tx.now)


def waited(wake_up: WakeUp, seconds: float = LONG, stopping: Event | None = None) -> float:
    began = monotonic()
    wake_up.wait(seconds, stopping or Event())
    return monotonic() - began


def test_a_commit_of_somebody_else_wakes(ledger: Ledger, wake_up: WakeUp) -> None:
    other = Ledger(ledger.url)
    committing = Thread(target=commit, args=(other,))
    committing.start()
    assert waited(wake_up) < LONG / 2
    committing.join()
    other.close()


def test_a_commit_while_nobody_waited_wakes_at_the_next_wait(ledger: Ledger, wake_up: WakeUp) -> None:
    commit(ledger)
    assert waited(wake_up) < LONG / 2


def test_it_wakes_once_for_a_commit(ledger: Ledger, wake_up: WakeUp) -> None:
    commit(ledger)
    wake_up.wait(LONG, Event())
    assert waited(wake_up, 0.3) >= 0.3


def test_with_no_commit_it_waits_as_long_as_it_was_told(wake_up: WakeUp) -> None:
    assert 0.2 <= waited(wake_up, 0.2) < LONG / 2


def test_a_process_that_is_asked_to_stop_is_woken(wake_up: WakeUp) -> None:
    stopping = Event()
    stopping.set()
    assert waited(wake_up, LONG, stopping) < LONG / 2


def test_a_lost_connection_to_postgresql_is_made_anew_and_wakes_again(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    with ledger.write() as tx:
        tx.run(sa.text("CREATE TABLE anything (id int)"))
    wake_up = PostgresWakeUp(ledger)
    wake_up.wait(0.1, Event())
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        mine = "pid <> pg_backend_pid() AND datname = current_database() AND query LIKE 'LISTEN%'"
        ended = connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")  # noqa: S608 - a constant
        assert ended.rowcount == 1
    wake_up.wait(0.7, Event())  # finds out, and makes a new one
    with ledger.write() as tx:
        tx.announce()
    assert waited(wake_up) < LONG / 2
    wake_up.close()
    ledger.close()


def test_a_lost_connection_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Mock] = []

    def connect(*_: object, **__: object) -> Mock:
        made.append(Mock())
        made[-1].notifies.side_effect = psycopg.OperationalError if len(made) == 1 else [["rung"]]
        return made[-1]

    monkeypatch.setattr("workers.wakeup.psycopg.connect", connect)
    monkeypatch.setattr("workers.wakeup.TURN_SECONDS", 0.001)
    wake_up = PostgresWakeUp(Ledger("postgresql+psycopg://nobody@127.0.0.1/nothing"))
    wake_up.wait(LONG, Event())
    assert [connection.close.called for connection in made] == [True, False]
    wake_up.close()
    assert made[1].close.called


def test_a_postgresql_that_is_away_is_waited_for_without_an_error(free_port: int) -> None:
    ledger = Ledger(f"postgresql+psycopg://nobody@127.0.0.1:{free_port}/nothing")
    wake_up = PostgresWakeUp(ledger)
    assert waited(wake_up, 0.3) >= 0.3
    wake_up.close()
