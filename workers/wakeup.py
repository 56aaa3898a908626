"""Wakes a sleeping dispatcher at the next commit, so that nothing waits for a tick."""

import sqlite3
from threading import Event
from time import monotonic
from typing import Final, Protocol

import psycopg

from tnimport.ledger.engine import CHANNEL, Ledger
from tnimport.ledger.sql.sessions import lasting

LOOK_SECONDS: Final = 0.02  # SQLite tells nobody; asking for its data version costs a few microseconds
TURN_SECONDS: Final = 0.5


class WakeUp(Protocol):
    """Something that wakes up at commits."""

    def wait(self, seconds: float, stopping: Event) -> None:
        """Return after so many seconds, at a commit, or when the process is asked to stop."""

    def close(self) -> None:
        """Let go of the connection."""


class SqliteWakeUp:
    """Wakes up when another connection has changed the file."""

    def __init__(self, ledger: Ledger) -> None:
        self._raw = sqlite3.connect(ledger.url.database or "", isolation_level=None)
        self._seen = self._version()

    def _version(self) -> int:
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0])

    def wait(self, seconds: float, stopping: Event) -> None:
        """Look for a new data version again and again."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0 and not stopping.wait(min(LOOK_SECONDS, left)):
            version = self._version()
            if version != self._seen:
                self._seen = version
                return

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()


class PostgresWakeUp:
    """Wakes up at NOTIFY; a lost connection is made anew at the next wait."""

    def __init__(self, ledger: Ledger) -> None:
        self._dsn = ledger.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._lasting = lasting(ledger.url)
        self._raw: psycopg.Connection | None = None

    def _listening(self) -> psycopg.Connection:
        if self._raw is None:
            self._raw = psycopg.connect(self._dsn, autocommit=True, **self._lasting)
            self._raw.execute(f"LISTEN {CHANNEL}".encode())
        return self._raw

    def wait(self, seconds: float, stopping: Event) -> None:
        """Wait for a notification, half a second at a time so that a stop is seen."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0 and not stopping.is_set():
            try:
                if list(self._listening().notifies(timeout=min(left, TURN_SECONDS), stop_after=1)):
                    return
            except psycopg.Error:
                self.close()
                stopping.wait(min(left, TURN_SECONDS))

    def close(self) -> None:
        """Let go of the connection."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None


def wake_up_for(ledger: Ledger) -> WakeUp:
    """What wakes up at commits of this kind of ledger."""
    return SqliteWakeUp(ledger) if ledger.url.get_backend_name() == "sqlite" else PostgresWakeUp(ledger)
