"""Opens the ledger and its transactions, alike on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from tnimport.ledger.sql import sessions, writers

CHANNEL: Final = "tnimport"
_NOW: Final = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::float8",
}


_READING: Final[dict[str, dict[str, Any]]] = {
    "sqlite": {"tnimport_read": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


@dataclass(frozen=True)
class Tx:
    """One transaction: its connection, and the database's time at its begin (seconds since the epoch)."""

    connection: Connection
    now: float

    @property
    def on_postgres(self) -> bool:
        """Whether rows can be locked one by one; SQLite locks the file for a writer instead."""
        return self.connection.dialect.name == "postgresql"

    def run(
        self, statement: sa.Executable, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> sa.CursorResult[Any]:
        """Execute one statement, once or for each row.

        A statement that is built once and filled in here costs a fifth of one that is built for each use; so are those
        that run for every few numbers.
        """
        return self.connection.execute(statement, rows)

    def changed(self, statement: sa.Executable, values: Mapping[str, Any] | None = None) -> int:
        """Execute a guarded write and tell how many rows it changed; none means that somebody else was first."""
        # For an INSERT SQLAlchemy drops the count of rows, and answers -1, unless it is asked for.
        return self.connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount

    def insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that understands ON CONFLICT."""
        return postgresql.insert(table) if self.on_postgres else sqlite.insert(table)

    def announce(self) -> None:
        """Tell sleeping dispatchers at commit that work may be due; on SQLite they see the commit itself."""
        if self.on_postgres:
            self.connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


class Ledger:
    """The system's memory. One per process; its connections are pooled for the process's threads.

    With `lock_seconds` a transaction on PostgreSQL waits no longer for a lock of somebody else; for those who serve
    many, and can go on with the others (see `sessions.is_blocked`).
    """

    def __init__(self, url: str | URL, *, pool_size: int = 8, lock_seconds: float | None = None) -> None:
        self.url = make_url(url)
        self.engine = _engine(self.url, pool_size, lock_seconds)
        self._reading = _READING[self.url.get_backend_name()]
        self._turn = writers.Queue().turn if self.url.get_backend_name() == "sqlite" else nullcontext

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that may write; commits at the end, rolls back on any exception. They do not nest."""
        with self._turn(), self.engine.begin() as connection:
            yield Tx(connection, _now(connection))

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one moment and writes nothing."""
        with self.engine.connect().execution_options(**self._reading) as connection:
            yield Tx(connection, _now(connection))

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _now(connection: Connection) -> float:
    return float(connection.exec_driver_sql(_NOW[connection.dialect.name]).scalar_one())


def _engine(url: URL, pool_size: int, lock_seconds: float | None) -> Engine:
    # Of numbers and messages that a statement was about nothing is told where it fails.
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 64, "hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"check_same_thread": False}, **pool)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = sa.create_engine(url, connect_args=sessions.lasting(url), pool_pre_ping=True, **pool)
    sessions.prepare(engine, lock_seconds)
    return engine


def _prepare_sqlite(raw: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves, see below
    writers.wait_in_sqlite(raw, writers.BUSY_MS)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("tnimport_read", False):
        connection.exec_driver_sql("BEGIN")
    else:
        writers.begin_writing(connection)
