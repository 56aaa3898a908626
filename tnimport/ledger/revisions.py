"""Which shapes of the ledger this version knows: what every process asks as it starts, without loading alembic."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger

HEAD: Final = "20261129_ids"  # the shape that this version needs: the last migration
SCRIPTS: Final = Path(__file__).parent / "migrations"
KNOWN: Final = frozenset(script.stem for script in (SCRIPTS / "versions").glob("*.py"))
_TABLE: Final = "alembic_version"


def pending(ledger: Ledger) -> bool:
    """Whether the ledger is older than this version.

    One that is newer is no obstacle: migrations only expand it, so that in a rolling upgrade, and after going back,
    older code works on it.
    """
    current = revision(ledger)
    return current is None or (current in KNOWN and current != HEAD)


def revision(ledger: Ledger) -> str | None:
    """The migration that the ledger has reached; None without any."""
    with ledger.engine.connect() as connection:
        if not sa.inspect(connection).has_table(_TABLE):
            return None
        return connection.execute(sa.select(sa.column("version_num")).select_from(sa.table(_TABLE))).scalar()
