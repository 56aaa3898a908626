"""Hands out work: what is due, as much as the account's pace and the broker's room allow, to whose turn it is."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane, pace_of
from tnimport.domain.life import OPEN, OrderState
from tnimport.domain.pacing import Pace
from tnimport.domain.turns import Turns
from tnimport.ledger.claims import lanes
from tnimport.ledger.claims.grants import Due, Gate, Grant, LaneGrants, Open, Round
from tnimport.ledger.claims.receivers import Receivers
from tnimport.ledger.claims.window import OPEN_TO, Window
from tnimport.ledger.claims.work import SENT, WAITING, active, application_ready, closing, doubtful, going_on, waits
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import imports, orders, work
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.leaps import leaps
from tnimport.ledger.sql.records import record_of

_LEFT: Final = sa.func.coalesce(sum((imports.c[state] for state in OPEN), sa.literal(0)), 0).label("left")
_OF_NO_IMPORT: Final = {Lane.DASHBOARD, Lane.MESSAGES}  # lanes in which an account has work of its own
_LANES: Final = frozenset(lane.value for lane in Lane)
_TASKS: Final = frozenset(task.value for task in Task)
LOOKAHEAD: Final = 16  # due rows of one import that one round looks at
MESSAGES_AHEAD: Final = 64  # each message is a row of its own; as many as may wait in a queue of the broker


@dataclass(frozen=True)
class DueLanes:
    """Lanes with due work now, when the next other work is due, and what time it is (database time).

    `unknown` are lanes whose work waits for a newer dispatcher: in a rolling upgrade newer processes plan it already.
    """

    ready: list[tuple[str, Lane]]
    next_at: float
    now: float
    unknown: frozenset[str] = frozenset()


def due_lanes(ledger: Ledger) -> DueLanes:
    """One cheap look at everything that waits, however much that is, so that an idle dispatcher writes nothing."""
    with ledger.read() as tx:
        rows = [row for row in tx.run(_DUE_LANES) if row.due_at is not None]
        known = [row for row in rows if row.lane in _LANES]
        ready = [(row.account, Lane(row.lane)) for row in known if row.due_at <= tx.now]
        next_at = min((row.due_at for row in known if row.due_at > tx.now), default=inf)
        return DueLanes(ready, next_at, tx.now, frozenset(row.lane for row in rows) - _LANES)


_WITH_WORK: Final = leaps(work.c.lane, each=work.c.account)
_DUE_LANES: Final = sa.select(
    _WITH_WORK,
    sa.select(work.c.due_at)
    .where(work.c.account == _WITH_WORK.c.account, work.c.lane == _WITH_WORK.c.lane, work.c.state == WAITING)
    .order_by(work.c.due_at)
    .limit(1)
    .scalar_subquery()
    .label("due_at"),
)


def unsend(ledger: Ledger, grants: Iterable[Grant], accounts: Mapping[str, Account]) -> None:
    """Take back claims whose messages could not be sent; a message that got through all the same finds nothing."""
    for grant in grants:
        freed = _free(ledger, grant)
        if freed is not None and freed.account in accounts:
            # Apart, for a lane is locked before work or without any.
            _give_back(ledger, grant, freed, accounts[freed.account])


@retried_on_deadlock
def _free(ledger: Ledger, grant: Grant) -> sa.Row[Any] | None:
    mine = sa.select(work.c.id).where(work.c.id == grant.work, work.c.serial == grant.serial, work.c.state == SENT)
    unlocked = mine.with_for_update(skip_locked=True)  # somebody who takes it right now has the message after all
    free = sa.update(work).where(work.c.id.in_(unlocked)).values(state=WAITING, until=None, tokens=0)
    with ledger.write() as tx:
        return tx.run(free.returning(work.c.account, work.c.lane)).first()


@retried_on_deadlock
def _give_back(ledger: Ledger, grant: Grant, freed: sa.Row[Any], account: Account) -> None:
    pace = pace_of(account.paces, Lane(freed.lane))
    with ledger.write() as tx:
        lanes.give_back(tx, freed.account, freed.lane, pace, count=grant.count, import_id=grant.import_id)


@retried_on_deadlock
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
        grants = LaneGrants(tx, account, name, pace, seconds)
        due, gate = _offer(tx, account, name)
        grants.give(Turns(due, lambda item: item.owner, served), room, gate)
        return grants.result(_next_due(tx, account, name))


def _offer(tx: Tx, account: str, name: Lane) -> tuple[Iterator[Due], Gate]:
    """What is due in a lane, and the gate that it has to pass."""
    if name is Lane.WEBHOOKS:
        receivers = Receivers(tx, account)
        return receivers.due(), receivers
    window = Window(tx, account) if name is Lane.DASHBOARD else None
    return _due(tx, account, name, window), window or Open()


def _due(tx: Tx, account: str, name: Lane, window: Window | None) -> Iterator[Due]:
    """Due work of imports that may go on, the first few rows of each import, locked against other dispatchers."""
    places = window.places() if window else {}
    rows = tx.run(_due_in(name), {"of": account, "at": tx.now, **places})
    return (record_of(Due, row) for row in rows)


@cache
def _due_in(name: Lane) -> sa.Select[Any]:
    """The query of a lane; to build it costs more than to execute it.

    Orders yet to be sent are ranked apart, so that many of them do not hide the looks at those that were.
    """
    opens = sa.func.coalesce(orders.c.state == OrderState.PLANNED, sa.false()).label("opens")
    rank = sa.func.row_number().over(partition_by=(work.c.import_id, opens), order_by=(work.c.due_at, work.c.id))
    ranked = (
        sa.select(work.c.id, rank.label("rank"), opens)
        .select_from(work.outerjoin(imports, imports.c.id == work.c.import_id))
        .outerjoin(orders, orders.c.id == work.c.order_id)
        .where(*_waiting(name), _IS_DUE, work.c.task.in_(_TASKS), *_startable(name))
        .subquery()
    )
    fields = [work.c[name] for name in Due.__dataclass_fields__ if name in work.c]
    return (
        sa.select(*fields, imports.c.max_per_minute, ranked.c.opens, _LEFT)
        .select_from(work.join(ranked, ranked.c.id == work.c.id).outerjoin(imports, imports.c.id == work.c.import_id))
        .where(ranked.c.rank <= (MESSAGES_AHEAD if name is Lane.MESSAGES else LOOKAHEAD), waits())
        .order_by(ranked.c.rank, work.c.due_at)
        .with_for_update(of=work, skip_locked=True)
    )


def _waiting(name: Lane) -> tuple[sa.ColumnElement[bool], ...]:
    """Of an account's own messages, which may be very many, only the next few are looked at; an import has few."""
    mine = (_OF_ACCOUNT, work.c.lane == name, work.c.state == WAITING)
    if name is not Lane.MESSAGES:
        return mine
    own = sa.select(work.c.id).where(*mine, _IS_DUE, work.c.import_id.is_(None))
    next_ = own.order_by(work.c.due_at).limit(MESSAGES_AHEAD).subquery()
    proving = sa.select(imports.c.id).where(
        imports.c.account == sa.bindparam("of"), active(), imports.c.verify_started_at > 0
    )
    theirs = sa.select(work.c.id).where(work.c.import_id.in_(proving), work.c.task == Task.SEND_MESSAGE)
    return work.c.id.in_(sa.select(next_.c.id).union_all(theirs)), waits()


