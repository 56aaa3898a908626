"""Brings the ledger's tables to the shape this version needs. May run while older processes work."""

from pathlib import Path
from time import monotonic, sleep
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from tnimport.ledger.engine import Ledger
from tnimport.ledger.revisions import SCRIPTS

PATIENCE_SECONDS: Final = 120.0
WAIT_MS: Final = 500  # less than the second after which PostgreSQL breaks a circle of waits, at anybody's expense
BREATH_SECONDS: Final = 0.2
_BUSY: Final = frozenset({"55P03", "40P01"})  # PostgreSQL: lock not available, deadlock detected
_IN_ORDER: Final = ("work", "orders", "imports", "applications", "lanes")
_LOCK: Final = 7_462_391  # any number that nobody else uses: two releases at once take turns


def upgrade(ledger: Ledger, revision: str = "head") -> None:
    """Migrate to a revision; a second migration at the same time waits and then finds nothing to do.

    On PostgreSQL a change of a table waits for everybody who uses it, and everybody else waits for the change. So it
    waits for half a second only, lets them all go on, and tries again, for two minutes.

    Raises:
        sqlalchemy.exc.OperationalError: somebody has used a table for all that time; nothing was changed.
    """
    if ledger.url.get_backend_name() == "sqlite" and ledger.url.database:
        Path(ledger.url.database).parent.mkdir(parents=True, exist_ok=True)
    last_try = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _upgrade(ledger, revision)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _BUSY or monotonic() > last_try:
                raise
            sleep(BREATH_SECONDS)  # in which those who were kept waiting go on
        else:
            return


def _upgrade(ledger: Ledger, revision: str) -> None:
    with ledger.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(sa.text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
            _lock(connection, revision)
        command.upgrade(config(connection), revision)


def _lock(connection: Connection, revision: str) -> None:
    """Keep everybody out before the first change, in the order in which runs take their locks."""
    there = set(sa.inspect(connection).get_table_names())
    scripts = ScriptDirectory.from_config(config(connection))
    wanted = scripts.get_current_head() if revision == "head" else revision
    used = [name for name in _IN_ORDER if name in there]
    if used and MigrationContext.configure(connection).get_current_revision() != wanted:
        connection.execute(sa.text(f"LOCK TABLE {', '.join(used)} IN ACCESS EXCLUSIVE MODE"))


def config(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made
