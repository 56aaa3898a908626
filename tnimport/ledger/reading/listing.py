"""The numbers of an import, and the life of one number over all imports; read page by page, by key."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from tnimport.domain.life import FINAL, NumberState, OrderState, Outcome, Stage, seen_as
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import events, imports, numbers, orders, refused_rows

STREAM_PAGE: Final = 2_000


class NumberView(NamedTuple):
    """A row of an import as callers see it; `number` is E.164, or the caller's own text where it is no number."""

    number: str
    line: int
    state: str
    stage: str | None = None
    code: str | None = None
    description: str | None = None
    attempts: int = 0
    number_id: str | None = None
    order_id: int | None = None
    carrier_order_id: str | None = None
    first_line: int | None = None
    updated_at: float | None = None


@dataclass(frozen=True)
class _Filter:
    import_id: str
    state: str | None
    code: str | None


def numbers_page(
    ledger: Ledger,
    import_id: str,
    *,
    state: str | None = None,
    code: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> tuple[list[NumberView], str | None]:
    """A page of numbers, then of rejected and duplicate rows; and the key of the next page."""
    with ledger.read() as tx:
        part, _, key = (after or "n:-1.-1").partition(":")
        wanted = _Filter(import_id, state, code)
        found: list[tuple[str, NumberView]] = []
        if part == "n":
            found = _numbers(tx, wanted, key, limit + 1)
            key = "-1"
        if len(found) <= limit:
            found += _refused(tx, wanted, key, limit + 1 - len(found))
    shown = [view for _, view in found[:limit]]
    return shown, found[limit - 1][0] if len(found) > limit else None


def stream_numbers(
    ledger: Ledger, import_id: str, *, state: str | None = None, code: str | None = None
) -> Iterator[NumberView]:
    """All of them, a page at a time, so that no transaction lasts longer than a page."""
    after: str | None = None
    while True:
        page, after = numbers_page(ledger, import_id, state=state, code=code, after=after, limit=STREAM_PAGE)
        yield from page
        if after is None:
            return


def _numbers(tx: Tx, wanted: _Filter, key: str, limit: int) -> list[tuple[str, NumberView]]:
    order_id, _, pos = key.partition(".")
    query = (
        sa.select(numbers, orders.c.state.label("order_state"), orders.c.carrier_order_id, *_ORDER_REASON)
        .select_from(numbers.join(orders, orders.c.id == numbers.c.order_id))
        .where(
            orders.c.import_id == wanted.import_id,
            # Order by order, so that a page reads its own rows: compared as pairs, all that follow would be sorted.
            orders.c.id >= int(order_id),
            sa.or_(orders.c.id > int(order_id), numbers.c.pos > int(pos)),
        )
        .order_by(orders.c.id, numbers.c.pos)
        .limit(limit)
    )
    if wanted.state is not None:
        query = query.where(_reads_as(wanted.state))
    if wanted.code is not None:
        query = query.where(sa.or_(numbers.c.code == wanted.code, sa.and_(_UNSETTLED, orders.c.code == wanted.code)))
    return [(f"n:{row.order_id}.{row.pos}", _number_view(row)) for row in tx.run(query)]


_ORDER_REASON: Final = (
    # When the order came into its state, which is when the numbers did that have no outcome of their own.
    sa.func.coalesce(orders.c.finished_at, orders.c.accepted_at, orders.c.sent_at).label("order_at"),
    orders.c.stage.label("order_stage"),
    orders.c.code.label("order_code"),
    orders.c.description.label("order_description"),
)
_BY_ORDER: Final = frozenset({Outcome.OPEN, Outcome.RELEASED})
_UNSETTLED: Final = numbers.c.outcome.in_(_BY_ORDER)


def _reads_as(state: str) -> sa.ColumnElement[bool]:
    """The rows that are seen in this state, by the same map as everywhere."""
    own = [numbers.c.outcome == outcome for outcome in Outcome if outcome.value == state]
    read = [
        sa.and_(numbers.c.outcome == outcome, orders.c.state == order)
        for outcome in (Outcome.OPEN, Outcome.RELEASED)
        for order in OrderState
        if _seen(outcome, order) == state
    ]
    settled = [clause for clause in own if state not in {Outcome.OPEN, Outcome.RELEASED}]
    return sa.or_(sa.false(), *settled, *read)


def _seen(outcome: Outcome, order: OrderState) -> NumberState | None:
    try:
        return seen_as(outcome, order)
    except KeyError:
        return None  # a mix that cannot occur, such as an open number of an order that is done


@cache
def _state_of(outcome: str, order_state: str) -> NumberState:
    return seen_as(Outcome(outcome), OrderState(order_state))


def _number_view(row: sa.Row[Any]) -> NumberView:
    state = _state_of(row.outcome, row.order_state)
    unsettled = row.outcome in _BY_ORDER
    inherited = unsettled and state is NumberState.FAILED
    return NumberView(
        number=f"+1{row.tn}",
        line=row.line,
        state=state,
        stage=row.order_stage or Stage.ORDER if inherited else row.stage,
        code=row.order_code if inherited else row.code,
        description=row.order_description if inherited else row.description,
        attempts=row.attempts,
        number_id=row.number_id,
        order_id=row.order_id,
        carrier_order_id=row.carrier_order_id,
        updated_at=max(row.updated_at or 0, row.order_at or 0) or None if unsettled else row.updated_at,
    )


def _refused(tx: Tx, wanted: _Filter, key: str, limit: int) -> list[tuple[str, NumberView]]:
    query = sa.select(refused_rows).where(refused_rows.c.import_id == wanted.import_id, refused_rows.c.line > int(key))
    if wanted.state is not None:
        query = query.where(refused_rows.c.kind == wanted.state)
    if wanted.code is not None:
        query = query.where(refused_rows.c.code == wanted.code)
    found = tx.run(query.order_by(refused_rows.c.line).limit(limit))
    return [(f"r:{row.line}", _refused_view(row)) for row in found]


def _refused_view(row: sa.Row[Any]) -> NumberView:
    return NumberView(
        number=row.text or "",
        line=row.line,
        state=row.kind,
        code=row.code,
        description=row.description,
        first_line=row.first_line,
    )


def number_history(ledger: Ledger, ten_digits: str, *, accounts: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Every import that named the number, newest first: what became of it, and the events of its order and its own."""
    query = (
        sa.select(
            numbers,
            orders.c.state.label("order_state"),
            orders.c.carrier_order_id,
            orders.c.import_id,
            imports.c.created_at,
            *_ORDER_REASON,
        )
        .select_from(numbers.join(orders, orders.c.id == numbers.c.order_id).join(imports))
        .where(numbers.c.tn == int(ten_digits), imports.c.sealed_at.is_not(None))
        .order_by(imports.c.created_at.desc())
    )
    if accounts is not None:
        query = query.where(imports.c.account.in_(accounts))
    with ledger.read() as tx:
        return [_passage(tx, row) for row in tx.run(query).all()]


def _passage(tx: Tx, row: sa.Row[Any]) -> dict[str, Any]:
    view = _number_view(row)
    return {"import_id": row.import_id, "number": view, "events": with_own_end(_events(tx, row), view)}


def with_own_end(happened: list[dict[str, Any]], view: NumberView) -> list[dict[str, Any]]:
    """What happened, in order, with the number's own end, which stands in its row and is no event of the ledger."""
    if view.state not in FINAL or view.updated_at is None:
        return happened
    facts = {name: getattr(view, name) for name in _TOLD if getattr(view, name) is not None}
    unproven = view.state is NumberState.IMPORTED and view.stage == Stage.VERIFY
    end = {"at": view.updated_at, "kind": "number_unproven" if unproven else f"number_{view.state}", **facts}
    place = next((at for at, event in enumerate(happened) if _follows(event, view.updated_at)), len(happened))
    return [*happened[:place], end, *happened[place:]]


def _follows(event: Mapping[str, Any], end: float) -> bool:
    """Whether an event came after the number's end, or was brought about by it in the same moment."""
    return bool(event["at"] > end or (event["at"] == end and event["kind"] in _BROUGHT_ABOUT))


_TOLD: Final = ("stage", "code", "description", "number_id")
_BROUGHT_ABOUT: Final = frozenset({"order_done", "order_planned", "import_finished"})


def _events(tx: Tx, row: sa.Row[Any]) -> list[dict[str, Any]]:
    concerning = sa.or_(events.c.order_id.is_(None), events.c.order_id == row.order_id)
    mine = sa.or_(events.c.pos.is_(None), events.c.pos == row.pos)
    query = sa.select(events.c.at, events.c.kind, events.c.data).where(events.c.import_id == row.import_id)
    found = tx.run(query.where(concerning, mine).order_by(events.c.id))
    return [{"at": event.at, "kind": event.kind, **event.data} for event in found]