def _startable(name: Lane) -> Iterator[sa.ColumnElement[bool]]:
    if name is Lane.APPLICATIONS:
        wanting = sa.exists().where(imports.c.application_ref == work.c.application_ref, active())
        yield wanting.correlate(work)
        return
    yield sa.or_(work.c.import_id.is_(None), going_on()) if name in _OF_NO_IMPORT else going_on()
    if name is Lane.DASHBOARD:
        yield OPEN_TO
    if name in {Lane.NUMBERS, Lane.LOOKUPS}:
        # What an import left behind is found out without the application, which may not be there any longer.
        ready = (application_ready().correlate(imports), sa.and_(closing(), doubtful()))
        yield sa.or_(work.c.task == Task.RELEASE_NUMBERS, *ready)


_OF_ACCOUNT: Final = work.c.account == sa.bindparam("of")
_IS_DUE: Final = work.c.due_at <= sa.bindparam("at")


def _next_due(tx: Tx, account: str, name: Lane) -> float:
    found = tx.run(_NEXT_DUE, {"of": account, "endpoint": name, "at": tx.now}).scalar()
    return inf if found is None else float(found)


_NEXT_DUE: Final = sa.select(sa.func.min(work.c.due_at)).where(
    _OF_ACCOUNT, work.c.lane == sa.bindparam("endpoint"), work.c.state == WAITING, work.c.due_at > sa.bindparam("at")
)
