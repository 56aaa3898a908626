"""The moves of an order at the carrier: seen again, missing, ended."""

from math import inf
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, NumberEvent, OrderState, Outcome, Stage, seen_as
from tnimport.domain.reconcile import FINISHED, TOLD, Fates
from tnimport.ledger.claims import lanes, sites, work
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.books import Books
from tnimport.ledger.imports.closing import close_if_stopped
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.orders import Fault, about, action_of, hold_run, later, move, order_id
from tnimport.ledger.imports.outcomes import Failed, Settled, Unaccounted, open_places, settle
from tnimport.ledger.imports.waking import sooner
from tnimport.ledger.messaging import subscriptions
from tnimport.ledger.schema import orders
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.names import identifier


@retried_on_deadlock
def unfinished(ledger: Ledger, run: Run, status: str, seconds: float, looked_at: float = inf) -> float:
    """We looked and the carrier is still at it; look again in so many seconds, sooner if word has come since.

    Returns the seconds.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        tx.run(_LOOKED, {"order": run.order_id, "carrier_status": status[:32], "missing_since": None})
        seconds = sooner(tx, run, looked_at, seconds)
        later(tx, run, seconds, attempts=run.attempts + 1, strikes=0, lost=False)
        lanes.succeeded(tx, run.account, run.lane)
    return seconds


_LOOKED: Final = sa.update(orders).where(orders.c.id == sa.bindparam("order")).values(polls=orders.c.polls + 1)


@retried_on_deadlock
def missing(ledger: Ledger, run: Run, seconds: float, looked_at: float = inf, *, over: bool = False) -> None:
    """The carrier says it knows no such order; note since when, and look again.

    `over` says that by the ledger's clock its time is over: the next look is the last, and no word makes it earlier.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        since = sa.func.coalesce(orders.c.missing_since, tx.now)
        tx.run(_LOOKED.values(missing_since=since), {"order": run.order_id})
        seconds = seconds if over else sooner(tx, run, looked_at, seconds)
        later(tx, run, seconds, attempts=run.attempts + 1, strikes=0, lost=over)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def ended(ledger: Ledger, run: Run, status: str, fates: Fates) -> None:
    """The carrier is done with it: failed and unaccounted numbers end here, the good ones go on."""
    with ledger.write() as tx:
        work.fence(tx, run)
        concerned = about(action_of(tx, run))
        places = open_places(tx, order_id(run), concerned)
        after = OrderState.DONE if concerned is Outcome.RELEASED else OrderState.AVAILABLE
        failed: list[Settled] = [
            Failed(places[tn], Stage.ORDER, code, text, 1) for tn, (code, text) in fates.failed.items() if tn in places
        ]
        settle_from = [*failed, *(Unaccounted(places[tn]) for tn in fates.unaccounted if tn in places)]
        row = _finish(tx, run, status, settle_from, concerned)
        note(
            tx,
            "order_ended",
            row.import_id,
            order=row.id,
            status=status,
            good=row.open if concerned is Outcome.OPEN else row.released,
            failed=len(fates.failed),
            unaccounted=len(fates.unaccounted),
        )
        _good_go_on(tx, run, row, after)
        work.done(tx, run)
        close_if_stopped(tx, row.import_id)
        if status in TOLD and row.woken_at is None:
            subscriptions.untold(tx, run.account, row.carrier_order_id, row.accepted_at)
        lanes.succeeded(tx, run.account, run.lane)
        if status in FINISHED:
            sites.worked(tx, run.account, row.site_id, row.sip_peer_id)


def _finish(tx: Tx, run: Run, status: str, bad: list[Settled], concerned: Outcome) -> sa.Row[Any]:
    settle(tx, order_id(run), bad, concerned)
    last = {"order": run.order_id, "carrier_status": status[:32], "finished_at": tx.now}
    return tx.run(_LOOKED.returning(orders), last).one()


def _good_go_on(tx: Tx, run: Run, row: sa.Row[Any], after: OrderState) -> None:
    good = row.open if after is OrderState.AVAILABLE else row.released
    if not good:
        return  # settling the last bad one has closed the order
    action = Action(row.action)
    books = Books(action)
    books.move(seen_as(about(action), OrderState(row.state)), NumberEvent.ORDER_GOOD, good)
    move(tx, run, after)
    if after is OrderState.AVAILABLE:
        ids = {"import_id": row.import_id, "order_id": row.id, "last": row.size}
        work.plan(tx, Task.IMPORT_NUMBERS, row.account, Lane.NUMBERS, tx.now, **ids)
    books.post(tx, row.import_id)


@retried_on_deadlock
def withdrawn(ledger: Ledger, run: Run, status: str, fault: Fault) -> None:
    """The carrier ended it for a fault of the account: hold the import, plan the order anew under a new reference."""
    hold_run(ledger, run, fault)
    with ledger.write() as tx:
        work.fence(tx, run)
        row = move(
            tx,
            run,
            OrderState.PLANNED,
            reference=_renewed(tx, run),
            carrier_order_id=None,
            carrier_status=status[:32],
            sent_at=None,
            accepted_at=None,
            woken_at=None,
        )
        note(tx, "order_withdrawn", row.import_id, order=row.id, status=status, code=fault.code)
        action = Action(row.action)
        books = Books(action)
        count = row.released if action is Action.REMOVE else row.open
        books.move(seen_as(about(action), OrderState.ACCEPTED), NumberEvent.ORDER_WITHDRAWN, count)
        books.post(tx, row.import_id)
        later(tx, run, 0, task=Task.SUBMIT_ORDER, attempts=0, strikes=0)
        sites.doubted(tx, run.account, row.site_id, row.sip_peer_id)


def _renewed(tx: Tx, run: Run) -> str:
    """The same reference with another unique end: the old one belongs to an order that exists."""
    old = tx.run(sa.select(orders.c.reference).where(orders.c.id == run.order_id)).scalar_one()
    return str(old)[:-12] + identifier(12)
