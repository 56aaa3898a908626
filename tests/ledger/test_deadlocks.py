"""Two transactions wait for each other: the database rolls one back, and it is done again."""

from __future__ import annotations

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.ledger.conftest import emptied, opened_desk
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.imports import staging, submitting
from tnimport.ledger.sql.deadlocks import TIMES, retried_on_deadlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger, Tx


CODE = ("tnimport", "tasks", "workers", "config")


def writing(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """The functions that open a transaction to write in, each the innermost one around it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and any(map(opens, own_nodes(node))):
            yield node
        yield from writing(node)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef):
            yield node
            yield from own_nodes(node)


def opens(node: ast.AST) -> bool:
    if not isinstance(node, ast.With):
        return False
    calls = [ast.unparse(item.context_expr) for item in node.items]
    return any(re.fullmatch(r"(\w+\.)*_?ledger\.write\(\)", call) for call in calls)


def test_every_move_that_writes_is_done_again_where_it_was_in_a_circle() -> None:
    root = Path(__file__).parents[2]
    moves = {
        f"{path.relative_to(root)} {function.name}": [ast.unparse(one) for one in function.decorator_list]
        for package in CODE
        for path in (root / package).rglob("*.py")
        for function in writing(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert len(moves) > 50
    assert sorted(name for name, decorators in moves.items() if "retried_on_deadlock" not in decorators) == []


def test_a_chunk_of_an_import_that_is_rolled_back_is_stored_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = staging._insert_numbers
    tried: list[int] = []

    def tangle(tx: Tx, rows: object) -> None:
        insert(tx, rows)
        tried.append(1)
        if len(tried) == 1:
            raise OperationalError("INSERT", None, Broken("40P01"))

    monkeypatch.setattr(staging, "_insert_numbers", tangle)
    import_id = desk.accept(4, 2)
    assert len(tried) == 2
    assert desk.counts(import_id) == {"requested": 4}


class Broken(Exception):
    """What the driver says."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str) -> tuple[list[int], object]:
    """A move that fails so often, and then does what it should."""
    tried: list[int] = []

    @retried_on_deadlock
    def move(result: str) -> str:
        tried.append(1)
        if len(tried) <= times:
            raise OperationalError("UPDATE", None, Broken(sqlstate))
        return result

    return tried, move


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_what_the_database_rolled_back_is_done_again(sqlstate: str) -> None:
    tried, move = failing(TIMES - 1, sqlstate)
    assert move("done") == "done"
    assert len(tried) == TIMES


@pytest.mark.parametrize(("sqlstate", "times"), [("40P01", TIMES), ("08006", 1)])
def test_not_for_ever_and_not_when_the_ledger_is_away(sqlstate: str, times: int) -> None:
    tried, move = failing(99, sqlstate)
    with pytest.raises(OperationalError):
        move("done")
    assert len(tried) == times


def test_a_run_that_is_rolled_back_in_a_circle_of_waits_still_records_what_the_carrier_said(
    postgres_ledger: Ledger,
) -> None:
    """SQLite has one writer at a time, and so no circles."""
    desk = opened_desk(emptied(postgres_ledger))
    import_id = desk.accept(2)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    desk.in_doubt()  # so that the answer is news to the lane
    with ThreadPoolExecutor(1) as threads:
        with desk.ledger.write() as tx:
            tx.run(sa.text("SET LOCAL deadlock_timeout = '1min'"))  # so the other one notices, and is rolled back
            tx.run(sa.select(schema.lanes).where(schema.lanes.c.name == Lane.DASHBOARD).with_for_update())
            recording = threads.submit(submitting.accepted, desk.ledger, run, "c-1", "RECEIVED", 2)
            waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid != :own")
            own = tx.run(sa.text("SELECT pg_backend_pid()")).scalar()
            while not tx.run(waits, {"own": own}).scalar():
                tx.run(sa.text("SELECT pg_stat_clear_snapshot()"))
            # This closes the circle.
            tx.run(sa.update(schema.work).where(schema.work.c.id == run.id).values(attempts=7))
        recording.result(30)
    assert desk.counts(import_id) == {"ordered": 2}
