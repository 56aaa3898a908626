"""Forgets what is over for long enough, a small batch a transaction, so that nobody waits for it.

An import that goes is first hidden, as a whole; then its rows go, and itself last. A run that dies leaves hidden rows,
which the next one takes away.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.messages import FINAL
from tnimport.domain.webhooks import RECEIVER, DeliveryState
from tnimport.ledger.claims import lanes
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.housekeeping.upkeep import Occasion, fence
from tnimport.ledger.schema import (
    deliveries,
    events,
    heartbeats,
    imports,
    inbound,
    messages,
    numbers,
    orders,
    proofs,
    refusals,
    refused_rows,
    rings,
    work,
)
from tnimport.ledger.schema import lanes as lanes_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

BATCH: Final = 2_000
ABANDONED_SECONDS: Final = 86_400.0  # a staging that nobody has added to for so long
SILENT_SECONDS: Final = 3_600.0  # a process that has not shown itself for so long
Step = Callable[[Tx], Counter[str]]


def steps(ledger: Ledger, occasion: Occasion, retention: float) -> Iterator[Counter[str]]:
    """Do one batch at each `next`, and tell what went; ends when nothing is left to go.

    Args:
        ledger: the ledger.
        occasion: the run; every batch is fenced by it.
        retention: seconds for which finished imports, refusals and messages are kept; 0 = for ever.

    Raises:
        OccasionLost: the time of the run is over.
    """

    @retried_on_deadlock
    def batch(step: Step) -> Counter[str]:
        with ledger.write() as tx:
            fence(tx, occasion)
            return step(tx)

    yield batch(_silent_processes)
    yield from _repeated(batch, lambda tx: _refusals(tx, retention))
    yield from _repeated(batch, lambda tx: _inbound(tx, retention))
    yield from _repeated(batch, lambda tx: _receivers(tx, retention))
    yield from _repeated(batch, lambda tx: _messages(tx, retention))
    while hidden := _next(ledger, batch, retention):
        yield from _import(ledger, batch, hidden)


def _repeated(batch: Callable[[Step], Counter[str]], step: Step) -> Iterator[Counter[str]]:
    while gone := batch(step):
        yield gone


def _silent_processes(tx: Tx) -> Counter[str]:
    silent = sa.delete(heartbeats).where(heartbeats.c.seen_at < tx.now - SILENT_SECONDS)
    return _counted("processes", tx.changed(silent))


def _refusals(tx: Tx, retention: float) -> Counter[str]:
    if not retention:
        return Counter()
    old = sa.select(refusals.c.key).where(refusals.c.at < tx.now - retention).limit(BATCH)
    return _counted("refusals", tx.changed(sa.delete(refusals).where(refusals.c.key.in_(old))))


def _inbound(tx: Tx, retention: float) -> Counter[str]:
    """What came in long ago, but for what somebody is still to be told of."""
    if not retention:
        return Counter()
    owed = sa.exists().where(deliveries.c.inbound_id == inbound.c.id, deliveries.c.state == DeliveryState.WAITING)
    old = sa.select(inbound.c.id).where(inbound.c.received_at < tx.now - retention, ~owed).limit(BATCH)
    gone = tx.run(old).scalars().all()
    tx.run(sa.delete(deliveries).where(deliveries.c.inbound_id.in_(gone)))
    return _counted("inbound", tx.changed(sa.delete(inbound).where(inbound.c.id.in_(gone))))


def _messages(tx: Tx, retention: float) -> Counter[str]:
    """Messages that callers sent long ago; those of an import go with it."""
    if not retention:
        return Counter()
    over = (messages.c.state.in_(FINAL), messages.c.updated_at < tx.now - retention)
    mine = sa.select(messages.c.id).where(messages.c.import_id.is_(None), messages.c.created_at < tx.now - retention)
    old = mine.where(*over).limit(BATCH)
    return _counted("messages", tx.changed(sa.delete(messages).where(messages.c.id.in_(old))))


def _receivers(tx: Tx, retention: float) -> Counter[str]:
    """What is remembered of receivers that have had no trouble for long; one that is still told is got to know anew."""
    if not retention:
        return Counter()
    theirs = (lanes_table.c.name.startswith(RECEIVER), lanes_table.c.filled_at < tx.now - retention)
    idle = sa.select(lanes_table.c.name).where(*theirs, lanes_table.c.paused_until < tx.now).limit(BATCH)
    gone = sa.delete(lanes_table).where(*theirs, lanes_table.c.name.in_(idle))
    return _counted("receivers", tx.changed(gone))


def _next(ledger: Ledger, batch: Callable[[Step], Counter[str]], retention: float) -> str | None:
    """An import that is hidden already, else one that is hidden now; None when there is no more to go."""
    hidden = sa.select(imports.c.id).where(imports.c.sealed_at.is_(None), imports.c.finished_at.is_not(None))

    def hide(tx: Tx) -> Counter[str]:
        # Its key is free from now on: the same request is a new import.
        gone = {"sealed_at": None, "finished_at": tx.now, "key": None, "client_ref": None}
        mine = sa.update(imports).values(**gone)
        return _counted("hidden", any(tx.changed(mine.where(imports.c.id.in_(old))) for old in _over(tx, retention)))

    with ledger.read() as tx:
        left = tx.run(hidden.order_by(imports.c.id).limit(1)).scalar()
    if left is not None:
        return str(left)
    return _next(ledger, batch, retention) if batch(hide) else None


def _over(tx: Tx, retention: float) -> Iterator[sa.Select[Any]]:
    """An import that goes: one that nobody goes on with, then the one that finished first. Each has an index."""
    staging = (imports.c.sealed_at.is_(None), imports.c.finished_at.is_(None))
    one = sa.select(imports.c.id).limit(1)
    yield one.where(*staging, imports.c.staged_at < tx.now - ABANDONED_SECONDS).order_by(imports.c.id)
    if retention:
        owed = sa.exists().where(deliveries.c.import_id == imports.c.id, deliveries.c.state == DeliveryState.WAITING)
        finished = one.where(imports.c.sealed_at.is_not(None), imports.c.finished_at < tx.now - retention, ~owed)
        yield finished.order_by(imports.c.finished_at)


def _import(ledger: Ledger, batch: Callable[[Step], Counter[str]], import_id: str) -> Iterator[Counter[str]]:
    def numbers_of(order_id: int) -> Step:
        # By order, of at most 5,000: a LIMIT would look again and again at what is gone already.
        return lambda tx: _counted("numbers", tx.changed(sa.delete(numbers).where(numbers.c.order_id == order_id)))

    def some_events(tx: Tx) -> Counter[str]:
        keys = sa.select(events.c.id).where(events.c.import_id == import_id).limit(BATCH)
        return _counted("events", tx.changed(sa.delete(events).where(events.c.id.in_(keys))))

    def some_rows(tx: Tx) -> Counter[str]:
        lines = sa.select(refused_rows.c.line).where(refused_rows.c.import_id == import_id).limit(BATCH)
        mine = (refused_rows.c.import_id == import_id, refused_rows.c.line.in_(lines))
        return _counted("refused_rows", tx.changed(sa.delete(refused_rows).where(*mine)))

    def some_proofs(tx: Tx) -> Counter[str]:
        places = sa.select(proofs.c.place).where(proofs.c.import_id == import_id).limit(BATCH)
        mine = (proofs.c.import_id == import_id, proofs.c.place.in_(places))
        return _counted("proofs", tx.changed(sa.delete(proofs).where(*mine)))

    def some_messages(tx: Tx) -> Counter[str]:
        keys = sa.select(messages.c.id).where(messages.c.import_id == import_id).limit(BATCH)
        return _counted("messages", tx.changed(sa.delete(messages).where(messages.c.id.in_(keys))))

    def told(tx: Tx) -> Counter[str]:
        mine = sa.select(deliveries.c.id).where(deliveries.c.import_id == import_id)
        tx.run(sa.delete(work).where(work.c.delivery_id.in_(mine)))
        return _counted("deliveries", tx.changed(sa.delete(deliveries).where(deliveries.c.import_id == import_id)))

    def itself(tx: Tx) -> Counter[str]:
        tx.run(sa.delete(work).where(work.c.import_id == import_id))
        tx.run(sa.delete(rings).where(rings.c.import_id == import_id))
        tx.run(sa.delete(lanes_table).where(lanes_table.c.name == lanes.own(import_id)))
        gone = _counted("orders", tx.changed(sa.delete(orders).where(orders.c.import_id == import_id)))
        return gone + _counted("imports", tx.changed(sa.delete(imports).where(imports.c.id == import_id)))

    with ledger.read() as tx:
        theirs = tx.run(sa.select(orders.c.id).where(orders.c.import_id == import_id)).scalars().all()
    for order_id in theirs:
        yield batch(numbers_of(order_id))
    for step in (some_events, some_rows, some_proofs, some_messages):
        yield from _repeated(batch, step)
    yield batch(told)
    yield batch(itself)


def _counted(what: str, count: int) -> Counter[str]:
    return Counter({what: count} if count else {})
