"""What the ledger tells about imports: cheap at any size, because progress is counters and pages go by key."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.accounts import Paces
from tnimport.domain.life import ImportFacts, ImportState, NumberState, import_state
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.reading.estimating import eta
from tnimport.ledger.reading.progress import progress_of
from tnimport.ledger.reading.waiting import waiting_on
from tnimport.ledger.schema import events, imports, orders, refusals
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.paging import cut, newest
from tnimport.ledger.sql.records import values_of

ROW_KINDS: Final = ("rejected", "duplicate", "blank")
UNKNOWN: Final[Mapping[str, Paces]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """An import as callers see it. Times are seconds since the epoch."""

    id: str
    state: ImportState
    action: str
    account: str
    customer_order_id: str | None
    client_ref: str | None
    verify: str
    counts: dict[str, int]
    waiting_on: dict[str, Any] | None
    held: dict[str, str] | None
    eta: float | None
    created_at: float
    updated_at: float
    finished_at: float | None
    orders: list[dict[str, Any]]


def import_view(ledger: Ledger, import_id: str, paces: Mapping[str, Paces] = UNKNOWN) -> ImportView | None:
    """One import; None when there is none, or when it is not sealed yet. `paces` by account tell what a pace delays."""
    with ledger.read() as tx:
        row = tx.run(sa.select(imports).where(imports.c.id == import_id, imports.c.sealed_at.is_not(None))).first()
        return next(_views(tx, [row], paces, whole=True)) if row is not None else None


def imports_page(
    ledger: Ledger,
    *,
    client_ref: str | None = None,
    accounts: Collection[str] | None = None,
    after: str | None = None,
    limit: int = 50,
    paces: Mapping[str, Paces] = UNKNOWN,
) -> tuple[list[ImportView], str | None]:
    """Imports from the newest to the oldest, and the key of the next page; the one of a reference with its orders.

    `accounts` are those whose imports are meant, None = all.
    """
    query = sa.select(imports).where(imports.c.sealed_at.is_not(None))
    if client_ref is not None:
        query = query.where(imports.c.client_ref == client_ref)
    with ledger.read() as tx:
        rows = tx.run(newest(query, imports, accounts=accounts, after=after, limit=limit)).all()
        found, key = cut(rows, limit)
        return list(_views(tx, found, paces, whole=client_ref is not None)), key


def version(ledger: Ledger, import_id: str) -> str | None:
    """A text that changes whenever the import does."""
    fields = (imports.c.updated_at, imports.c.finished_at, imports.c.held_at, imports.c.paused_at)
    with ledger.read() as tx:
        row = tx.run(sa.select(*fields).where(imports.c.id == import_id, imports.c.sealed_at.is_not(None))).first()
        if row is None:
            return None
        newest = sa.select(sa.func.max(events.c.id)).where(events.c.import_id == import_id)
        return "-".join(str(value) for value in (*row, tx.run(newest).scalar()))


def refusal(ledger: Ledger, key: str, *, since: float = 0) -> list[dict[str, Any]] | None:
    """Why the latest request with this key that was refused since then was refused; None when none was."""
    query = sa.select(refusals.c.problems).where(refusals.c.key == key, refusals.c.at >= since)
    with ledger.read() as tx:
        problems = tx.run(query).scalar_one_or_none()
    return None if problems is None else list(problems)


@retried_on_deadlock
def remember_refusal(ledger: Ledger, key: str, problems: list[dict[str, Any]]) -> None:
    """Keep the reasons for a caller who gets no answer; the latest counts."""
    with ledger.write() as tx:
        values = {"at": tx.now, "problems": problems}
        insert = tx.insert(refusals).values(key=key, **values)
        tx.run(insert.on_conflict_do_update(index_elements=["key"], set_=values))


@retried_on_deadlock
def writable(ledger: Ledger) -> None:
    """Returns when the ledger can be written; raises whatever the database raises when it cannot."""
    with ledger.write() as tx:
        tx.run(sa.update(imports).where(sa.false()).values(rows=0))


def events_of(ledger: Ledger, import_id: str) -> Iterator[dict[str, Any]]:
    """The history of an import from its beginning."""
    with ledger.read() as tx:
        for row in tx.run(sa.select(events).where(events.c.import_id == import_id).order_by(events.c.id)):
            yield values_of(row)


def summary(row: sa.Row[Any]) -> dict[str, Any]:
    """An import in short, out of its row alone: what it is, where it stands and its counts."""
    counts = {state.value: getattr(row, state.value) for state in NumberState}
    waits = row.held_at is not None and row.finished_at is None  # what was in flight when it was held may have ended it
    return {
        "id": row.id,
        "state": import_state(facts_of(row)),
        "action": row.action,
        "account": row.account,
        "customer_order_id": row.customer_order_id,
        "client_ref": row.client_ref,
        "verify": row.verify,
        "counts": counts | {kind: getattr(row, kind) for kind in (*ROW_KINDS, "rows")},
        "held": {"code": row.held_code, "instruction": row.held_text} if waits else None,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def _views(tx: Tx, rows: Sequence[sa.Row[Any]], paces: Mapping[str, Paces], *, whole: bool) -> Iterator[ImportView]:
    known = progress_of(tx, rows)
    for row in rows:
        yield ImportView(
            **summary(row),
            waiting_on=waiting_on(known, row, paces.get(row.account)),
            eta=eta(known, row, paces.get(row.account)),
            updated_at=row.updated_at,
            orders=_orders(tx, row.id) if whole else [],
        )


def facts_of(row: sa.Row[Any]) -> ImportFacts:
    """The facts that decide the state of an import."""
    return ImportFacts(
        counts={state: getattr(row, state.value) for state in NumberState},
        rejected=row.rejected,
        started=row.started_at is not None,
        paused=row.paused_at is not None,
        held=row.held_at is not None,
        cancel_asked=row.cancel_asked_at is not None,
        verifying=row.verify_started_at is not None and row.verify_ended_at is None,
    )


_ORDER_FIELDS: Final = (
    "id",
    "kind",
    "state",
    "reference",
    "carrier_order_id",
    "carrier_status",
    "size",
    "open",
    "polls",
    "attempts",
    "sent_at",
    "accepted_at",
    "finished_at",
    "code",
    "description",
)


def _orders(tx: Tx, import_id: str) -> list[dict[str, Any]]:
    fields = [orders.c[name] for name in _ORDER_FIELDS]
    found = tx.run(sa.select(*fields).where(orders.c.import_id == import_id).order_by(orders.c.seq))
    return [values_of(row) for row in found]
