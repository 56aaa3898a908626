"""Claims: work is sent to a queue, then taken by one run; whoever lost it can write nothing more.

The dispatcher marks a row `sent` under a serial number that the message carries. Taking it is one UPDATE from `sent`
to `running` that swaps in a token of this run; a doubled or late message changes no row and does nothing. Every
transaction of a run begins with `fence`.
"""

import secrets
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.life import AT_CARRIER, OrderState
from tnimport.domain.pacing import Pace
from tnimport.domain.reasons import all_reasons
from tnimport.ledger.claims import lanes
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import applications, imports, orders, work
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import columns_of, record_of

WAITING: Final = "waiting"
SENT: Final = "sent"
RUNNING: Final = "running"


class ClaimLost(Exception):
    """The claim ran out and went to somebody else; nothing of this run may be written."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of work: which step it is, what it is about, and how often it was attempted."""

    task: str
    import_id: str | None
    order_id: int | None
    application_ref: int | None
    message_id: str | None = None
    delivery_id: str | None = None
    receiver: str | None = None
    attempts: int

    @property
    def owner(self) -> Hashable:
        """Whose turn it takes."""
        return self.import_id or self.application_ref or self.receiver


@dataclass(frozen=True, kw_only=True)
class Stored(Piece):
    """A piece of work as its row has it: the positions it covers, and what earlier runs have left behind."""

    id: int
    first: int
    last: int
    look: bool
    lost: bool
    strikes: int


@dataclass(frozen=True, kw_only=True)
class Run(Stored):
    """One taken claim: what is to be done, and until when (database time) it is ours."""

    token: str
    account: str
    lane: str
    tokens: int
    until: float


def waits() -> sa.ColumnElement[bool]:
    """That work waits, where its row is found by other means already: not a reason to read all that waits."""
    return work.c.state.concat("") == WAITING


def active() -> sa.ColumnElement[bool]:
    """An import whose work may be started."""
    stops = (
        imports.c.paused_at,
        imports.c.held_at,
        imports.c.cancel_asked_at,
        imports.c.refused_code,
        imports.c.finished_at,
    )
    return sa.and_(imports.c.sealed_at.is_not(None), *(stop.is_(None) for stop in stops))


def doubtful() -> sa.ColumnElement[bool]:
    """Work that finds out what became of a call whose answer was lost; in a query that joins `orders` to it."""
    return sa.or_(
        sa.and_(work.c.look, work.c.lost, work.c.last > work.c.first), orders.c.state == OrderState.SUBMITTING
    )


OF_ONE_IMPORT: Final = sorted(one.code for one in all_reasons() if one.scope == "import")


def answered() -> sa.ColumnElement[bool]:
    """An import about which the carrier may be asked, though it is held.

    Not while the whole account is at fault: asking with a wrong password again and again would lock it. Nor where a
    look has killed its runs.
    """
    return sa.or_(imports.c.held_at.is_(None), imports.c.held_code.in_(OF_ONE_IMPORT))


def closing() -> sa.ColumnElement[bool]:
    """An import that was stopped for good and still finds out what it has left at the carrier."""
    stopped = sa.or_(imports.c.cancel_asked_at.is_not(None), imports.c.refused_code.is_not(None))
    return sa.and_(stopped, answered(), imports.c.finished_at.is_(None))


def going_on() -> sa.ColumnElement[bool]:
    """Work that may start; in a query that joins `imports` and `orders` to it.

    Of an import that waits for a person, orders that are at the carrier are looked at all the same: looking changes
    nothing there, and they hold places that other imports wait for.
    """
    for_good = (imports.c.cancel_asked_at, imports.c.refused_code, imports.c.finished_at)
    for_now = sa.and_(imports.c.sealed_at.is_not(None), answered(), *(stop.is_(None) for stop in for_good))
    there = sa.and_(for_now, orders.c.state.in_(AT_CARRIER))
    return sa.or_(active(), sa.and_(closing(), doubtful()), there)


@retried_on_deadlock
def take(ledger: Ledger, work_id: int, serial: int, seconds: float) -> Run | None:
    """Make a sent claim ours for so many seconds; None when it is not there to be taken (any longer)."""
    swap = {"claim": work_id, "sent_as": serial, "mine": secrets.token_hex(16)}
    with ledger.write() as tx:
        row = tx.run(_TAKING, {**swap, "end": tx.now + seconds}).one_or_none()
        if row is None:
            return None
        run = record_of(Run, row)
        if _stopped(tx, run):
            put_back(tx, run)
            return None
    return run


