"""Word of the carrier that an order has moved: it is looked at now. The look tells what happened; the word does not."""

from math import inf

import sqlalchemy as sa

from tnimport.domain import notifying
from tnimport.domain.life import AT_CARRIER
from tnimport.ledger.claims.work import WAITING, Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.messaging import subscriptions
from tnimport.ledger.schema import orders, work
from tnimport.ledger.sql.deadlocks import retried_on_deadlock


@retried_on_deadlock
def wake(ledger: Ledger, account: str, *, carrier_order_id: str | None, reference: str | None) -> bool:
    """Have the order looked at at once, at most once a second; False where no order of ours is at the carrier so.

    A look that is under way may have been too early: it finds the time of the word, and is followed by another one.
    """
    named = [orders.c.carrier_order_id == carrier_order_id] if carrier_order_id else []
    named += [orders.c.reference == reference] if reference else []
    there = (orders.c.account == account, orders.c.state.in_(AT_CARRIER), sa.or_(sa.false(), *named))
    with ledger.write() as tx:
        row = tx.run(sa.select(orders.c.id, orders.c.woken_at).where(*there).with_for_update()).first()
        at = notifying.wake_at(row.woken_at, tx.now) if row is not None else None
        if row is not None and at is not None:
            tx.run(sa.update(orders).where(orders.c.id == row.id).values(woken_at=at))
            asleep = sa.select(work.c.id).where(work.c.order_id == row.id, work.c.state == WAITING, work.c.due_at > at)
            # Who has it locked is about to send or to drop it; a cancel locks work first and orders then.
            unlocked = asleep.with_for_update(skip_locked=True)
            # It is there: a look that does not see it yet is not the last one.
            tx.run(sa.update(work).where(work.c.id.in_(unlocked)).values(due_at=at, lost=False))
            tx.announce()
        subscriptions.told(tx, account, carrier_order_id)
        return row is not None


def sooner(tx: Tx, run: Run, looked_at: float, seconds: float) -> float:
    """The wait before the next look, if no word has come since the look began; else until the word is followed."""
    if looked_at == inf:
        return seconds
    woken = tx.run(sa.select(orders.c.woken_at).where(orders.c.id == run.order_id)).scalar()
    return seconds if woken is None or woken < looked_at else min(seconds, max(woken - tx.now, 0.0))
