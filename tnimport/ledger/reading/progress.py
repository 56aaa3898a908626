"""What is read beside imports to tell how they get on: as many statements for a page of imports as for one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain import pacing
from tnimport.domain.lanes import CARRIERS
from tnimport.domain.life import AT_CARRIER, NumberState, OrderState
from tnimport.ledger.claims.lanes import own
from tnimport.ledger.claims.work import RUNNING, SENT
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import applications, events, imports, lanes, orders, rings, work

PICKED_UP_WITHIN: Final = 5.0  # seconds in which a worker that is alive and not overwhelmed takes a message
ENDED_LATELY: Final = 50  # orders of an import whose durations are looked at, and imports that have made room
Rows = Sequence[sa.Row[Any]]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What is known of some imports beside their own rows, by their ids.

    Nothing of those that are over or stopped, but for what others are to be compared with.
    """

    now: float
    lanes: Mapping[tuple[str, str], pacing.Lane]  # by account and name
    rings: Mapping[str, sa.Row[Any]]
    running: frozenset[str]  # somebody is at work on them
    unclaimed: frozenset[str]  # nobody has picked their messages up for a while
    unready: frozenset[int]  # applications that the carrier has yet to name
    there: Mapping[str, Rows]  # their orders at the carrier, the oldest first
    planned: Mapping[str, int]  # how many orders they have yet to send
    ended: Mapping[str, Rows]  # their orders that ended lately
    began: Mapping[str, float]  # when their first order ended, and that of those beside them
    alike: Mapping[tuple[str, str], Rows]  # by account and action: imports that go on, and some that ended meanwhile

    def beside(self, row: sa.Row[Any]) -> Iterator[sa.Row[Any]]:
        """Other imports of the same account and action: those that go on, and some that ended while it did."""
        return (one for one in self.alike.get((row.account, row.action), ()) if one.id != row.id)


def goes_on(row: sa.Row[Any]) -> bool:
    """Whether an import is neither over nor stopped, so that it matters what else is known of it."""
    stops = (row.finished_at, row.held_at, row.cancel_asked_at, row.paused_at)
    return all(stop is None for stop in stops)


def progress_of(tx: Tx, rows: Iterable[sa.Row[Any]]) -> Progress:
    """Read what is known of these imports (whole rows) beside themselves."""
    going = [row for row in rows if goes_on(row)]
    ids = [row.id for row in going]
    claims = _claims(tx, ids)
    beside = _beside(tx, going)
    return Progress(
        now=tx.now,
        lanes=_lanes(tx, going),
        rings=_rings(tx, [row.id for row in going if row.verify_started_at is not None]),
        running=frozenset(one.import_id for one in claims if one.state == RUNNING),
        unclaimed=frozenset(one.import_id for one in claims if one.state == SENT),
        unready=_unready(tx, {row.application_ref for row in going if row.available}),
        there=_there(tx, ids),
        planned=_planned(tx, ids),
        ended=_ended(tx, ids),
        began=_began(tx, {*ids, *(one.id for one in beside)}),
        alike=_by(beside, "account", "action"),
    )


def _lanes(tx: Tx, going: Rows) -> dict[tuple[str, str], pacing.Lane]:
    names = [*CARRIERS, *(own(row.id) for row in going if row.max_per_minute is not None)]
    accounts = {row.account for row in going}
    wanted = sa.select(lanes).where(lanes.c.account.in_(accounts), lanes.c.name.in_(names))
    fields = pacing.Lane.__dataclass_fields__
    return {
        (one.account, one.name): pacing.Lane(**{name: getattr(one, name) for name in fields})
        for one in _found(tx, wanted, accounts)
    }


