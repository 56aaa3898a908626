"""What the service does for itself now and then: due in the ledger, claimed by one dispatcher, run by one worker.

There is no beat: whichever dispatcher looks first after the time has come takes the occasion, under a serial number
that the message carries. A doubled or late message finds its number taken and does nothing.
"""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import upkeep
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

PRUNE: Final = "prune"


class OccasionLost(Exception):
    """The time of this run is over, and the occasion may be somebody else's."""


@dataclass(frozen=True)
class Occasion:
    """One run of one kind of upkeep."""

    name: str
    serial: int


@retried_on_deadlock
def claim(ledger: Ledger, name: str, every: float) -> Occasion | None:
    """Take the occasion if it is due, and plan the next one so many seconds from now; None when it is not due."""
    mine = upkeep.c.name == name
    with ledger.read() as tx:
        due_at = tx.run(sa.select(upkeep.c.due_at).where(mine)).scalar()
        if due_at is not None and due_at > tx.now:
            return None  # looking costs no write
    with ledger.write() as tx:
        tx.run(tx.insert(upkeep).values(name=name, due_at=tx.now + every).on_conflict_do_nothing())
        due = sa.update(upkeep).where(mine, upkeep.c.due_at <= tx.now)
        next_ = due.values(serial=upkeep.c.serial + 1, due_at=tx.now + every)
        serial = tx.run(next_.returning(upkeep.c.serial)).scalar()
    return Occasion(name, serial) if serial is not None else None


@retried_on_deadlock
def again(ledger: Ledger, occasion: Occasion) -> None:
    """It is due at once: its message could not be sent, or its run left something to do."""
    with ledger.write() as tx:
        mine = sa.update(upkeep).where(upkeep.c.name == occasion.name, upkeep.c.serial == occasion.serial)
        tx.run(mine.values(due_at=tx.now))


@retried_on_deadlock
def take(ledger: Ledger, occasion: Occasion, seconds: float) -> bool:
    """Make the occasion ours for so many seconds; False when it was taken before, or another run is still at it."""
    with ledger.write() as tx:
        free = sa.or_(upkeep.c.until.is_(None), upkeep.c.until < tx.now)
        mine = (upkeep.c.name == occasion.name, upkeep.c.serial == occasion.serial)
        swap = sa.update(upkeep).where(*mine, upkeep.c.taken < occasion.serial, free)
        return tx.changed(swap.values(taken=occasion.serial, until=tx.now + seconds)) == 1


def fence(tx: Tx, occasion: Occasion) -> None:
    """Hold the occasion for this transaction.

    Raises:
        OccasionLost: it is no longer ours; the transaction must write nothing.
    """
    ours = (upkeep.c.name == occasion.name, upkeep.c.taken == occasion.serial, upkeep.c.until > tx.now)
    if tx.changed(sa.update(upkeep).where(*ours).values(taken=occasion.serial)) != 1:
        raise OccasionLost


@retried_on_deadlock
def done(ledger: Ledger, occasion: Occasion) -> None:
    """The run is over."""
    with ledger.write() as tx:
        mine = sa.update(upkeep).where(upkeep.c.name == occasion.name, upkeep.c.taken == occasion.serial)
        tx.run(mine.values(until=None))