_TAKING: Final = (
    sa.update(work)
    .where(work.c.id == sa.bindparam("claim"), work.c.serial == sa.bindparam("sent_as"), work.c.state == SENT)
    .values(state=RUNNING, token=sa.bindparam("mine"), until=sa.bindparam("end"))
    .returning(*(work.c[name] for name in Run.__dataclass_fields__))
)


def _stopped(tx: Tx, run: Run) -> bool:
    """Whether the import was paused, held or cancelled while the message travelled."""
    if run.application_ref is not None:
        wanted = sa.select(imports.c.id).where(active(), imports.c.application_ref == run.application_ref)
        return tx.run(wanted.limit(1)).first() is None
    if run.import_id is None:
        return False
    if tx.run(_GOING_ON, {"import": run.import_id}).first() is not None:
        return False
    return tx.run(_LOOKING, {"claim": run.id}).first() is None


_GOING_ON: Final = sa.select(imports.c.id).where(imports.c.id == sa.bindparam("import"), active())
_LOOKING: Final = (
    sa.select(work.c.id)
    .join(imports, imports.c.id == work.c.import_id)
    .join(orders, orders.c.id == work.c.order_id)
    .where(work.c.id == sa.bindparam("claim"), going_on())
)


def fence(tx: Tx, run: Run, **changes: Any) -> None:  # noqa: ANN401 - columns of `work`
    """Hold the claim row for this transaction, and change it if asked to.

    Raises:
        ClaimLost: it is no longer ours; the transaction must write nothing.
    """
    if (
        tx.changed(
            _FENCING, {"claim": run.id, "mine": run.token, **columns_of(work, **changes or {"token": run.token})}
        )
        != 1
    ):
        raise ClaimLost


_MINE: Final = (work.c.id == sa.bindparam("claim"), work.c.token == sa.bindparam("mine"))
_FENCING: Final = sa.update(work).where(*_MINE, work.c.state == RUNNING)


def done(tx: Tx, run: Run) -> None:
    """The work is over; its row goes."""
    tx.run(_ENDING, {"claim": run.id, "mine": run.token})


_ENDING: Final = sa.delete(work).where(*_MINE)


def later(tx: Tx, run: Run, due_at: float, **changes: Any) -> None:  # noqa: ANN401 - columns of `work`
    """End this run and have the work started again at `due_at`."""
    back = {"state": WAITING, "token": None, "until": None, "due_at": due_at, "tokens": 0, **changes}
    tx.run(_GOING_BACK, {"claim": run.id, "mine": run.token, **columns_of(work, **back)})
    tx.announce()


_GOING_BACK: Final = sa.update(work).where(*_MINE)


def put_back(tx: Tx, run: Run, seconds: float = 0) -> None:
    """Undo the start of a run that has made no call: the work waits for so long, and nothing is counted or spent."""
    later(tx, run, tx.now + seconds)
    lanes.return_unspent(tx, [(run.account, run.lane, run.import_id, run.tokens)])


@retried_on_deadlock
def postpone(ledger: Ledger, run: Run, seconds: float) -> None:
    """Undo the start of a run for a while, as `put_back`."""
    with ledger.write() as tx:
        fence(tx, run)
        put_back(tx, run, seconds)


def give_back(tx: Tx, run: Run, pace: Pace, count: int) -> None:
    """Return the tokens of calls that were not made."""
    if count > 0:
        lanes.give_back(tx, run.account, run.lane, pace, count=count, import_id=run.import_id)


def plan(tx: Tx, task: Task, account: str, lane: str, due_at: float, **more: Any) -> None:  # noqa: ANN401 - columns
    """Add work to be started at `due_at`."""
    tx.run(_PLANNING, columns_of(work, task=task, account=account, lane=lane, due_at=due_at, **more))
    tx.announce()


_PLANNING: Final = sa.insert(work)


def application_ready() -> sa.ColumnElement[bool]:
    """Numbers can go to Catapult only when the application they go to is known."""
    return sa.exists().where(applications.c.id == imports.c.application_ref, applications.c.application_id.is_not(None))
