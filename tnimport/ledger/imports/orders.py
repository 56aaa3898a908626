"""What the steps of an order share: reading it, moving it, waiting with it.

Every move of a run is fenced by its claim and touches every row it changes in one transaction. What an order does is
written so that a run may die between any two moves: that it is about to be sent is committed before the call, and an
order found `submitting` is asked for by its reference before it is sent again.
"""

from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.life import ORDER_MOVES, Action, OrderState, Outcome
from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.closing import close_if_stopped, hold, hold_account
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.outcomes import open_places
from tnimport.ledger.imports.waking import sooner
from tnimport.ledger.schema import orders
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import columns_of, record_of


@dataclass(frozen=True)
class Fault:
    """An account-level fault: its code, what a person must do, and whether it stops the whole account or one import."""

    code: str
    instruction: str
    whole_account: bool


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """What a step needs to know of its order, and the time it was read at."""

    id: int
    import_id: str
    state: OrderState
    action: Action
    site_id: str
    sip_peer_id: str | None
    reference: str
    carrier_order_id: str | None
    carrier_status: str | None
    sent_at: float | None
    accepted_at: float | None
    missing_since: float | None
    polls: int
    attempts: int
    numbers: list[str]
    now: float


def load(ledger: Ledger, run: Run) -> OrderView:
    """Read the run's order with the numbers (ten digits) that it is about."""
    with ledger.read() as tx:
        row = tx.run(_LOADING, {"order": run.order_id}).one()
        state, action = OrderState(row.state), Action(row.action)
        places = open_places(tx, row.id, about(action))
        return record_of(OrderView, row, state=state, action=action, numbers=list(places), now=tx.now)


_OF_RUN: Final = orders.c.id == sa.bindparam("order")
_LOADING: Final = sa.select(
    *(orders.c[name] for name in OrderView.__dataclass_fields__ if name not in {"numbers", "now"})
).where(_OF_RUN)
_STATE: Final = sa.select(orders.c.state).where(_OF_RUN)
_ACTION: Final = sa.select(orders.c.action).where(_OF_RUN)


def about(action: Action) -> Outcome:
    """Which numbers an order is about: a removal orders away what was released."""
    return Outcome.RELEASED if action is Action.REMOVE else Outcome.OPEN


def move(tx: Tx, run: Run, state: OrderState, **values: Any) -> sa.Row[Any]:  # noqa: ANN401 - columns of `orders`
    """Move the order if its state allows; the claim has been fenced, so nobody else moves it."""
    return tx.run(_moving(state), {"order": run.order_id, **columns_of(orders, **values)}).one()


@cache
def _moving(state: OrderState) -> sa.Executable:
    """The guarded update to this state; one that is about to be sent counts that."""
    sources = [source for source, targets in ORDER_MOVES.items() if state in targets or source is state]
    sends = {"attempts": orders.c.attempts + 1} if state is OrderState.SUBMITTING else {}
    return sa.update(orders).where(_OF_RUN, orders.c.state.in_(sources)).values(state=state, **sends).returning(orders)


def state_of(tx: Tx, run: Run) -> OrderState:
    """The state of the run's order."""
    return OrderState(tx.run(_STATE, {"order": run.order_id}).scalar_one())


def action_of(tx: Tx, run: Run) -> Action:
    """What the run's order does with its numbers."""
    return Action(tx.run(_ACTION, {"order": run.order_id}).scalar_one())


def order_id(run: Run) -> int:
    """The order a step of an order is about."""
    assert run.order_id is not None  # noqa: S101 - order steps have an order
    return run.order_id


def later(tx: Tx, run: Run, seconds: float, **changes: Any) -> None:  # noqa: ANN401 - columns of `work`
    """End the run and have its work started again in so many seconds, unless the import was stopped for good."""
    work.later(tx, run, tx.now + seconds, **changes)
    if run.import_id is not None:
        close_if_stopped(tx, run.import_id)


@retried_on_deadlock
def wait(
    ledger: Ledger,
    run: Run,
    seconds: float,
    code: str,
    trouble: Trouble | None = None,
    *,
    over: bool = False,
    afresh: bool = False,
    looked_at: float = inf,
) -> None:
    """Nothing is known that was not known before; look again in so many seconds, sooner if word has come since.

    `over` says that by the ledger's clock the time of a lost answer is over, and the next look is the last;
    `afresh` that the order has just been sent, so that what failed before says nothing of how long to wait.
    """
    with ledger.write() as tx:
        seconds = sooner(tx, run, looked_at, seconds)
        attempts, seconds = lanes.counted(tx, run.account, run.lane, trouble, seconds)
        work.fence(tx, run, attempts=attempts if afresh else run.attempts + attempts)
        if run.import_id is not None:
            note(tx, "order_waits", run.import_id, order=run.order_id, code=code, seconds=round(seconds, 3))
        later(tx, run, seconds, lost=run.lost or over)
        lanes.tell(tx, run.account, run.lane, trouble)


@retried_on_deadlock
def hold_run(ledger: Ledger, run: Run, fault: Fault) -> None:
    """Hold what a run found at fault, and open the account's lanes anew with one call each.

    A transaction of its own, before the one that ends the run: it locks imports of others, in one order. Killed between
    the two, the run has stopped what it had to stop, and its claim expires.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        if fault.whole_account or run.import_id is None:
            hold_account(tx, run.account, fault.code, fault.instruction)
        else:
            hold(tx, run.import_id, fault.code, fault.instruction)
        lanes.closed(tx, run.account)
