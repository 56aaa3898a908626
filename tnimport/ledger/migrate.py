"""Brings the ledger's tables to the shape this version needs. May run while older processes work."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from tnimport.ledger.engine import Ledger

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 7_462_391  # any number that nobody else uses: two releases at once take turns


def upgrade(ledger: Ledger, revision: str = "head") -> None:
    """Migrate to a revision; a second migration at the same time waits and then finds nothing to do."""
    if ledger.url.get_backend_name() == "sqlite" and ledger.url.database:
        Path(ledger.url.database).parent.mkdir(parents=True, exist_ok=True)
    with ledger.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(config(connection), revision)


def config(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    made = Config()
    made.set_main_option("script_location", str(_SCRIPTS))
    made.attributes["connection"] = connection
    return made


def pending(ledger: Ledger) -> bool:
    """Whether the ledger is older than this version.

    One that is newer is no obstacle: migrations only expand it, so that in a rolling upgrade, and after going back,
    older code works on it.
    """
    with ledger.engine.connect() as connection:
        current = set(MigrationContext.configure(connection).get_current_heads())
        scripts = ScriptDirectory.from_config(config(connection))
    known = {script.revision for script in scripts.walk_revisions()}
    return current <= known and current != set(scripts.get_heads())
