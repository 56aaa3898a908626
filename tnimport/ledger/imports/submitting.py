"""The moves of an order on its way to the carrier."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.life import Action, NumberEvent, OrderState, Outcome, Stage, seen_as
from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports.books import Books
from tnimport.ledger.imports.closing import ask_again_in, close_if_stopped
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.orders import Fault, about, action_of, hold_run, later, move, order_id, state_of
from tnimport.ledger.imports.outcomes import Failed, open_places, settle
from tnimport.ledger.schema import imports
from tnimport.ledger.sql.deadlocks import retried_on_deadlock


@retried_on_deadlock
def sending(ledger: Ledger, run: Run) -> None:
    """Write down that we are about to send the order; from here on it may exist at the carrier."""
    with ledger.write() as tx:
        work.fence(tx, run)
        row = move(tx, run, OrderState.SUBMITTING, sent_at=tx.now)
        tx.run(_STARTING, {"import": run.import_id, "started_at": tx.now})
        note(tx, "order_sending", row.import_id, order=row.id, reference=row.reference, attempt=row.attempts)


_STARTING: Final = sa.update(imports).where(imports.c.id == sa.bindparam("import"), imports.c.started_at.is_(None))


@retried_on_deadlock
def not_sent(ledger: Ledger, run: Run, wait: float, code: str, trouble: Trouble | None = None) -> None:
    """The carrier certainly has not got it: plan it again, in `wait` seconds."""
    with ledger.write() as tx:
        attempts, wait = lanes.counted(tx, run.account, run.lane, trouble, wait)
        work.fence(tx, run, attempts=run.attempts + attempts)
        row = move(tx, run, OrderState.PLANNED, sent_at=None)
        note(tx, "order_not_sent", row.import_id, order=row.id, code=code)
        later(tx, run, wait)
        lanes.tell(tx, run.account, run.lane, trouble)


@retried_on_deadlock
def settled_absent(ledger: Ledger, run: Run) -> None:
    """The lost order has had all its time to appear and has not: plan it again under the same reference."""
    with ledger.write() as tx:
        work.fence(tx, run)
        row = move(tx, run, OrderState.PLANNED, sent_at=None)
        note(tx, "order_never_appeared", row.import_id, order=row.id)
        later(tx, run, 0, lost=False)


@retried_on_deadlock
def accepted(ledger: Ledger, run: Run, carrier_order_id: str, status: str, first_poll: float) -> None:
    """The carrier has the order; the next step is to look at it."""
    with ledger.write() as tx:
        work.fence(tx, run)
        before = state_of(tx, run)
        row = move(
            tx,
            run,
            OrderState.ACCEPTED,
            carrier_order_id=carrier_order_id[:64],
            carrier_status=status[:32],
            accepted_at=tx.now,
            missing_since=None,
        )
        note(tx, "order_accepted", row.import_id, order=row.id, carrier_order_id=carrier_order_id)
        books = Books(Action(row.action))
        concerned = about(Action(row.action))
        count = row.released if concerned is Outcome.RELEASED else row.open
        books.move(seen_as(concerned, before), NumberEvent.ORDER_ACCEPTED, count)
        books.post(tx, row.import_id)
        wait = 0 if row.woken_at else first_poll  # word has come before the answer
        later(tx, run, wait, task=Task.POLL_ORDER, attempts=0, strikes=0, lost=False)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def account_fault(ledger: Ledger, run: Run, fault: Fault, *, unsent: bool) -> None:
    """A person must act: hold the import (or all of the account).

    `unsent` tells that the carrier answered the order itself with the fault, so that there certainly is none.
    """
    hold_run(ledger, run, fault)
    with ledger.write() as tx:
        work.fence(tx, run)
        if unsent:
            move(tx, run, OrderState.PLANNED, sent_at=None)
        later(tx, run, 0 if unsent else ask_again_in(tx, run.import_id))


@retried_on_deadlock
def refused(ledger: Ledger, run: Run, code: str, description: str, named: Mapping[str, tuple[str, str]]) -> None:
    """The carrier will not take it: the numbers it names fail and the rest is sent without them, else all fail."""
    with ledger.write() as tx:
        work.fence(tx, run)
        concerned = about(action_of(tx, run))
        places = open_places(tx, order_id(run), concerned)
        blamed = {tn: why for tn, why in named.items() if tn in places} or dict.fromkeys(places, (code, description))
        failed = [Failed(places[tn], Stage.ORDER, why, text, 1) for tn, (why, text) in blamed.items()]
        settle(tx, order_id(run), failed, concerned)
        if len(blamed) < len(places):
            move(tx, run, OrderState.PLANNED, sent_at=None)
            later(tx, run, 0)
        else:
            work.done(tx, run)
        if run.import_id is not None:
            note(tx, "order_refused", run.import_id, order=run.order_id, code=code, failed=len(blamed))
            close_if_stopped(tx, run.import_id)
        lanes.succeeded(tx, run.account, run.lane)
