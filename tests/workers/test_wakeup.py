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
from tnimport.ledger import work
from tnimport.ledger.engine import Ledger
from workers.wakeup import PostgresBell, bell_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.wakeup import Bell

LONG = 30.0


@pytest.fixture
def bell(ledger: Ledger) -> Iterator[Bell]:
    """The bell of the ledger, listening already."""
    bell = bell_for(ledger)
    bell.wait(0.1, Event())
    yield bell
    bell.close()


def commit(ledger: Ledger) -> None:
    with ledger.write() as tx:
        work.plan(tx, Task.SUBMIT_ORDER, "default", "dashboard", tx.now)


def waited(bell: Bell, seconds: float = LONG, stopping: Event | None = None) -> float:
    began = monotonic()
    bell.wait(seconds, stopping or Event())
    return monotonic() - began


def test_a_commit_of_somebody_else_rings(ledger: Ledger, bell: Bell) -> None:
    other = Ledger(ledger.url)
    ringing = Thread(target=commit, args=(other,))
    ringing.start()
    assert waited(bell) < LONG / 2
    ringing.join()
    other.close()


def test_a_commit_while_nobody_waited_rings_at_the_next_wait(ledger: Ledger, bell: Bell) -> None:
    commit(ledger)
    assert waited(bell) < LONG / 2


def test_it_rings_once_for_a_commit(ledger: Ledger, bell: Bell) -> None:
    commit(ledger)
    bell.wait(LONG, Event())
    assert waited(bell, 0.3) >= 0.3


def test_with_no_commit_it_waits_as_long_as_it_was_told(bell: Bell) -> None:
    assert 0.2 <= waited(bell, 0.2) < LONG / 2


def test_a_process_that_is_asked_to_stop_is_woken(bell: Bell) -> None:
    stopping = Event()
    stopping.set()
    assert waited(bell, LONG, stopping) < LONG / 2


def test_a_lost_connection_to_postgresql_is_made_anew_and_rings_again(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    with ledger.write() as tx:
        tx.run(sa.text("CREATE TABLE anything (id int)"))
    bell = PostgresBell(ledger)
    bell.wait(0.1, Event())
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        mine = "pid <> pg_backend_pid() AND datname = current_database() AND query LIKE 'LISTEN%'"
        ended = connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")  # noqa: S608 - a constant
        assert ended.rowcount == 1
    bell.wait(0.7, Event())  # finds out, and makes a new one
    with ledger.write() as tx:
        tx.announce()
    assert waited(bell) < LONG / 2
    bell.close()
    ledger.close()


def test_a_lost_connection_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Mock] = []

    def connect(*_: object, **__: object) -> Mock:
        made.append(Mock())
        made[-1].notifies.side_effect = psycopg.OperationalError if len(made) == 1 else [["rung"]]
        return made[-1]

    monkeypatch.setattr("workers.wakeup.psycopg.connect", connect)
    monkeypatch.setattr("workers.wakeup.TURN_SECONDS", 0.001)
    bell = PostgresBell(Ledger("postgresql+psycopg://nobody@127.0.0.1/nothing"))
    bell.wait(LONG, Event())
    assert [connection.close.called for connection in made] == [True, False]
    bell.close()
    assert made[1].close.called


def test_a_postgresql_that_is_away_is_waited_for_without_an_error(free_port: int) -> None:
    ledger = Ledger(f"postgresql+psycopg://nobody@127.0.0.1:{free_port}/nothing")
    bell = PostgresBell(ledger)
    assert waited(bell, 0.3) >= 0.3
    bell.close()
