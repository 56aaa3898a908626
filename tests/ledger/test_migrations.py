from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import config, pending, upgrade
from tnimport.ledger.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def empty(database_url: str) -> Iterator[Ledger]:
    """A ledger whose database holds no table."""
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


def tables(ledger: Ledger) -> set[str]:
    return set(sa.inspect(ledger.engine).get_table_names()) - {"alembic_version"}


def test_a_migration_makes_exactly_the_tables_of_this_version_and_can_be_undone(empty: Ledger) -> None:
    assert pending(empty)
    upgrade(empty)
    assert not pending(empty)
    upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    with empty.engine.begin() as connection:
        command.downgrade(config(connection), "base")
    assert tables(empty) == set()
    assert pending(empty)
    upgrade(empty)
    assert tables(empty) == set(metadata.tables)


def test_two_migrations_at_once_take_turns(database_url: str) -> None:
    ledgers = [Ledger(database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, ledgers))
    assert not pending(ledgers[0])
    assert tables(ledgers[0]) == set(metadata.tables)
    for ledger in ledgers:
        ledger.close()


def test_the_folder_of_a_new_ledger_is_made(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'var' / 'deep' / 'ledger.db'}")
    upgrade(ledger)
    ledger.close()
    assert (tmp_path / "var" / "deep" / "ledger.db").exists()
