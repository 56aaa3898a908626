"""What people ask of deliveries: to see them, and to have one sent again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import DeliveryState, Target, receiver_of, receiver_of_queue, shown
from tnimport.ledger.deliveries import plan
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import deliveries, work
from tnimport.ledger.work import WAITING


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """A delivery as callers see it: its address without the query. Times are seconds since the epoch."""

    id: str
    account: str
    type: str
    target: str
    address: str
    import_id: str | None
    inbound_id: int | None
    state: DeliveryState
    code: str | None
    description: str | None
    status: int | None
    attempts: int
    created_at: float
    updated_at: float
    next_attempt_at: float | None


_STORED: Final = tuple(name for name in DeliveryView.__dataclass_fields__ if name != "next_attempt_at")


def view(ledger: Ledger, delivery_id: str) -> DeliveryView | None:
    """One delivery; None when there is none."""
    with ledger.read() as tx:
        found = _views(tx, sa.select(*_columns()).where(deliveries.c.id == delivery_id))
    return found[0] if found else None


def page(
    ledger: Ledger,
    *,
    state: DeliveryState | None = None,
    import_id: str | None = None,
    accounts: Collection[str] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[DeliveryView], str | None]:
    """Deliveries from the newest to the oldest, and the key of the next page.

    `accounts` are those whose deliveries are meant, None = all.
    """
    query = sa.select(*_columns())
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if import_id is not None:
        query = query.where(deliveries.c.import_id == import_id)
    if accounts is not None:
        query = query.where(deliveries.c.account.in_(accounts))
    if after is not None:
        at, _, known = after.partition(":")
        query = query.where(sa.tuple_(deliveries.c.created_at, deliveries.c.id) < (float(at), known))
    newest = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit + 1)
    with ledger.read() as tx:
        found = _views(tx, newest)
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], None if last is None else f"{last.created_at!r}:{last.id}"


def _columns() -> list[sa.Column[Any]]:
    return [deliveries.c[name] for name in _STORED]


def _views(tx: Tx, query: sa.Select[Any]) -> list[DeliveryView]:
    rows = [dict(row._mapping) for row in tx.run(query)]  # noqa: SLF001 - the documented way to a row's mapping
    ids = [row["id"] for row in rows if row["state"] == DeliveryState.WAITING]
    waiting = tx.run(sa.select(work.c.delivery_id, work.c.due_at).where(*_of(ids))) if ids else ()
    due: dict[str, float] = {one.delivery_id: one.due_at for one in waiting}
    return [
        DeliveryView(
            **row | {"state": DeliveryState(row["state"]), "address": shown(row["address"])},
            next_attempt_at=due.get(row["id"]),
        )
        for row in rows
    ]


def _of(ids: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return work.c.lane == Lane.WEBHOOKS, work.c.delivery_id.in_(ids)


def replay(ledger: Ledger, delivery_id: str, account: Account | None) -> None:
    """Have a delivery sent now, under its own id, with all attempts before it; one that waits, waits no longer.

    `account` is whose it is, as it is set now: what came in goes to where its settings say.
    """
    with ledger.write() as tx:
        # Work before the delivery, as whoever has a claim on it locks them.
        mine = (*_of([delivery_id]), work.c.state == WAITING)
        if tx.changed(sa.update(work).where(*mine).values(due_at=tx.now, attempts=0)):
            tx.announce()
            return
        over = (deliveries.c.id == delivery_id, deliveries.c.state != DeliveryState.WAITING)
        anew = sa.update(deliveries).where(*over).values(state=DeliveryState.WAITING, updated_at=tx.now)
        row = tx.run(anew.returning(*_columns())).first()
        if row is None:
            return  # it is being attempted at this moment, or there is none
        address, receiver = _goes_to(row, account)
        tx.run(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(address=address))
        plan(tx, delivery_id, row.account, receiver)


def _goes_to(row: sa.Row[Any], account: Account | None) -> tuple[str, str]:
    """Where a delivery goes, as it is shown, and to whom."""
    if row.import_id is None and account is not None:
        if row.target == Target.TASK and account.inbound_task and account.inbound_queue:
            return account.inbound_task, receiver_of_queue(account.inbound_queue)
        if row.target == Target.URL and account.inbound_url:
            return shown(account.inbound_url), receiver_of(account.inbound_url)
    return row.address, receiver_of_queue(row.address) if row.target == Target.TASK else receiver_of(row.address)
