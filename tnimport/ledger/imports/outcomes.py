"""Writes what became of numbers: their rows, their order's open count, the import's books, in that order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, NumberEvent, OrderState, Outcome, Stage, seen_as
from tnimport.ledger.claims import work
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.engine import Tx
from tnimport.ledger.imports.books import Books
from tnimport.ledger.imports.events import note
from tnimport.ledger.schema import numbers, orders
from tnimport.ledger.schema import work as work_table


@dataclass(frozen=True)
class Imported:
    """Catapult holds it; `added` tells whether we put it there, which is what undo may take away."""

    pos: int
    number_id: str
    added: bool
    attempts: int


@dataclass(frozen=True)
class Present:
    """Catapult held it before, under our application."""

    pos: int
    number_id: str
    attempts: int


@dataclass(frozen=True)
class Released:
    """Catapult holds it no longer."""

    pos: int
    attempts: int


@dataclass(frozen=True)
class Failed:
    """It ended without success: where, and why in the carrier's code or ours."""

    pos: int
    stage: Stage
    code: str
    description: str
    attempts: int


@dataclass(frozen=True)
class Unaccounted:
    """Its order ended and did not tell what became of it."""

    pos: int


Settled = Imported | Present | Released | Failed | Unaccounted

_COLUMNS: Final = ("outcome", "stage", "code", "description", "number_id", "added", "attempts")
_EVENTS: Final[dict[type, NumberEvent]] = {
    Imported: NumberEvent.IMPORT_DONE,
    Present: NumberEvent.FOUND_PRESENT,
    Released: NumberEvent.RELEASE_DONE,
    Unaccounted: NumberEvent.ORDER_SILENT,
}
UNACCOUNTED: Final = ("unaccounted", "The finished order does not tell whether this number was done or failed.")


def settle(tx: Tx, order_id: int, settled: Sequence[Settled], concerned: Outcome = Outcome.OPEN) -> None:
    """Record outcomes of numbers of one order, each at most once.

    Args:
        tx: the transaction, fenced by the caller.
        order_id: the order they belong to.
        settled: what became of them.
        concerned: what their rows hold until now; `RELEASED` when a removal's order ends badly for some.

    Raises:
        ClaimLost: one of them has an outcome already; nothing is written.
    """
    if not settled:
        return
    _write(tx, order_id, settled, concerned)
    order = _count(tx, order_id, settled, concerned)
    books = Books(Action(order.action))
    state = seen_as(concerned, OrderState(order.state))
    for one in settled:
        books.move(state, event_of(one))
    if order.open == 0:
        _emptied(tx, order_id, order)
    books.post(tx, order.import_id)
    if order.open == 0:
        _sweep(tx, order_id)


def _sweep(tx: Tx, order_id: int) -> None:
    """Ranges that wait hold no open number any longer; a run that has just written its last ends by itself."""
    tx.run(_SWEEPING, {"order": order_id})


_SWEEPING: Final = (
    sa.delete(work_table)
    .where(work_table.c.order_id == sa.bindparam("order"), work_table.c.last > work_table.c.first)
    .where(work_table.c.state != work.RUNNING)
)


def _count(tx: Tx, order_id: int, settled: Sequence[Settled], concerned: Outcome) -> sa.Row[Any]:
    released = sum(isinstance(one, Released) for one in settled)
    gone = len(settled)
    change = (-gone, released) if concerned is Outcome.OPEN else (0, released - gone)
    return tx.run(_COUNTING, {"order": order_id, "opened": change[0], "freed": change[1]}).one()


_COUNTING: Final = (
    sa.update(orders)
    .where(orders.c.id == sa.bindparam("order"))
    .values(open=orders.c.open + sa.bindparam("opened"), released=orders.c.released + sa.bindparam("freed"))
    .returning(orders.c.state, orders.c.action, orders.c.import_id, orders.c.account, orders.c.open, orders.c.released)
)


def event_of(one: Settled) -> NumberEvent:
    """The event of the life cycle that an outcome is."""
    if isinstance(one, Failed):
        return NumberEvent.ORDER_BAD if one.stage is Stage.ORDER else NumberEvent.STEP_FAILED
    return _EVENTS[type(one)]


