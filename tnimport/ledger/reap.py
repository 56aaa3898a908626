"""Claims that ran out go back: those nobody started uncounted, those of a run that vanished with a strike.

After one strike the rest of a range goes out one number at a time, and is looked up before it is tried again, since the
run may have done it. After three, the number or order is parked as needing attention and everything else goes on.
"""

from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Outcome, Stage
from tnimport.ledger.closing import close_if_stopped, hold
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.events import note
from tnimport.ledger.outcomes import Failed, settle
from tnimport.ledger.schema import imports, numbers, work
from tnimport.ledger.work import RUNNING, SENT, WAITING

STRIKES: Final = 3
BATCH: Final = 100
NEEDS_ATTENTION: Final = "needs_attention"


def reap(ledger: Ledger) -> int:
    """Take back every claim whose time is over; returns how many there were."""
    with ledger.write() as tx:
        late = sa.select(work).where(work.c.state.in_((SENT, RUNNING)), work.c.until < tx.now).limit(BATCH)
        rows = tx.run(late.with_for_update(skip_locked=True)).all()
        for row in rows:
            _take_back(tx, row)
            if row.import_id is not None:
                close_if_stopped(tx, row.import_id)
        for import_id in _half_closed(tx):
            close_if_stopped(tx, import_id)
    return len(rows)


def _half_closed(tx: Tx) -> list[str]:
    """Imports that were stopped for good by a process that died before it had closed them."""
    stopped = sa.or_(imports.c.cancel_asked_at.is_not(None), imports.c.refused_code.is_not(None))
    left = sa.select(imports.c.id).where(stopped, imports.c.finished_at.is_(None), imports.c.sealed_at.is_not(None))
    return list(tx.run(left.order_by(imports.c.id)).scalars())


def _take_back(tx: Tx, row: sa.Row[Any]) -> None:
    free = {"state": WAITING, "token": None, "until": None, "due_at": tx.now, "tokens": 0}
    mine = sa.update(work).where(work.c.id == row.id)
    if row.state == SENT:
        tx.run(mine.values(**free))
        return
    strikes = row.strikes + 1
    if row.import_id is not None:
        note(tx, "claim_expired", row.import_id, order=row.order_id, task=row.task, strikes=strikes)
    if row.last > row.first:
        _split(tx, row, strikes)
    elif strikes < STRIKES:
        tx.run(mine.values(**free, strikes=strikes))
    else:
        tx.run(mine.values(**free, strikes=0))
        _park(tx, row)


def _park(tx: Tx, row: sa.Row[Any]) -> None:
    """A step that killed three runs waits for a person; resuming tries it again."""
    text = (
        f"The step {row.task} ended without a word {STRIKES} times; look at the worker's log, then resume the import."
    )
    if row.import_id is not None:
        hold(tx, row.import_id, NEEDS_ATTENTION, text)


def _split(tx: Tx, row: sa.Row[Any], strikes: int) -> None:
    """Every number that is still open becomes work of its own, and is looked up first."""
    here = (numbers.c.order_id == row.order_id, numbers.c.pos >= row.first, numbers.c.pos < row.last)
    places = tx.run(sa.select(numbers.c.pos).where(*here, numbers.c.outcome == Outcome.OPEN)).scalars().all()
    tx.run(sa.delete(work).where(work.c.id == row.id))
    if strikes >= STRIKES:
        stage = Stage.RELEASE if row.task == Task.RELEASE_NUMBERS else Stage.IMPORT
        text = f"The run that worked on this number ended without a word {STRIKES} times."
        settle(tx, row.order_id, [Failed(pos, stage, NEEDS_ATTENTION, text, STRIKES) for pos in places])
        return
    same = {name: getattr(row, name) for name in ("task", "account", "import_id", "order_id", "attempts")}
    single = {**same, "lane": Lane.LOOKUPS, "look": True, "lost": True, "strikes": strikes, "due_at": tx.now}
    if places:
        tx.run(sa.insert(work), [{**single, "first": pos, "last": pos + 1} for pos in places])
