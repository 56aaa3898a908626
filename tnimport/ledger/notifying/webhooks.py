"""What people ask of deliveries: to see them, and to have one sent again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import NOBODY, DeliveryState, Target, receiver_of, receiver_of_queue, shown
from tnimport.ledger.claims.work import WAITING
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.notifying.deliveries import plan
from tnimport.ledger.schema import deliveries, work
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.paging import cut, newest
from tnimport.ledger.sql.records import record_of


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
        found = _views(tx, tx.run(sa.select(*_columns()).where(deliveries.c.id == delivery_id)).all())
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
    with ledger.read() as tx:
        rows = tx.run(newest(query, deliveries, accounts=accounts, after=after, limit=limit)).all()
        found, key = cut(rows, limit)
        return _views(tx, found), key


def _columns() -> list[sa.Column[Any]]:
    return [deliveries.c[name] for name in _STORED]


def _views(tx: Tx, rows: Sequence[sa.Row[Any]]) -> list[DeliveryView]:
    ids = [row.id for row in rows if row.state == DeliveryState.WAITING]
    waiting = tx.run(sa.select(work.c.delivery_id, work.c.due_at).where(*_of(ids))) if ids else ()
    due: dict[str, float] = {one.delivery_id: one.due_at for one in waiting}
    return [
        record_of(
            DeliveryView,
            row,
            state=DeliveryState(row.state),
            address=shown(row.address),
            next_attempt_at=due.get(row.id),
        )
        for row in rows
    ]


def _of(ids: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return work.c.lane == Lane.WEBHOOKS, work.c.delivery_id.in_(ids)


@retried_on_deadlock
def replay(ledger: Ledger, delivery_id: str, account: Account | None) -> None:
    """Have a delivery sent now, under its own id, with all attempts before it; one that waits, waits no longer.

    `account` is whose it is, as it is set now: what came in goes to where its settings say, and fails where they say
    nothing.
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
        this = sa.update(deliveries).where(deliveries.c.id == delivery_id)
        goes_to = _goes_to(row, account)
        if goes_to is None:
            code, description = NOBODY
            tx.run(this.values(state=DeliveryState.FAILED, code=code, description=description, status=None))
            return
        address, receiver = goes_to
        tx.run(this.values(address=address))
        plan(tx, [(delivery_id, row.account, receiver)])


def _goes_to(row: sa.Row[Any], account: Account | None) -> tuple[str, str] | None:
    """Where a delivery goes, as it is shown, and to whom; None where the settings name nobody."""
    if row.import_id is not None:  # whoever submitted it gave the address
        return row.address, receiver_of(row.address)
    if account is None:
        return None
    if row.target == Target.TASK:
        task, queue = account.inbound_task, account.inbound_queue
        return (task, receiver_of_queue(queue)) if task and queue else None
    return (shown(account.inbound_url), receiver_of(account.inbound_url)) if account.inbound_url else None
