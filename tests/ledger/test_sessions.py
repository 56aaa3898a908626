"""What a session of PostgreSQL does not wait for: a peer that is gone, and a transaction that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tests.ledger.conftest import emptied
from tnimport.domain.lanes import Lane
from tnimport.ledger.claims import lanes
from tnimport.ledger.engine import Ledger
from tnimport.ledger.sql import sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS = ("idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout", "lock_timeout")


@pytest.fixture
def another(postgres_ledger: Ledger) -> Iterator[Callable[..., Ledger]]:
    """Another process with the same database, in which the tables are empty."""
    emptied(postgres_ledger)
    made: list[Ledger] = []

    def open_(query: str = "", **options: float) -> Ledger:
        url = postgres_ledger.url.update_query_string(query)
        made.append(Ledger(url, **options))
        return made[-1]

    yield open_
    for ledger in made:
        ledger.close()


def said(ledger: Ledger) -> list[str]:
    with ledger.read() as tx:
        return [tx.run(sa.text(f"SHOW {word}")).scalar_one() for word in WORDS]


def test_every_session_gives_up_on_what_stands_still(another: Callable[..., Ledger]) -> None:
    assert said(another()) == ["10s", "10", "20000", "0"]
    assert said(another(lock_seconds=2.0)) == ["10s", "10", "20000", "2s"]


def test_what_the_url_says_stands(another: Callable[..., Ledger]) -> None:
    theirs = another("options=-c idle_in_transaction_session_timeout=77s&keepalives_idle=3")
    assert said(theirs)[0] == "77s"
    with theirs.engine.connect() as connection:
        told = connection.connection.driver_connection.info.get_parameters()
    assert (told["keepalives_idle"], told["keepalives_count"]) == ("3", "3")


def test_the_connection_itself_is_watched() -> None:
    watched = sessions.lasting(make_url("postgresql+psycopg://h/n?tcp_user_timeout=1"))
    assert watched.keys() == {"keepalives_idle", "keepalives_interval", "keepalives_count"}


def test_a_transaction_that_stands_still_is_ended_and_its_process_goes_on_as_after_a_lost_connection(
    another: Callable[..., Ledger], postgres_ledger: Ledger
) -> None:
    frozen = another()

    def stand_still() -> None:
        with frozen.write() as tx:
            pid = tx.connection.connection.driver_connection.info.backend_pid
            lanes.lock(tx, "default", Lane.DASHBOARD, lanes.UNPACED)
            tx.run(sa.text("SET LOCAL idle_in_transaction_session_timeout = '20ms'"))  # and not ten seconds
            with postgres_ledger.write() as mine:  # waits for the end of the other one
                lanes.lock(mine, "default", Lane.DASHBOARD, lanes.UNPACED)
                there = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
                while mine.run(there, {"pid": pid}).scalar():
                    mine.run(sa.text("SELECT pg_stat_clear_snapshot()"))
            lanes.lock(tx, "default", Lane.DASHBOARD, lanes.UNPACED)

    with pytest.raises(sa.exc.OperationalError):
        stand_still()
    with frozen.write() as tx:
        lanes.lock(tx, "default", Lane.DASHBOARD, lanes.UNPACED)


def test_who_serves_many_waits_for_no_lock_longer_than_it_said(
    another: Callable[..., Ledger], postgres_ledger: Ledger
) -> None:
    hasty = another(lock_seconds=0.02)
    with postgres_ledger.write() as tx:
        lanes.lock(tx, "default", Lane.DASHBOARD, lanes.UNPACED)
    with postgres_ledger.write() as tx:
        lanes.lock(tx, "default", Lane.DASHBOARD, lanes.UNPACED)
        with pytest.raises(sa.exc.OperationalError) as blocked, hasty.write() as other:
            lanes.lock(other, "default", Lane.DASHBOARD, lanes.UNPACED)
        assert sessions.is_blocked(blocked.value)
    with hasty.write() as other:
        lanes.lock(other, "default", Lane.DASHBOARD, lanes.UNPACED)
