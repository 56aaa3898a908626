"""The moves of a message on its way to the carrier.

That it is about to be sent is committed before the call. A run that finds it so was preceded by one that vanished: the
carrier may have taken the message, so it becomes `unknown` and is not sent again.
"""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.messages import MessageMove, MessageState, move_message, sources
from tnimport.domain.telephone import to_e164
from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.closing import close_if_stopped
from tnimport.ledger.imports.orders import Fault, hold_run
from tnimport.ledger.proving.proofs import wake
from tnimport.ledger.proving.verification import VANISHED
from tnimport.ledger.schema import messages
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import record_of

ASK_AGAIN: Final = 60.0  # seconds between two calls while the account is at fault


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What a run needs to know of its message; `sender` is E.164."""

    id: str
    import_id: str | None
    sender: str
    recipient: str
    text: str
    media: list[str]
    tag: str | None
    receipt_requested: str | None
    state: MessageState


@dataclass(frozen=True)
class Why:
    """Why a message is where it is: a code of the catalogue or the carrier's, and words."""

    code: str
    description: str = ""

    def columns(self) -> dict[str, str | None]:
        """As the ledger keeps it."""
        return {"code": self.code[:64], "description": self.description[:500] or None}


def load(ledger: Ledger, run: Run) -> Outgoing | None:
    """Read the run's message; None when it is forgotten."""
    fields = [messages.c[name] for name in Outgoing.__dataclass_fields__]
    with ledger.read() as tx:
        row = tx.run(sa.select(*fields).where(messages.c.id == run.message_id)).first()
    if row is None:
        return None
    return record_of(Outgoing, row, sender=to_e164(str(row.sender)), state=MessageState(row.state))


@retried_on_deadlock
def calling(ledger: Ledger, run: Run) -> None:
    """Write down that we are about to send it; from here on the carrier may have it."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _move(tx, run, MessageMove.CALLING, sent_at=tx.now, attempts=messages.c.attempts + 1)


@retried_on_deadlock
def taken(ledger: Ledger, run: Run, carrier_id: str) -> None:
    """The carrier has it under this id."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _move(tx, run, MessageMove.TAKEN, carrier_id=carrier_id[:64], code=None, description=None)
        _end(tx, run)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def not_taken(
    ledger: Ledger, run: Run, wait: float, why: Why, trouble: Trouble | None = None, *, counts: bool = False
) -> None:
    """The carrier certainly has not got it: it is sent in `wait` seconds, and until then told why it waits.

    `counts` says whether this was an answer to the message itself; limits and lost connections say nothing of it.
    """
    with ledger.write() as tx:
        attempts, wait = lanes.counted(tx, run.account, run.lane, trouble, wait)
        work.fence(tx, run, attempts=run.attempts + (attempts if counts else 0))
        _move(tx, run, MessageMove.NOT_TAKEN, sent_at=None, **why.columns())
        _later(tx, run, wait)
        lanes.tell(tx, run.account, run.lane, trouble)


@retried_on_deadlock
def account_fault(ledger: Ledger, run: Run, fault: Fault) -> None:
    """A person must act. A caller's message waits with the reason, and the account is asked with one call a minute.

    A message that proves a number of an import holds that import, or all of the account, as every other step does.
    """
    with ledger.write() as tx:  # apart, since a run that dies while it holds imports has certainly sent nothing
        work.fence(tx, run)
        if _state(tx, run) is MessageState.SENDING:  # not yet, where the rest of this is done again
            why = Why(fault.code, fault.instruction)
            _move(tx, run, MessageMove.NOT_TAKEN, sent_at=None, **why.columns())
    if run.import_id is not None:
        hold_run(ledger, run, fault)
    with ledger.write() as tx:
        work.fence(tx, run)
        _later(tx, run, 0)
        if run.import_id is None:
            lanes.doubted(tx, run.account, run.lane, ASK_AGAIN)


@retried_on_deadlock
def refused(ledger: Ledger, run: Run, why: Why) -> None:
    """The carrier will not take it."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _move(tx, run, MessageMove.REFUSED, **why.columns())
        _end(tx, run)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def unanswered(ledger: Ledger, run: Run, why: Why, trouble: Trouble | None = None) -> MessageState:
    """Nobody can tell whether the carrier has it, unless it has called us about it meanwhile.

    Returns where that leaves the message.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        heard = sa.select(messages.c.carrier_id).where(messages.c.id == run.message_id).with_for_update(key_share=True)
        if tx.run(heard).scalar() is None:
            after = _move(tx, run, MessageMove.UNANSWERED, **why.columns())
        else:
            after = _move(tx, run, MessageMove.TAKEN, code=None, description=None)
        _end(tx, run)
        lanes.tell(tx, run.account, run.lane, trouble)
        return after


@retried_on_deadlock
def over(ledger: Ledger, run: Run) -> None:
    """There is nothing to send (any longer)."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _end(tx, run)


def park(tx: Tx, work_id: int, message_id: str, parked: Why) -> None:
    """End a message of a caller whose runs vanished again and again.

    One that was not called for is certainly not sent, and one that the carrier has called us about certainly is.
    """
    heard = messages.c.carrier_id.is_not(None)
    _end_as(tx, message_id, MessageMove.PARKED, sa.true(), **parked.columns())
    _end_as(tx, message_id, MessageMove.TAKEN, heard, code=None, description=None)
    _end_as(tx, message_id, MessageMove.UNANSWERED, ~heard, **Why(*VANISHED).columns())
    tx.run(sa.delete(work_table).where(work_table.c.id == work_id))


def _end_as(
    tx: Tx, message_id: str, happened: MessageMove, where: sa.ColumnElement[bool], **values: str | None
) -> None:
    (before,) = sources(happened)
    mine = sa.update(messages).where(messages.c.id == message_id, messages.c.state == before, where)
    tx.run(mine.values(state=move_message(before, happened), updated_at=tx.now, **values))


def _move(tx: Tx, run: Run, happened: MessageMove, **values: Any) -> MessageState:  # noqa: ANN401 - columns of `messages`
    """Move the message; the claim has been fenced, so nobody else moves it."""
    (before,) = sources(happened)
    guarded = sa.update(messages).where(messages.c.id == run.message_id, messages.c.state == before)
    after = move_message(before, happened)
    if not tx.changed(guarded.values(state=after, updated_at=tx.now, **values)):
        raise work.ClaimLost
    return after


def _state(tx: Tx, run: Run) -> MessageState:
    return MessageState(tx.run(sa.select(messages.c.state).where(messages.c.id == run.message_id)).scalar_one())


def _later(tx: Tx, run: Run, seconds: float) -> None:
    work.later(tx, run, tx.now + seconds)
    if run.import_id is not None:
        close_if_stopped(tx, run.import_id)


def _end(tx: Tx, run: Run) -> None:
    work.done(tx, run)
    if run.import_id is not None:
        wake(tx, run.import_id)
        close_if_stopped(tx, run.import_id)
