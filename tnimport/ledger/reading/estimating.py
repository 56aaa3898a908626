"""Estimates an import's end, from a handful of rows, whatever its size."""

from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain import estimate, pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import Lane, own_pace, pace_of
from tnimport.domain.life import Action
from tnimport.ledger.claims.lanes import own
from tnimport.ledger.claims.window import ORDERS_OF_ONE_IMPORT
from tnimport.ledger.reading.progress import Progress

SHORTEST: Final = 1e-3  # seconds that an import takes at least, so that there is something to divide by


def eta(known: Progress, row: sa.Row[Any], paces: Paces | None = None) -> float | None:
    """When the import will be through, None while there is nothing to go by; `paces` are its account's, if known."""
    if row.finished_at is not None:
        return float(row.finished_at)
    if any(stop is not None for stop in (row.paused_at, row.held_at, row.cancel_asked_at)):
        return None
    paces = paces or Paces(dashboard_per_second=0, numbers_per_minute=0, lookups_per_second=0, messages_per_second=0)
    if row.verify_started_at is not None:
        return _proven_at(known, row, paces)
    return estimate.through_at(known.now, _calls(known, row, paces), _orders(known, row, paces))


def _proven_at(known: Progress, row: sa.Row[Any], paces: Paces) -> float | None:
    """When the messages will have gone round: as fast as so far, and at the pace of messages before any has."""
    ring = known.rings.get(row.id)
    if ring is None:
        return None
    rate = pace_of(paces, Lane.MESSAGES).rate
    left, took = ring.size - ring.settled, known.now - row.verify_started_at
    if ring.settled:
        return float(known.now + left * took / ring.settled)
    return float(known.now + left / rate) if rate else None


def _calls(known: Progress, row: sa.Row[Any], paces: Paces) -> estimate.Calls:
    removing = row.action == Action.REMOVE
    endpoint = Lane.LOOKUPS if removing else Lane.NUMBERS
    began, done, left = _stream(known, row)
    pace, mine = pace_of(paces, endpoint), None
    if row.max_per_minute is not None and not removing:
        own_lane = own_pace(row.max_per_minute)
        mine = known.lanes.get((row.account, own(row.id))) or pacing.fresh(own_lane, known.now), own_lane
    return estimate.Calls(
        left=left,
        others=[_other(known, one, began) for one in known.beside(row)],
        lane=known.lanes.get((row.account, endpoint.value)) or pacing.fresh(pace, known.now),
        pace=pace,
        own=mine,
        speed=done / (known.now - began) if done and began is not None and known.now > began else None,
    )


def _other(known: Progress, row: sa.Row[Any], since: float | None) -> estimate.Other:
    """Another import of the account: how many of its numbers a second came through since ours began."""
    began, done, left = _stream(known, row)
    if since is None or began is None or since >= known.now:
        return estimate.Other(left=left)
    ended = row.verify_started_at or row.finished_at or known.now
    share = max(0.0, ended - max(since, began)) / max(ended - began, SHORTEST)
    return estimate.Other(left=left, speed=done * share / (known.now - since))


def _orders(known: Progress, row: sa.Row[Any], paces: Paces) -> estimate.Orders:
    lately = known.ended.get(row.id, ())
    return estimate.Orders(
        planned=known.planned.get(row.id, 0),
        ages=tuple(max(0.0, known.now - (one.sent_at or known.now)) for one in known.there.get(row.id, ())),
        took=tuple(one.took for one in lately),
        looks=sum(one.polls for one in lately) / len(lately) if lately else 0,
        at_once=ORDERS_OF_ONE_IMPORT,
        pace=pace_of(paces, Lane.DASHBOARD),
        size=max((one.size for one in lately), default=0),
    )


def _stream(known: Progress, row: sa.Row[Any]) -> tuple[float | None, int, int]:
    """What takes the time: since when, how many numbers came through, how many are still to come.

    The releases of a removal begin at once, the calls of an import when its first order has ended.
    """
    if row.action == Action.REMOVE:
        return row.created_at, row.released + row.ordered + row.removed, row.requested
    left = row.requested + row.ordered + row.available
    return known.began.get(row.id), row.imported + row.verified + row.present, left
