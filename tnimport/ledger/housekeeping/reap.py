"""Claims that ran out go back: those nobody started uncounted, those of a run that vanished with a strike.

After one strike the rest of a range goes out one number at a time, and is looked up before it is tried again, since the
run may have done it. After three, the number or order is parked as needing attention and everything else goes on.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Outcome, Stage
from tnimport.ledger.claims import lanes
from tnimport.ledger.claims.work import RUNNING, SENT, WAITING
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.housekeeping import clock
from tnimport.ledger.imports.closing import close_if_stopped, hold, wishing
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.outcomes import Failed, settle
from tnimport.ledger.messaging import sending
from tnimport.ledger.messaging.sending import Why
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.reading import tallies
from tnimport.ledger.schema import imports, numbers, work
from tnimport.ledger.sql import sessions
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

STRIKES: Final = 3
BATCH: Final = 100
NEEDS_ATTENTION: Final = "needs_attention"
_KNOWN: Final = frozenset(task.value for task in Task)


def reap(ledger: Ledger) -> int:
    """Take back every claim whose time is over; returns how many there were. Each in a transaction of its own.

    One that cannot be taken back keeps no other one: it is passed over where its rows are locked for longer than the
    ledger waits, and raised at the end where it fails for another reason than a ledger that is away.
    """
    with ledger.read() as tx:
        seconds = clock.put_back(tx)
        fields = (work.c.id, work.c.state, work.c.import_id)
        late = tx.run(sa.select(*fields).where(*_late(tx)).order_by(work.c.until).limit(BATCH)).all()
        stopped = _half_closed(tx)
    if seconds:
        clock.follow(ledger)
    if any(row.state == SENT for row in late):
        _free_sent(ledger)
    each = _Each()
    for row in late:
        if row.state == RUNNING:
            each.do(row.import_id, partial(_end_vanished, ledger, row.id))
    for import_id in stopped:
        each.do(import_id, partial(_close, ledger, import_id))
    each.end()
    return len(late)


class _Each:
    """Does one thing after the other, whatever becomes of one of them."""

    def __init__(self) -> None:
        self._blocked: set[str] = set()
        self._failed: list[Exception] = []

    def do(self, import_id: str | None, act: Callable[[], None]) -> None:
        """Do a thing, unless its import was found locked already: the wait for it would be the same."""
        if import_id in self._blocked:
            return
        try:
            act()
        except OperationalError as error:
            if not sessions.is_blocked(error):
                raise
            self._blocked |= {import_id} if import_id else set()
        except Exception as error:  # noqa: BLE001 - kept, and raised when all others are done
            self._failed.append(error)

    def end(self) -> None:
        """Raise what has failed first."""
        if self._failed:
            raise self._failed[0]


def _late(tx: Tx) -> tuple[sa.ColumnElement[bool], ...]:
    # What a vanished run of a newer version means, only a newer dispatcher knows; a message nobody took means nothing.
    ours = sa.or_(work.c.state == SENT, work.c.task.in_(_KNOWN))
    return work.c.state.in_((SENT, RUNNING)), work.c.until < tx.now, ours


@retried_on_deadlock
def _free_sent(ledger: Ledger) -> None:
    """Nobody took the message: the work waits again, uncounted, and its tokens come back."""
    spent = (work.c.account, work.c.lane, work.c.import_id, work.c.tokens)
    with ledger.write() as tx:
        late = sa.select(work.c.id, *spent).where(work.c.state == SENT, work.c.until < tx.now)
        unlocked = tx.run(late.with_for_update(skip_locked=True)).all()
        tx.run(sa.update(work).where(work.c.id.in_([row.id for row in unlocked])).values(**_free(tx)))
        lanes.return_unspent(tx, [(row.account, row.lane, row.import_id, row.tokens) for row in unlocked])
        tx.announce()


def _free(tx: Tx) -> dict[str, Any]:
    return {"state": WAITING, "token": None, "until": None, "due_at": tx.now, "tokens": 0}


@retried_on_deadlock
def _end_vanished(ledger: Ledger, work_id: int) -> None:
    """The run is gone, or so late that it may write nothing more."""
    with ledger.write() as tx:
        late = sa.select(work).where(work.c.id == work_id, work.c.state == RUNNING, work.c.until < tx.now)
        row = tx.run(late.with_for_update(skip_locked=True)).first()
        if row is None:
            return  # it has just ended, or another process is at it
        _strike(tx, row)
        if row.import_id is not None:
            close_if_stopped(tx, row.import_id)
        tallies.add(tx, tallies.CLAIMS_EXPIRED, {row.account: 1})
        tx.announce()


@retried_on_deadlock
def _close(ledger: Ledger, import_id: str) -> None:
    with ledger.write() as tx:
        close_if_stopped(tx, import_id)


def _half_closed(tx: Tx) -> list[str]:
    """Imports that were stopped for good, by a process that died before it had closed them or met a run in flight."""
    stopped = sa.or_(imports.c.cancel_asked_at.is_not(None), imports.c.refused_code.is_not(None))
    left = sa.select(imports.c.id).where(stopped, imports.c.finished_at.is_(None), imports.c.sealed_at.is_not(None))
    return list(tx.run(left).scalars())


def _strike(tx: Tx, row: sa.Row[Any]) -> None:
    strikes = row.strikes + 1
    if row.import_id is not None:
        note(tx, "claim_expired", row.import_id, order=row.order_id, task=row.task, strikes=strikes)
    if row.task in {Task.IMPORT_NUMBERS, Task.RELEASE_NUMBERS}:
        _split(tx, row, strikes)
        return
    parked = strikes >= STRIKES
    tx.run(sa.update(work).where(work.c.id == row.id).values(**_free(tx), strikes=0 if parked else strikes))
    if parked and row.delivery_id is not None:
        text = (
            f"The run that delivered it ended without a word {STRIKES} times; look at the worker's log, then replay it."
        )
        deliveries.park(tx, row.id, row.delivery_id, NEEDS_ATTENTION, text)
    elif parked and row.message_id is not None and row.import_id is None:
        text = f"The run that was to send it ended without a word {STRIKES} times; it was not sent."
        sending.park(tx, row.id, row.message_id, Why(NEEDS_ATTENTION, text))
    elif parked:
        _park(tx, row)


def _park(tx: Tx, row: sa.Row[Any]) -> None:
    """A step that killed three runs waits for a person; resuming tries it again."""
    text = (
        f"The step {row.task} ended without a word {STRIKES} times; look at the worker's log, then resume the import."
    )
    for import_id in _concerned(tx, row):
        hold(tx, import_id, NEEDS_ATTENTION, text)


def _concerned(tx: Tx, row: sa.Row[Any]) -> list[str]:
    """The imports that cannot go on without this work; what is the account's own keeps none of them waiting."""
    if row.import_id is not None:
        return [row.import_id]
    return wishing(tx, row.application_ref) if row.application_ref is not None else []


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
