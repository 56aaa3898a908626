"""Hands out work: what is due, as much as the account's pace and the broker's room allow, to whose turn it is."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain import pacing
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane, pace_of
from tnimport.domain.life import AT_CARRIER, OrderState
from tnimport.domain.pacing import Pace
from tnimport.domain.turns import Turns
from tnimport.ledger import lanes
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.grants import Due, Grant, Hand, Round
from tnimport.ledger.schema import imports, orders, work
from tnimport.ledger.work import SENT, WAITING, active, application_ready

ORDERS_AT_CARRIER: Final = 20
LOOKAHEAD: Final = 16  # due rows of one import that one round looks at


@dataclass(frozen=True)
class DueLanes:
    """Lanes with due work now, when the next other work is due, and what time it is (database time)."""

    ready: list[tuple[str, Lane]]
    next_at: float
    now: float


def due_lanes(ledger: Ledger) -> DueLanes:
    """One cheap look at everything that waits, so that an idle dispatcher writes nothing."""
    earliest = sa.func.min(work.c.due_at).label("due_at")
    query = sa.select(work.c.account, work.c.lane, earliest).where(work.c.state == WAITING)
    with ledger.read() as tx:
        rows = tx.run(query.group_by(work.c.account, work.c.lane)).all()
        ready = [(row.account, Lane(row.lane)) for row in rows if row.due_at <= tx.now]
        return DueLanes(ready, min((row.due_at for row in rows if row.due_at > tx.now), default=inf), tx.now)


def unsend(ledger: Ledger, grants: Iterable[Grant], accounts: Mapping[str, Account]) -> None:
    """Take back claims whose messages could not be sent; a message that got through all the same finds nothing."""
    with ledger.write() as tx:
        for grant in grants:
            _unsend(tx, grant, accounts)


def _unsend(tx: Tx, grant: Grant, accounts: Mapping[str, Account]) -> None:
    mine = (work.c.id == grant.work, work.c.serial == grant.serial, work.c.state == SENT)
    free = sa.update(work).where(*mine).values(state=WAITING, until=None, tokens=0)
    row = tx.run(free.returning(work.c.account, work.c.lane)).first()
    if row is not None and row.account in accounts:
        pace = pace_of(accounts[row.account].paces, Lane(row.lane))
        lane = lanes.lock(tx, row.account, row.lane, pace)
        lanes.save(tx, row.account, row.lane, pacing.give_back(lane, pace, grant.count))


def claim(
    ledger: Ledger,
    account: str,
    name: Lane,
    pace: Pace,
    *,
    room: int,
    seconds: float,
    served: Mapping[Hashable, float],
) -> Round:
    """Mark work of one lane as sent, for so many seconds.

    Args:
        ledger: the ledger.
        account: name of the account.
        name: the lane.
        pace: what the settings allow.
        room: how many messages the broker has room for.
        seconds: how long a message may be on its way before the claim goes back.
        served: when each import was last served, so that turns go round.
    """
    with ledger.write() as tx:
        due = list(_due(tx, account, name))
        next_due = _next_due(tx, account, name)
        if not due:
            return Round(now=tx.now, wake_at=next_due)
        hand = Hand(tx, account, name, pace, seconds)
        hand.give(Turns(due, lambda item: item.owner, served), room)
        return hand.result(next_due)


def _due(tx: Tx, account: str, name: Lane) -> Iterator[Due]:
    """Due work of imports that may go on, the first few rows of each import, locked against other dispatchers."""
    rank = sa.func.row_number().over(partition_by=work.c.import_id, order_by=(work.c.due_at, work.c.id))
    ranked = (
        sa.select(work.c.id, rank.label("rank"))
        .select_from(work.outerjoin(imports, imports.c.id == work.c.import_id))
        .outerjoin(orders, orders.c.id == work.c.order_id)
        .where(work.c.account == account, work.c.lane == name, work.c.state == WAITING, work.c.due_at <= tx.now)
        .where(*_startable(tx, account, name))
        .subquery()
    )
    fields = [work.c[name] for name in Due.__dataclass_fields__ if name != "max_per_minute"]
    query = (
        sa.select(*fields, imports.c.max_per_minute)
        .select_from(work.join(ranked, ranked.c.id == work.c.id).outerjoin(imports, imports.c.id == work.c.import_id))
        .where(ranked.c.rank <= LOOKAHEAD, work.c.state == WAITING)
        .order_by(ranked.c.rank, work.c.due_at)
        .with_for_update(of=work, skip_locked=True)
    )
    return (Due(**row._mapping) for row in tx.run(query))  # noqa: SLF001  # the documented way to a row's mapping


def _startable(tx: Tx, account: str, name: Lane) -> Iterator[sa.ColumnElement[bool]]:
    if name is Lane.APPLICATIONS:
        wanting = sa.exists().where(imports.c.application_ref == work.c.application_ref, active())
        yield wanting.correlate(work)
        return
    yield active()
    if name is Lane.DASHBOARD and _at_carrier(tx, account) >= ORDERS_AT_CARRIER:
        yield orders.c.state != OrderState.PLANNED
    if name in {Lane.NUMBERS, Lane.LOOKUPS}:
        yield sa.or_(work.c.task == Task.RELEASE_NUMBERS, application_ready().correlate(imports))


def _at_carrier(tx: Tx, account: str) -> int:
    count = sa.select(sa.func.count()).select_from(orders)
    return int(tx.run(count.where(orders.c.account == account, orders.c.state.in_(AT_CARRIER))).scalar_one())


def _next_due(tx: Tx, account: str, name: Lane) -> float:
    first = sa.select(sa.func.min(work.c.due_at)).where(
        work.c.account == account,
        work.c.lane == name,
        work.c.state == WAITING,
        work.c.due_at > tx.now,
    )
    found = tx.run(first).scalar()
    return inf if found is None else float(found)
