"""The database's clock may be put back: what waits for a time would then wait that much longer.

The heartbeats remember how late it has been. One that lies in the future tells by how much the clock was put back, give
or take a beat, and every time that decides something is put back with it. Of what has begun, though, only a time that
is still to come: another one may have been written before the clock was put forward, and what began earlier than it did
is over too soon. A clock that is put forward needs nothing of the kind: claims and waits end early, and what depends on
an effect's own time is looked at twice (`tasks`).
"""

from typing import Final

import sqlalchemy as sa

from tnimport.domain.life import UNFINISHED_ORDERS
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import (
    applications,
    heartbeats,
    imports,
    lanes,
    messages,
    orders,
    subscriptions,
    upkeep,
    work,
)
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

PUT_BACK: Final = 2.0  # less is not worth a correction
# In the order in which all transactions take locks. What is not here is history: it decides nothing any more.
FOLLOWING: Final = (
    (work, ("due_at", "until"), sa.true()),
    (orders, ("sent_at", "accepted_at", "missing_since", "woken_at"), orders.c.state.in_(UNFINISHED_ORDERS)),
    (imports, ("cancel_asked_at", "verify_started_at"), imports.c.finished_at.is_(None)),
    (applications, ("sent_at", "looked_at"), sa.true()),
    (messages, ("sent_at",), messages.c.import_id.is_not(None)),
    (
        subscriptions,
        ("looked_at", "made_at", "expires_at", "told_at", "untold_at", "rest_until"),
        sa.true(),
    ),
    (lanes, ("filled_at", "paused_until", "share_at"), sa.true()),
    (upkeep, ("due_at", "until"), sa.true()),
)

BEGUN: Final = frozenset({"sent_at", "missing_since", "cancel_asked_at"})  # from here on something has its time


def put_back(tx: Tx) -> float:
    """By how many seconds the clock was put back and the ledger has not followed yet; mostly none."""
    latest = tx.run(sa.select(sa.func.max(heartbeats.c.seen_at))).scalar()
    ahead = 0.0 if latest is None else latest - tx.now
    return ahead if ahead > PUT_BACK else 0.0


@retried_on_deadlock
def follow(ledger: Ledger) -> float:
    """Put every time that decides something back with the clock; returns by how many seconds."""
    with ledger.write() as tx:
        # Two that see it at once take turns here, and the second one finds nothing ahead any more.
        tx.run(sa.select(heartbeats.c.id).order_by(heartbeats.c.id).with_for_update()).all()
        seconds = put_back(tx)
        if seconds:
            for table, names, where in FOLLOWING:
                back = {name: _followed(table.c[name], seconds, tx.now) for name in names}
                tx.run(sa.update(table).where(where).values(back))
            ahead = sa.update(heartbeats).where(heartbeats.c.seen_at > tx.now)
            tx.run(ahead.values(seen_at=heartbeats.c.seen_at - seconds))
            tx.announce()
    return seconds


def _followed(time: sa.Column[float], seconds: float, now: float) -> sa.ColumnElement[float]:
    if time.name not in BEGUN:
        return time - seconds
    return sa.case((time > now, time - seconds), else_=time)
