"""Answers «why is nothing happening», from what the ledger knows."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain import pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import CARRIERS, Lane, own_pace, pace_of
from tnimport.domain.life import Action
from tnimport.ledger.claims.lanes import own
from tnimport.ledger.reading.progress import Progress

NOTICED: Final = 2.0  # seconds; a pace that keeps calls back for less is not what one waits for
# What an import has to do with other than its messages, for which it waits under a name of their own.
_CALLED: Final = sorted(CARRIERS - {Lane.MESSAGES})


def waiting_on(known: Progress, row: sa.Row[Any], paces: Paces | None = None) -> dict[str, Any] | None:
    """The one thing that keeps an unfinished import from being through; None when it is, or when nothing keeps it.

    `paces` are the account's, None where they are not known: then no pace is blamed.
    """
    if row.finished_at is not None:
        return None
    if row.held_at is not None:
        return {"what": "held", "code": row.held_code, "instruction": row.held_text}
    if row.cancel_asked_at is not None:
        return {"what": "cancelling"}
    if row.paused_at is not None:
        return {"what": "paused", "since": row.paused_at}
    if row.verify_started_at is not None:
        return _worker(known, row) or _proofs(known, row)
    return (
        _pause(known, row)
        or _worker(known, row)
        or _application(known, row)
        or _carrier(known, row)
        or _calls(known, row, paces)
    )


def _pause(known: Progress, row: sa.Row[Any]) -> dict[str, Any] | None:
    lanes = {name: lane.paused_until for name in _CALLED if (lane := known.lanes.get((row.account, name)))}
    last = max(lanes, key=lambda name: lanes[name], default=None)
    if last is None or lanes[last] <= known.now:
        return None
    return {"what": "rate_limit", "lane": last.value, "until": lanes[last]}


def _proofs(known: Progress, row: sa.Row[Any]) -> dict[str, Any]:
    ring = known.rings.get(row.id)
    left = ring.size - ring.settled if ring is not None else row.imported
    return {"what": "verify", "left": left, "since": row.verify_started_at}


def _worker(known: Progress, row: sa.Row[Any]) -> dict[str, Any] | None:
    """Messages that nobody has picked up for a while, and nobody at work."""
    return {"what": "worker"} if row.id in known.unclaimed - known.running else None


def _application(known: Progress, row: sa.Row[Any]) -> dict[str, Any] | None:
    return {"what": "application"} if row.available and row.application_ref in known.unready else None


def _carrier(known: Progress, row: sa.Row[Any]) -> dict[str, Any] | None:
    found = next(iter(known.there.get(row.id, ())), None)
    if found is None or _uncalled(row):
        return None
    return {
        "what": "carrier_order",
        "order": found.id,
        "carrier_order_id": found.carrier_order_id,
        "status": found.carrier_status,
        "since": found.sent_at,
    }


def _calls(known: Progress, row: sa.Row[Any], paces: Paces | None) -> dict[str, Any] | None:
    """The calls for single numbers: kept back by a pace, which says until when at least, or simply under way."""
    left = _uncalled(row)
    if not left:
        return None
    facts = {"left": left, "action": row.action}
    slowest = max(_kept_back(known, row, left, paces), default=None) if paces else None
    if slowest is None or slowest[0] < known.now + NOTICED:
        return {"what": "calls", **facts}
    return {"what": "pace", **facts, "until": slowest[0], "per_minute": slowest[1]}


def _kept_back(known: Progress, row: sa.Row[Any], left: int, paces: Paces) -> Iterator[tuple[float, float]]:
    """Each pace that the calls go by: until when it keeps the last one back if they have it alone, and its rate."""
    endpoint = Lane.LOOKUPS if row.action == Action.REMOVE else Lane.NUMBERS
    applying = {endpoint.value: pace_of(paces, endpoint)}
    if row.max_per_minute is not None and endpoint is Lane.NUMBERS:
        applying[own(row.id)] = own_pace(row.max_per_minute)
    for name, pace in applying.items():
        lane = known.lanes.get((row.account, name)) or pacing.fresh(pace, known.now)
        lane = pacing.Lane(lane.tokens, lane.filled_at, share=lane.share, share_at=lane.share_at)
        yield pacing.spent_at(lane, pace, left, known.now), pacing.learned(lane, pace, known.now) * 60


def _uncalled(row: sa.Row[Any]) -> int:
    """How many numbers Catapult has yet to be called for, each with a call of its own."""
    return int(row.requested if row.action == Action.REMOVE else row.available)