def _rings(tx: Tx, ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
    mine = sa.select(rings.c.import_id, rings.c.size, rings.c.settled).where(rings.c.import_id.in_(ids))
    return {row.import_id: row for row in _found(tx, mine, ids)}


def _claims(tx: Tx, ids: Sequence[str]) -> Rows:
    """Imports with a run, and imports with a message that nobody has picked up for a while."""
    old = sa.and_(work.c.state == SENT, work.c.due_at < tx.now - PICKED_UP_WITHIN)
    mine = (work.c.import_id.in_(ids), sa.or_(work.c.state == RUNNING, old))
    return _found(tx, sa.select(work.c.import_id, work.c.state).where(*mine).distinct(), ids)


def _unready(tx: Tx, refs: Iterable[int | None]) -> frozenset[int]:
    known = [ref for ref in refs if ref is not None]
    missing = (applications.c.id.in_(known), applications.c.application_id.is_(None))
    return frozenset(row.id for row in _found(tx, sa.select(applications.c.id).where(*missing), known))


def _there(tx: Tx, ids: Sequence[str]) -> dict[str, Rows]:
    fields = (orders.c.import_id, orders.c.id, orders.c.carrier_order_id, orders.c.carrier_status, orders.c.sent_at)
    mine = (orders.c.import_id.in_(ids), orders.c.state.in_(AT_CARRIER))
    oldest = sa.select(*fields).where(*mine).order_by(orders.c.import_id, orders.c.sent_at)
    return _by(_found(tx, oldest, ids), "import_id")


def _planned(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    mine = (orders.c.import_id.in_(ids), orders.c.state == OrderState.PLANNED)
    counts = sa.select(orders.c.import_id, sa.func.count().label("total")).where(*mine).group_by(orders.c.import_id)
    return {row.import_id: row.total for row in _found(tx, counts, ids)}


def _ended(tx: Tx, ids: Sequence[str]) -> dict[str, Rows]:
    took = (orders.c.finished_at - orders.c.sent_at).label("took")
    lately = sa.func.row_number().over(partition_by=orders.c.import_id, order_by=orders.c.id.desc()).label("lately")
    fields = (orders.c.import_id, orders.c.polls, orders.c.size, took, lately)
    accepted = (orders.c.import_id.in_(ids), orders.c.accepted_at.is_not(None), took > 0)
    ranked = sa.select(*fields).where(*accepted).subquery()
    newest = sa.select(ranked).where(ranked.c.lately <= ENDED_LATELY)
    return _by(_found(tx, newest.order_by(ranked.c.import_id, ranked.c.lately), ids), "import_id")


def _began(tx: Tx, ids: Collection[str]) -> dict[str, float]:
    # The first by id: a minimum would read all that has happened since.
    of_this = sa.select(events.c.at).where(events.c.import_id == imports.c.id, events.c.kind == "order_ended")
    first = of_this.order_by(events.c.id).limit(1).scalar_subquery().label("at")
    found = _found(tx, sa.select(imports.c.id, first).where(imports.c.id.in_(ids)), ids)
    return {row.id: row.at for row in found if row.at is not None}


def _beside(tx: Tx, going: Rows) -> Rows:
    """Imports of the same accounts: those that go on, which have work, and the last that ended since ours began."""
    if not going:
        return ()
    # Those that go on are looked for in all accounts, so that no database reads what else an account had.
    on = sa.and_(*(stop.is_(None) for stop in (imports.c.finished_at, imports.c.paused_at, imports.c.held_at)))
    busy = sa.exists().where(work.c.import_id == imports.c.id)
    since = min(row.created_at for row in going)
    over = sa.select(*_ALIKE).where(imports.c.finished_at > since).order_by(imports.c.finished_at.desc())
    accounts = {row.account for row in going}
    found = (*tx.run(sa.select(*_ALIKE).where(on, busy)), *tx.run(over.limit(ENDED_LATELY)))
    return sorted((row for row in found if row.account in accounts), key=lambda row: (row.account, row.action))


_ALIKE: Final = (
    *(imports.c.id, imports.c.account, imports.c.action),
    *(imports.c.created_at, imports.c.verify_started_at, imports.c.finished_at),
    *(imports.c[state] for state in NumberState),
)


def _found(tx: Tx, query: sa.Select[Any], about: Iterable[object]) -> Rows:
    """What a query finds; where it is about nothing it is not asked."""
    return tx.run(query).all() if any(True for _ in about) else ()


def _by(rows: Rows, *names: str) -> dict[Any, Rows]:
    """Rows that are sorted by these columns, by their values."""
    groups = groupby(rows, key=lambda row: tuple(getattr(row, name) for name in names))
    return {key if len(names) > 1 else key[0]: tuple(group) for key, group in groups}
