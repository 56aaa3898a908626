"""Answers «why is nothing happening», from what the ledger knows."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain import pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import CARRIERS, Lane, own_pace, pace_of
from tnimport.domain.life import AT_CARRIER, Action
from tnimport.ledger.engine import Tx
from tnimport.ledger.lanes import own
from tnimport.ledger.schema import applications, lanes, orders, rings, work
from tnimport.ledger.work import RUNNING, SENT

PICKED_UP_WITHIN: Final = 5.0  # seconds in which a worker that is alive and not overwhelmed takes a message
NOTICED: Final = 2.0  # seconds; a pace that keeps calls back for less is not what one waits for


def waiting_on(tx: Tx, row: sa.Row[Any], paces: Paces | None = None) -> dict[str, Any] | None:
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
        return _worker(tx, row) or _proofs(tx, row)
    return _pause(tx, row) or _worker(tx, row) or _application(tx, row) or _carrier(tx, row) or _calls(tx, row, paces)


def _pause(tx: Tx, row: sa.Row[Any]) -> dict[str, Any] | None:
    # What it has to do with other than its messages, for which it waits under a name of their own.
    names = CARRIERS - {Lane.MESSAGES}
    paused = sa.select(lanes.c.name, lanes.c.paused_until).where(
        lanes.c.account == row.account, lanes.c.name.in_(names), lanes.c.paused_until > tx.now
    )
    found = tx.run(paused.order_by(lanes.c.paused_until.desc())).first()
    return {"what": "rate_limit", "lane": found.name, "until": found.paused_until} if found else None


def _proofs(tx: Tx, row: sa.Row[Any]) -> dict[str, Any]:
    ring = _ring(tx, row)
    left = ring.size - ring.settled if ring is not None else row.imported
    return {"what": "verify", "left": left, "since": row.verify_started_at}


def _ring(tx: Tx, row: sa.Row[Any]) -> sa.Row[Any] | None:
    return tx.run(sa.select(rings.c.size, rings.c.settled).where(rings.c.import_id == row.id)).first()


def _worker(tx: Tx, row: sa.Row[Any]) -> dict[str, Any] | None:
    """Messages that nobody has picked up for a while, and nobody at work."""
    mine = sa.select(work.c.id).where(work.c.import_id == row.id).limit(1)
    old = mine.where(work.c.state == SENT, work.c.due_at < tx.now - PICKED_UP_WITHIN)
    if tx.run(mine.where(work.c.state == RUNNING)).first() or not tx.run(old).first():
        return None
    return {"what": "worker"}


def _application(tx: Tx, row: sa.Row[Any]) -> dict[str, Any] | None:
    if not row.available or row.application_ref is None:
        return None
    missing = sa.select(applications.c.id).where(
        applications.c.id == row.application_ref, applications.c.application_id.is_(None)
    )
    return {"what": "application"} if tx.run(missing).first() else None


def _carrier(tx: Tx, row: sa.Row[Any]) -> dict[str, Any] | None:
    oldest = (
        sa.select(orders.c.id, orders.c.carrier_order_id, orders.c.carrier_status, orders.c.sent_at)
        .where(orders.c.import_id == row.id, orders.c.state.in_(AT_CARRIER))
        .order_by(orders.c.sent_at)
    )
    found = tx.run(oldest).first()
    if found is None or _uncalled(row):
        return None
    return {
        "what": "carrier_order",
        "order": found.id,
        "carrier_order_id": found.carrier_order_id,
        "status": found.carrier_status,
        "since": found.sent_at,
    }


def _calls(tx: Tx, row: sa.Row[Any], paces: Paces | None) -> dict[str, Any] | None:
    """The calls for single numbers: kept back by a pace, which says until when at least, or simply under way."""
    left = _uncalled(row)
    if not left:
        return None
    facts = {"left": left, "action": row.action}
    slowest = max(_kept_back(tx, row, left, paces), default=None) if paces else None
    if slowest is None or slowest[0] < tx.now + NOTICED:
        return {"what": "calls", **facts}
    return {"what": "pace", **facts, "until": slowest[0], "per_minute": slowest[1]}


def _kept_back(tx: Tx, row: sa.Row[Any], left: int, paces: Paces) -> Iterator[tuple[float, float]]:
    """Each pace that the calls go by: until when it keeps the last one back if they have it alone, and its rate."""
    endpoint = Lane.LOOKUPS if row.action == Action.REMOVE else Lane.NUMBERS
    applying = {endpoint.value: pace_of(paces, endpoint)}
    if row.max_per_minute is not None and endpoint is Lane.NUMBERS:
        applying[own(row.id)] = own_pace(row.max_per_minute)
    of_account = sa.select(lanes).where(lanes.c.account == row.account, lanes.c.name.in_(applying))
    known = {
        found.name: pacing.Lane(found.tokens, found.filled_at, share=found.share, share_at=found.share_at)
        for found in tx.run(of_account)
    }
    for name, pace in applying.items():
        lane = known.get(name) or pacing.fresh(pace, tx.now)
        yield pacing.spent_at(lane, pace, left, tx.now), pacing.learned(lane, pace, tx.now) * 60


def _uncalled(row: sa.Row[Any]) -> int:
    """How many numbers Catapult has yet to be called for, each with a call of its own."""
    return int(row.requested if row.action == Action.REMOVE else row.available)
