"""Which ledgers this version works on: its own and newer ones, not older ones."""

import pytest
import sqlalchemy as sa

from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import pending, upgrade


@pytest.fixture
def empty(database_url: str) -> Ledger:
    """A database without tables."""
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(("revision", "refused"), [("20991231_next", False), ("20261123_first", True), (None, False)])
def test_a_newer_ledger_is_used_and_an_older_one_is_not(empty: Ledger, revision: str | None, *, refused: bool) -> None:
    upgrade(empty)
    if revision:
        with empty.write() as tx:
            tx.run(sa.text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
    assert pending(empty) is refused


def test_an_empty_database_is_older(empty: Ledger) -> None:
    assert pending(empty) is True
