"""What the Dashboard was asked to tell us of, for each account, and what has come of it."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain import notifying
from tnimport.domain.lanes import Lane
from tnimport.domain.notifying import Channel
from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import subscriptions
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import record_of

_CHANNEL: Final = tuple(Channel.__dataclass_fields__)
_NOTHING: Final[dict[str, Any]] = dict.fromkeys(
    (*_CHANNEL, "subscription_id", "looked_at", "untold_order", "rest_until")
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How far the subscription is: the carrier's id if known, and whether its list was looked through in vain."""

    subscription_id: str | None
    looked_at: float | None


def channel(ledger: Ledger, account: str, url: str) -> Channel:
    """What is known of the subscription that leads to this address; one that is to be made or renewed is planned."""
    with ledger.read() as tx:
        row = tx.run(sa.select(subscriptions).where(_of(account), subscriptions.c.url == url)).first()
        known = Channel() if row is None else _channel(row)
        wanted = notifying.wanted(known, tx.now) and not (row is not None and _rests(tx, row))
    if wanted:
        _plan(ledger, account, url)
    return known


@dataclass(frozen=True, kw_only=True)
class State:
    """How an account's subscription stands now; `rests` = it could not be had, and is tried again later."""

    channel: Channel
    rests: bool
    now: float


def state_of(ledger: Ledger, account: str) -> State | None:
    """For people who look; None where nothing was asked for yet."""
    with ledger.read() as tx:
        row = tx.run(sa.select(subscriptions).where(_of(account))).first()
        return None if row is None else State(channel=_channel(row), rests=_rests(tx, row), now=tx.now)


def _channel(row: sa.Row[Any]) -> Channel:
    return Channel(**{name: getattr(row, name) for name in _CHANNEL})


def _rests(tx: Tx, row: sa.Row[Any]) -> bool:
    return bool((row.rest_until or 0) > tx.now)


@retried_on_deadlock
def _plan(ledger: Ledger, account: str, url: str) -> None:
    with ledger.write() as tx:
        tx.run(tx.insert(subscriptions).values(account=account, url=url).on_conflict_do_nothing())
        row = tx.run(sa.select(subscriptions).where(_of(account)).with_for_update()).one()
        if row.url != url:  # we have moved; what was made for the old address ends by itself
            _update(tx, account, url=url, **_NOTHING)
        here = (work_table.c.account == account, work_table.c.lane == Lane.DASHBOARD)
        planned = sa.select(work_table.c.id).where(*here, work_table.c.task == Task.ENSURE_SUBSCRIPTION)
        if tx.run(planned.limit(1)).first() is None:
            work.plan(tx, Task.ENSURE_SUBSCRIPTION, account, Lane.DASHBOARD, tx.now)


def load(ledger: Ledger, run: Run) -> Wish:
    """Read the subscription of the run's account."""
    fields = [subscriptions.c[name] for name in Wish.__dataclass_fields__]
    with ledger.read() as tx:
        return record_of(Wish, tx.run(sa.select(*fields).where(_of(run.account))).one())


@retried_on_deadlock
def looked(ledger: Ledger, run: Run, found: str | None) -> None:
    """The carrier's list was read: ours stands in it, or it is to be made. Both are the next call."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run.account, subscription_id=found and found[:64], looked_at=tx.now)
        work.later(tx, run, tx.now, strikes=0)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def made(ledger: Ledger, run: Run, subscription_id: str) -> None:
    """The carrier has it, with our password and for its whole life."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(
            tx,
            run.account,
            subscription_id=subscription_id[:64],
            made_at=sa.func.coalesce(subscriptions.c.made_at, tx.now),
            expires_at=tx.now + notifying.LIFE,
            rest_until=None,
        )
        work.done(tx, run)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def again(ledger: Ledger, run: Run, seconds: float, trouble: Trouble | None = None, *, anew: bool = False) -> None:
    """Try again in so many seconds; `anew` where the carrier's list has to be read again first."""
    with ledger.write() as tx:
        work.fence(tx, run)
        if anew:
            _update(tx, run.account, subscription_id=None, looked_at=None, made_at=None)
        work.later(tx, run, tx.now + seconds, attempts=run.attempts + 1)
        lanes.tell(tx, run.account, run.lane, trouble)


@retried_on_deadlock
def given_up(ledger: Ledger, run: Run) -> None:
    """Orders are polled as if there were no notifications; it is tried again when it has rested."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run.account, looked_at=None, rest_until=tx.now + notifying.REST)
        work.done(tx, run)


def untold(tx: Tx, account: str, carrier_order_id: str | None, accepted_at: float | None) -> None:
    """A look has found an order ended of which no word has come; it may still be on its way."""
    since = (subscriptions.c.made_at < (accepted_at or 0), sa.or_(subscriptions.c.untold_at.is_(None), _forgiven()))
    first = sa.update(subscriptions).where(_of(account), *since)
    tx.run(first.values(untold_at=tx.now, untold_order=carrier_order_id))


def _forgiven() -> sa.ColumnElement[bool]:
    return subscriptions.c.told_at >= subscriptions.c.untold_at + notifying.PROBATION


def told(tx: Tx, account: str, carrier_order_id: str | None) -> None:
    """Word has come; if it is the one that was missed, it was only late."""
    late = sa.and_(subscriptions.c.untold_order.is_not(None), subscriptions.c.untold_order == carrier_order_id)
    now = {
        "told_at": tx.now,
        "untold_at": sa.case((late, None), else_=subscriptions.c.untold_at),
        "untold_order": sa.case((late, None), else_=subscriptions.c.untold_order),
    }
    _update(tx, account, **now)


def _of(account: str) -> sa.ColumnElement[bool]:
    return subscriptions.c.account == account


def _update(tx: Tx, account: str, **values: Any) -> None:  # noqa: ANN401 - columns of `subscriptions`
    tx.run(sa.update(subscriptions).where(_of(account)).values(**values))
