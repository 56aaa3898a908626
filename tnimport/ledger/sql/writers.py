"""How writers of SQLite take turns: one writes at a time, and none waits long for those that follow each other closely.

A writer who finds the lock taken looks again; SQLite's own naps between looks grow to 100 ms, and threads that hand the
lock on within microseconds would keep other processes out for many seconds. So the threads of one process queue up
before they meet in the file, whoever waits for another process looks again every few milliseconds, and a process that
has written without a pause for a while makes one in which all who wait look at least once.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from random import uniform
from threading import Lock
from time import monotonic, sleep
from typing import Final

from sqlalchemy.engine import Connection

BUSY_MS: Final = 30_000  # a writer waits for another one so long before the database is called locked
LOOK_SECONDS: Final = (0.001, 0.003)  # of various length, so that two who wait do not look in step
STRETCH_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 0.004  # longer than the longest time between two looks
_BEGIN: Final = "BEGIN IMMEDIATE"  # a transaction that reads first and then finds the lock taken cannot wait for it
_PRIMARY: Final = 0xFF  # the kind of an error; the rest of its code is detail


class Queue:
    """The writers of one process, one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._since = self._ended = -inf

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        with self._lock:
            self._let_others_in()
            try:
                yield
            finally:
                self._ended = monotonic()

    def _let_others_in(self) -> None:
        now = monotonic()
        if now - self._ended >= PAUSE_SECONDS:
            self._since = now  # there was a pause just now
        elif now - self._since >= STRETCH_SECONDS:
            sleep(PAUSE_SECONDS)
            self._since = monotonic()


def begin_writing(connection: Connection) -> None:
    """Begin a transaction that holds the write lock, as soon as nobody else does.

    Raises:
        sqlalchemy.exc.OperationalError: somebody has held it for all of `BUSY_MS`.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - what the caller has made sure of
    wait_in_sqlite(raw, 0)
    try:
        if not _begun(raw):
            connection.exec_driver_sql(_BEGIN)  # once more, so that SQLAlchemy tells what is wrong
    finally:
        wait_in_sqlite(raw, BUSY_MS)


def wait_in_sqlite(raw: sqlite3.Connection, milliseconds: int) -> None:
    """Let SQLite itself wait for so long where it finds a lock taken; readers do, rarely and shortly."""
    raw.execute(f"PRAGMA busy_timeout={milliseconds}").close()


def _begun(raw: sqlite3.Connection) -> bool:
    """Look until the lock is ours; False = the time is over, or something else is wrong."""
    end = monotonic() + BUSY_MS / 1000
    while True:
        try:
            raw.execute(_BEGIN).close()
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_BUSY
            if not busy or monotonic() >= end:
                return False
        else:
            return True
        sleep(uniform(*LOOK_SECONDS))  # noqa: S311 - no secret
