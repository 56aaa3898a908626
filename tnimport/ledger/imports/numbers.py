"""What a grant reads and writes: the open numbers of its range, and batches of results."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Outcome
from tnimport.domain.pacing import Pace
from tnimport.domain.wishes import OnPresent
from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run, active
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports import renewal
from tnimport.ledger.imports.closing import ask_again_in, close_if_stopped
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.orders import Fault, hold_run, order_id
from tnimport.ledger.imports.outcomes import Settled, settle
from tnimport.ledger.schema import applications, imports, numbers, orders
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock


@dataclass(frozen=True)
class Place:
    """One open number of a grant: its position, ten digits, and what an earlier look at Catapult found."""

    pos: int
    tn: str
    number_id: str | None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a grant works on."""

    places: list[Place]
    application_id: str | None  # none while it is looked for again
    named: bool  # it was wished for by name
    in_doubt: bool  # it took the place of one that had vanished, and no number has gone to it yet
    on_present: OnPresent
    order_sent_at: float | None
    cancel_asked_at: float | None
    closing: bool  # the import was stopped for good; it is found out what it left at the carrier
    now: float


@dataclass(frozen=True, kw_only=True)
class Again:
    """A number that is not through: tried again in `wait` seconds, after a look at Catapult where `look` says so."""

    pos: int
    wait: float
    lane: Lane
    look: bool
    lost: bool
    code: str
    counted: bool = True


@dataclass(frozen=True, kw_only=True)
class Flush:
    """One transaction of a grant: results, numbers to try again, and the first position not yet dealt with."""

    settled: Sequence[Settled] = ()
    again: Sequence[Again] = ()
    first: int
    trouble: Trouble | None = None
    fault: Fault | None = None
    missed: str | None = None  # the fault is that the carrier does not know this application
    proven: str | None = None  # numbers have gone to this application, which was in doubt
    last: bool = False  # the run ends here; what is left of the range goes back
    unused: int = 0  # tokens of calls that were not made


def load(ledger: Ledger, run: Run) -> Batch:
    """Read the numbers of a grant that have no outcome yet."""
    with ledger.read() as tx:
        row = tx.run(_TARGET, {"order": run.order_id}).one()
        found = tx.run(_OPEN_HERE, {"order": run.order_id, "first": run.first, "last": run.last})
        return Batch(
            places=[Place(number.pos, str(number.tn), number.number_id) for number in found],
            application_id=row.application_id,
            named=row.name is not None,
            in_doubt=row.gone_id is not None,
            on_present=OnPresent(row.on_present),
            order_sent_at=row.sent_at,
            cancel_asked_at=row.cancel_asked_at,
            closing=row.cancel_asked_at is not None or row.refused_code is not None,
            now=tx.now,
        )


_TARGET: Final = (
    sa.select(imports.c.on_present, imports.c.cancel_asked_at, imports.c.refused_code, orders.c.sent_at)
    .add_columns(applications.c.application_id, applications.c.name, applications.c.gone_id)
    .select_from(orders.join(imports, imports.c.id == orders.c.import_id))
    .outerjoin(applications, applications.c.id == imports.c.application_ref)
    .where(orders.c.id == sa.bindparam("order"))
)
_OPEN_HERE: Final = (
    sa.select(numbers.c.pos, numbers.c.tn, numbers.c.number_id)
    .where(numbers.c.order_id == sa.bindparam("order"), numbers.c.outcome == Outcome.OPEN)
    .where(numbers.c.pos >= sa.bindparam("first"), numbers.c.pos < sa.bindparam("last"))
    .order_by(numbers.c.pos)
)


@retried_on_deadlock
def record(ledger: Ledger, run: Run, pace: Pace, flush: Flush) -> bool:
    """Write one batch; tells whether the grant may go on.

    Raises:
        ClaimLost: the claim went to somebody else; nothing was written.
    """
    if flush.fault is not None and not (flush.missed and renewal.vanished(ledger, run, flush.missed)):
        hold_run(ledger, run, flush.fault)
    with ledger.write() as tx:
        work.fence(tx, run, first=flush.first)
        if flush.proven:
            renewal.proven(tx, run, flush.proven)
        settle(tx, order_id(run), flush.settled)
        _plan_again(tx, run, flush.again)
        if flush.last:
            _end(tx, run, flush)
        _tell(tx, run, pace, flush)
        return not flush.last and _may_go_on(tx, run)