def _emptied(tx: Tx, order_id: int, order: sa.Row[Any]) -> None:
    """No number of the order is open: it is done, unless numbers that were released have yet to be ordered away."""
    if order.released and order.state != OrderState.RELEASING:
        return
    state = OrderState.PLANNED if order.released else OrderState.DONE
    ended = None if order.released else sa.func.coalesce(orders.c.finished_at, tx.now)
    tx.run(sa.update(orders).where(orders.c.id == order_id).values(state=state, finished_at=ended))
    note(tx, f"order_{state}", order.import_id, order=order_id)
    if state is OrderState.PLANNED:
        ids = {"import_id": order.import_id, "order_id": order_id}
        work.plan(tx, Task.SUBMIT_ORDER, order.account, Lane.DASHBOARD, tx.now, **ids)


def _write(tx: Tx, order_id: int, settled: Sequence[Settled], concerned: Outcome) -> None:
    rows = [_row(one) for one in settled]
    write = _write_postgres if tx.on_postgres else _write_sqlite
    if write(tx, order_id, rows, concerned) != len(rows):
        raise ClaimLost


def _row(one: Settled) -> tuple[Any, ...]:
    """Position and columns, one constructor for each outcome so that no wrong mix of columns can be written."""
    match one:
        case Imported(pos, number_id, added, attempts):
            return pos, Outcome.IMPORTED.value, None, None, None, number_id, added, attempts
        case Present(pos, number_id, attempts):
            return pos, Outcome.PRESENT.value, None, "present", None, number_id, False, attempts
        case Released(pos, attempts):
            return pos, Outcome.RELEASED.value, None, None, None, None, None, attempts
        case Failed(pos, stage, code, description, attempts):
            return pos, Outcome.FAILED.value, stage.value, code[:64], description[:500], None, None, attempts
        case Unaccounted(pos):
            code, description = UNACCOUNTED
            return pos, Outcome.UNACCOUNTED.value, Stage.ORDER.value, code, description, None, None, 0


def _write_sqlite(tx: Tx, order_id: int, rows: Sequence[tuple[Any, ...]], concerned: Outcome) -> int:
    sets = ", ".join(f"{name} = ?" for name in _COLUMNS)
    sql = f"UPDATE numbers SET {sets}, updated_at = ? WHERE order_id = ? AND pos = ? AND outcome = ?"  # noqa: S608 - constants
    filled = [(*row[1:], tx.now, order_id, row[0], concerned.value) for row in rows]
    return tx.connection.exec_driver_sql(sql, filled).rowcount


_TYPES: Final = ("int", "text", "text", "text", "text", "text", "bool", "int")


def _write_postgres(tx: Tx, order_id: int, rows: Sequence[tuple[Any, ...]], concerned: Outcome) -> int:
    """One statement for all rows: a third of the cost of one each."""
    sets = ", ".join(f"{name} = v.{name}" for name in _COLUMNS)
    arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES)
    sql = (
        f"UPDATE numbers SET {sets}, updated_at = %s FROM unnest({arrays}) AS v(pos, {', '.join(_COLUMNS)}) "  # noqa: S608 - constants
        "WHERE numbers.order_id = %s AND numbers.pos = v.pos AND numbers.outcome = %s"
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    return tx.connection.exec_driver_sql(sql, (tx.now, *columns, order_id, concerned.value)).rowcount


def open_places(tx: Tx, order_id: int, outcome: Outcome = Outcome.OPEN) -> dict[str, int]:
    """The numbers of an order that have this outcome: ten digits to position."""
    return {str(row.tn): row.pos for row in tx.run(_PLACES, {"order": order_id, "fate": outcome})}


_PLACES: Final = (
    sa.select(numbers.c.tn, numbers.c.pos)
    .where(numbers.c.order_id == sa.bindparam("order"), numbers.c.outcome == sa.bindparam("fate"))
    .order_by(numbers.c.pos)
)
