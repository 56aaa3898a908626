from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import config, upgrade
from tnimport.ledger.revisions import HEAD, KNOWN, pending
from tnimport.ledger.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


def test_what_every_process_knows_of_the_revisions_is_what_alembic_says(empty: Ledger) -> None:
    with empty.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(config(connection))
    assert scripts.get_heads() == [HEAD]
    assert {script.revision for script in scripts.walk_revisions()} == KNOWN


def written_in(path: Path) -> dict[str, str]:
    """How SQLite has the table of work and its indexes written down, without brackets, quotes and line ends."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'work' AND sql IS NOT NULL")
        return {name: re.sub(r"[\s\"()]+", " ", sql).replace(", ", ",") for name, sql in found}


def test_sqlite_never_gives_the_id_of_work_again_and_keeps_its_indexes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("migrated.db", "made.db", "back.db")]
    ledgers = [Ledger(f"sqlite:///{path}") for path in paths]
    upgrade(ledgers[0])
    metadata.create_all(ledgers[1].engine)
    upgrade(ledgers[2])
    with ledgers[2].engine.begin() as connection:
        command.downgrade(config(connection), "20261128_gone")
    for ledger in ledgers:
        ledger.close()
    migrated, made, back = map(written_in, paths)
    assert "AUTOINCREMENT" in migrated["work"]
    assert "AUTOINCREMENT" not in back["work"]
    assert set(migrated) == set(made) == set(back)
    for name in set(migrated) - {"work"}:
        assert migrated[name].lower() == made[name].lower() == back[name].lower()


def test_ids_of_work_go_on_beyond_those_that_older_messages_may_name(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url)
    upgrade(ledger, "20261128_gone")
    wait = "INSERT INTO work (task, account, lane, due_at) VALUES ('t', 'a', 'l', 0)"
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(wait)
    upgrade(ledger)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(wait)
        assert connection.exec_driver_sql("SELECT id FROM work ORDER BY id").scalars().all() == [1, 1_000_002]
    ledger.close()


def test_two_migrations_at_once_take_turns(database_url: str) -> None:
    ledgers = [Ledger(database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, ledgers))
    assert not pending(ledgers[0])
    assert tables(ledgers[0]) == set(metadata.tables)
    for ledger in ledgers:
        ledger.close()


def test_a_migration_that_has_to_wait_keeps_nobody_else_waiting(postgres_url: str) -> None:
    """SQLite has one writer at a time, and readers never wait."""
    ledger = Ledger(postgres_url)
    upgrade(ledger, "20261123_seeing")
    with ThreadPoolExecutor(1) as pool:
        with ledger.write() as busy:
            busy.run(sa.text("SELECT count(*) FROM work"))  # until this transaction ends, the table cannot be changed
            changing = pool.submit(upgrade, ledger)
            with ledger.write() as other:
                waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                while not other.run(waits).scalar():
                    other.run(sa.text("SELECT pg_stat_clear_snapshot()"))
            with ledger.write() as other:
                other.run(sa.text("SET LOCAL statement_timeout = 5000"))
                other.run(sa.text("UPDATE work SET attempts = 0"))
            assert not changing.done()
        changing.result(30)
    assert not pending(ledger)
    ledger.close()


def test_the_folder_of_a_new_ledger_is_made(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'var' / 'deep' / 'ledger.db'}")
    upgrade(ledger)
    ledger.close()
    assert (tmp_path / "var" / "deep" / "ledger.db").exists()


class Written:
    """Stands in for alembic's `op` and writes down what a migration asks for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    def get_bind(self) -> SimpleNamespace:
        """PostgreSQL: where SQLite alone makes a table anew, a test of its own compares the two."""
        return SimpleNamespace(dialect=SimpleNamespace(name="postgresql"))

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*arguments: object, **options: object) -> object:
            self.asked.append((name, arguments, options))
            return arguments[0] if arguments else None

        return ask


def steps(ledger: Ledger) -> dict[str, list[tuple[str, tuple[object, ...], dict[str, object]]]]:
    """What each migration after the first asks for, by revision."""
    with ledger.engine.connect() as connection:
        scripts = list(ScriptDirectory.from_config(config(connection)).walk_revisions())
    found = {}
    for script in scripts:
        if script.down_revision is not None:
            written = Written()
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(script.module, "op", written)
                script.module.upgrade()
            found[script.revision] = [one for one in written.asked if one[0] != "f"]
    return found


# A migration that takes something away (contracts) is named here, with the version that no longer needed it.
CONTRACTING: dict[str, str] = {}


def test_every_migration_only_expands_so_that_the_version_before_works_on(sqlite_url: str) -> None:
    ledger = Ledger(sqlite_url)
    made = steps(ledger)
    ledger.close()
    assert made
    for revision, asked in made.items():
        new = {arguments[0] for name, arguments, _ in asked if name == "create_table"}
        wrong = [one for one in asked if not expands(new, *one)]
        assert revision in CONTRACTING or wrong == [], revision


def expands(new: set[object], name: str, arguments: tuple[object, ...], options: dict[str, object]) -> bool:
    """Whether code that knows nothing of it reads and writes as before."""
    match name:
        case "create_table":
            return True
        case "add_column":
            column = arguments[1]
            assert isinstance(column, sa.Column)
            return column.nullable or column.server_default is not None
        case "create_index":  # one that is unique may refuse what older code writes
            return arguments[1] in new or not options.get("unique")
    return False


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("drop_column", ("work", "first"), {}),
        ("alter_column", ("work", "first"), {"nullable": False}),
        ("execute", ("UPDATE work SET first = 1",), {}),
        ("add_column", ("work", sa.Column("new", sa.Integer, nullable=False)), {}),
        ("create_index", ("one", "work", ["first"]), {"unique": True}),
        ("create_foreign_key", ("fk", "work", "orders", ["first"], ["id"]), {}),
    ],
)
def test_what_would_disturb_the_version_before_is_seen(
    name: str, arguments: tuple[object, ...], options: dict[str, object]
) -> None:
    assert not expands(set(), name, arguments, options)
