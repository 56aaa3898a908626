"""Gathers what an estimate of an import's end needs: a handful of rows, whatever its size."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain import estimate, pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import Lane, own_pace, pace_of
from tnimport.domain.life import AT_CARRIER, OPEN, Action, OrderState
from tnimport.ledger.engine import Tx
from tnimport.ledger.lanes import own
from tnimport.ledger.schema import events, imports, lanes, orders, rings, work
from tnimport.ledger.window import ORDERS_OF_ONE_IMPORT

ENDED_LATELY: Final = 50  # orders whose durations are looked at


def eta(tx: Tx, row: sa.Row[Any], paces: Paces | None = None) -> float | None:
    """When the import will be through, None while there is nothing to go by; `paces` are its account's, if known."""
    if row.finished_at is not None:
        return float(row.finished_at)
    if any(stop is not None for stop in (row.paused_at, row.held_at, row.cancel_asked_at)):
        return None
    paces = paces or Paces(dashboard_per_second=0, numbers_per_minute=0, lookups_per_second=0, messages_per_second=0)
    if row.verify_started_at is not None:
        return _proven_at(tx, row, paces)
    return estimate.through_at(tx.now, _calls(tx, row, paces), _orders(tx, row, paces))


def _proven_at(tx: Tx, row: sa.Row[Any], paces: Paces) -> float | None:
    """When the messages will have gone round: as fast as so far, and at the pace of messages before any has."""
    ring = tx.run(sa.select(rings.c.size, rings.c.settled).where(rings.c.import_id == row.id)).first()
    if ring is None:
        return None
    rate = pace_of(paces, Lane.MESSAGES).rate
    left, took = ring.size - ring.settled, tx.now - row.verify_started_at
    if ring.settled:
        return float(tx.now + left * took / ring.settled)
    return float(tx.now + left / rate) if rate else None


def _calls(tx: Tx, row: sa.Row[Any], paces: Paces) -> estimate.Calls:
    removing = row.action == Action.REMOVE
    endpoint = Lane.LOOKUPS if removing else Lane.NUMBERS
    began, done, left = _removed(row) if removing else _imported(tx, row)
    known = _lanes(tx, row)
    pace, mine = pace_of(paces, endpoint), None
    if row.max_per_minute is not None and not removing:
        own_lane = own_pace(row.max_per_minute)
        mine = known.get(own(row.id)) or pacing.fresh(own_lane, tx.now), own_lane
    return estimate.Calls(
        left=left,
        others=_others(tx, row),
        lane=known.get(endpoint.value) or pacing.fresh(pace, tx.now),
        pace=pace,
        own=mine,
        speed=done / (tx.now - began) if done and began is not None and tx.now > began else None,
    )


def _lanes(tx: Tx, row: sa.Row[Any]) -> Mapping[str, pacing.Lane]:
    fields = [lanes.c[name] for name in pacing.Lane.__dataclass_fields__]
    found = tx.run(sa.select(lanes.c.name, *fields).where(lanes.c.account == row.account)).mappings()
    return {one["name"]: pacing.Lane(**{field.name: one[field] for field in fields}) for one in found}


def _others(tx: Tx, row: sa.Row[Any]) -> tuple[int, ...]:
    """What each other import of the account that goes on has left; one that goes on has work."""
    busy = sa.select(work.c.import_id).where(work.c.account == row.account, work.c.import_id != row.id)
    going = (imports.c.action == row.action, imports.c.paused_at.is_(None), imports.c.held_at.is_(None))
    left = sum((imports.c[state] for state in OPEN), sa.literal(0))
    return tuple(tx.run(sa.select(left).where(imports.c.id.in_(busy), *going)).scalars())


def _orders(tx: Tx, row: sa.Row[Any], paces: Paces) -> estimate.Orders:
    mine = orders.c.import_id == row.id
    planned = sa.select(sa.func.count()).where(mine, orders.c.state == OrderState.PLANNED)
    there = sa.select(orders.c.sent_at).where(mine, orders.c.state.in_(AT_CARRIER))
    took = (orders.c.finished_at - orders.c.sent_at).label("took")
    ended = sa.select(took, orders.c.polls, orders.c.size).where(mine, orders.c.accepted_at.is_not(None), took > 0)
    lately = tx.run(ended.order_by(orders.c.id.desc()).limit(ENDED_LATELY)).all()
    return estimate.Orders(
        planned=tx.run(planned).scalar_one(),
        ages=tuple(max(0.0, tx.now - (at or tx.now)) for at in tx.run(there).scalars()),
        took=tuple(one.took for one in lately),
        looks=sum(one.polls for one in lately) / len(lately) if lately else 0,
        at_once=ORDERS_OF_ONE_IMPORT,
        pace=pace_of(paces, Lane.DASHBOARD),
        size=max((one.size for one in lately), default=0),
    )


def _removed(row: sa.Row[Any]) -> tuple[float | None, int, int]:
    """Since when, how many, how many more: the releases take the time, and begin at once."""
    return row.created_at, row.released + row.ordered + row.removed, row.requested


def _imported(tx: Tx, row: sa.Row[Any]) -> tuple[float | None, int, int]:
    """Since when, how many, how many more: the imports take the time, and begin when the first order has ended."""
    # The first by id: a minimum would read all that has happened since.
    of_this = sa.select(events.c.at).where(events.c.import_id == row.id, events.c.kind == "order_ended")
    ended = of_this.order_by(events.c.id).limit(1)
    done = row.imported + row.present
    return tx.run(ended).scalar(), done, row.requested + row.ordered + row.available
