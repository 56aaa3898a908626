"""What a session of PostgreSQL does not wait for: a peer that is gone, and a transaction that stands still.

A process that is frozen, or whose machine is gone, in the middle of a transaction would keep its rows from everybody
for as long as it stands. The server ends such a transaction, the process finds its session gone and does its work again
like after any other loss of the ledger. Settings that the server, the role or the URL names stand as they are.
"""

from typing import Any, Final, cast

import psycopg
import sqlalchemy as sa
from psycopg.types.json import Json
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

STILL_SECONDS: Final = 10  # between two statements of a transaction nobody works for longer than milliseconds
_SERVER: Final = {
    "idle_in_transaction_session_timeout": f"{STILL_SECONDS}s",
    # A peer that is gone while the server sends to it or waits for more of a COPY.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}
_CLIENT: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SET: Final = """
    SELECT set_config(name, ours.value, false)
    FROM json_each_text(%s::json) AS ours(name, value) JOIN pg_settings USING (name) WHERE source = 'default'
"""
_ENDED: Final = psycopg.errors.IdleInTransactionSessionTimeout
BLOCKED: Final = frozenset({"55P03", "40P01", "40001"})  # lock not available, deadlock detected, could not serialize


def lasting(url: URL) -> dict[str, Any]:
    """Arguments of a connection that notices within half a minute that the server is gone."""
    return {name: value for name, value in _CLIENT.items() if name not in url.query}


def prepare(engine: sa.Engine, lock_seconds: float | None) -> None:
    """Set up every session of an engine; with `lock_seconds` none waits longer for a row that somebody else locks."""
    waits = {} if lock_seconds is None else {"lock_timeout": f"{round(lock_seconds * 1000)}ms"}
    settings = Json({**_SERVER, **waits})

    def connected(raw: psycopg.Connection, _record: ConnectionPoolEntry) -> None:
        raw.execute(_SET, (settings,))
        raw.commit()

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "handle_error", _as_lost)


def _as_lost(context: ExceptionContext) -> DBAPIError | None:
    ended = context.original_exception
    return textless(context.statement or "", type(ended)) if isinstance(ended, _ENDED) else None


def textless(statement: str, kind: type[psycopg.Error]) -> DBAPIError:
    """SQLAlchemy's error for one of the driver's, of whose text nothing is left: it may hold rows.

    A session that the server ended because it stood still is a lost one, which the driver says of all ends but this.
    """
    error = kind("the database refused it")
    if issubclass(kind, _ENDED):
        return OperationalError(statement, None, error)
    return cast("DBAPIError", DBAPIError.instance(statement, None, error, psycopg.Error))


def is_blocked(error: OperationalError) -> bool:
    """Whether somebody else's lock was in the way, and not the ledger itself."""
    return getattr(error.orig, "sqlstate", None) in BLOCKED
