"""Empty ledgers, migrated once in a session and copied for every test that wants one: `migrated_url`."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import create_database, new_database
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger that is migrated once and copied often."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a database that is an empty ledger: a template of many."""
    create_database(postgres_server, "migrated")
    _migrate(postgres_server + "migrated")
    return "migrated"


def _migrate(url: str) -> None:
    ledger = Ledger(url)
    migrate.upgrade(ledger)
    ledger.close()  # the last connection writes everything into the one file


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty ledger that only this test uses, once on each kind of database."""
    template = request.getfixturevalue(f"migrated_{request.param}")
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(template, request.getfixturevalue('tmp_path'))}"
        return
    with new_database(request.getfixturevalue("postgres_server"), template) as url:
        yield url