def _plan_again(tx: Tx, run: Run, again: Sequence[Again]) -> None:
    if not again:
        return
    # While the carrier as a whole is failing, an attempt says nothing about the number.
    failing = lanes.failing(tx, run.account, run.lane)
    same = {name: getattr(run, name) for name in ("task", "account", "import_id", "order_id", "strikes")}
    rows = [
        {
            **same,
            "lane": one.lane,
            "first": one.pos,
            "last": one.pos + 1,
            "look": one.look,
            "lost": one.lost,
            "due_at": tx.now + (0 if failing and one.lane == run.lane else one.wait),
            "attempts": run.attempts + (one.counted and not failing),
        }
        for one in again
    ]
    tx.run(sa.insert(work_table), rows)
    for one in again:
        if run.import_id is not None:
            note(tx, "number_again", run.import_id, order=run.order_id, pos=one.pos, code=one.code, wait=one.wait)
    tx.announce()


def _tell(tx: Tx, run: Run, pace: Pace, flush: Flush) -> None:
    """Let the lane know: that calls were answered, then the trouble that came last, then what was not used.

    After a fault the account is in doubt, whatever was answered before it.
    """
    if flush.fault is None and (flush.settled or (flush.again and flush.trouble is None)):
        lanes.succeeded(tx, run.account, run.lane)
    lanes.tell(tx, run.account, run.lane, flush.trouble)
    work.give_back(tx, run, pace, flush.unused)


def _may_go_on(tx: Tx, run: Run) -> bool:
    going = tx.run(_GOING_ON, {"import": run.import_id}).first()
    return going is not None and not lanes.paused(tx, run.account, run.lane)


_GOING_ON: Final = sa.select(imports.c.id).where(imports.c.id == sa.bindparam("import"), active())


def _end(tx: Tx, run: Run, flush: Flush) -> None:
    if flush.first < run.last and _any_open(tx, run, flush.first):
        # A look for a lost answer goes on though its import is held; all else waits for a person.
        wait = ask_again_in(tx, run.import_id) if flush.fault is not None and run.look and run.lost else 0.0
        work.later(tx, run, tx.now + wait)
    else:
        work.done(tx, run)
    if run.import_id is not None:
        close_if_stopped(tx, run.import_id)
    tx.announce()


def _any_open(tx: Tx, run: Run, first: int) -> bool:
    rest = (numbers.c.order_id == run.order_id, numbers.c.pos >= first, numbers.c.pos < run.last)
    return tx.run(sa.select(numbers.c.pos).where(*rest, numbers.c.outcome == Outcome.OPEN).limit(1)).first() is not None


@retried_on_deadlock
def remember(ledger: Ledger, run: Run, pace: Pace, found: dict[int, str], flush: Flush) -> None:
    """End a look: keep the resource ids that a removal will delete, settle what was not there, delete the rest next."""
    if flush.fault is not None:
        hold_run(ledger, run, flush.fault)
    with ledger.write() as tx:
        work.fence(tx, run, first=flush.first)
        for pos, number_id in found.items():
            here = (numbers.c.order_id == run.order_id, numbers.c.pos == pos, numbers.c.outcome == Outcome.OPEN)
            tx.run(sa.update(numbers).where(*here).values(number_id=number_id))
        settle(tx, order_id(run), flush.settled)
        _plan_deletions(tx, run, found, flush.again)
        _plan_again(tx, run, flush.again)
        _end(tx, run, flush)
        if found:
            lanes.succeeded(tx, run.account, run.lane)
        _tell(tx, run, pace, flush)


def _plan_deletions(tx: Tx, run: Run, found: Iterable[int], again: Sequence[Again]) -> None:
    """Numbers whose look comes again lie in none of the ranges: nothing is deleted that has not been found."""
    same = {name: getattr(run, name) for name in ("import_id", "order_id", "attempts", "strikes")}
    for first, last in _stretches(found, {one.pos for one in again}):
        work.plan(tx, Task(run.task), run.account, Lane.NUMBERS, tx.now, first=first, last=last, **same)


def _stretches(found: Iterable[int], gaps: Collection[int]) -> list[tuple[int, int]]:
    """Ranges that hold every found position and none of the gaps."""
    stretches: list[tuple[int, int]] = []
    for pos in sorted(found):
        if stretches and not any(stretches[-1][1] <= gap < pos for gap in gaps):
            stretches[-1] = (stretches[-1][0], pos + 1)
        else:
            stretches.append((pos, pos + 1))
    return stretches
