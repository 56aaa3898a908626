"""What the service looks like from outside, in numbers: from counters, small tables, and what is not over."""

from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sa

from tnimport.domain.lanes import CARRIERS
from tnimport.domain.life import AT_CARRIER
from tnimport.domain.webhooks import DeliveryState
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.reading import tallies
from tnimport.ledger.reading.totals import totals
from tnimport.ledger.schema import (
    NOT_DELIVERED,
    NOT_SENT,
    deliveries,
    heartbeats,
    imports,
    lanes,
    messages,
    orders,
    work,
)


@dataclass(frozen=True)
class LaneGauge:
    """A lane: tokens at its last use, seconds for which the carrier still asks us to wait, whether it is open."""

    tokens: float
    paused: float
    opened: bool
    trouble: int


@dataclass
class Gauges:
    """One look at the ledger. Keys are tuples of labels; ages in seconds by the database's clock."""

    numbers: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, state
    imports: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, state
    orders: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, state
    oldest_order: dict[str, float] = field(default_factory=dict)  # account: of those at the carrier
    lanes: dict[tuple[str, str], LaneGauge] = field(default_factory=dict)  # account, lane
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, state: of those that are not sent
    webhooks: Counter[tuple[str, str]] = field(default_factory=Counter)  # account, state: of those not delivered
    oldest_webhook: dict[str, float] = field(default_factory=dict)  # account: of those that wait
    work: Counter[tuple[str, str]] = field(default_factory=Counter)  # task, state
    processes: dict[tuple[str, str, int], float] = field(default_factory=dict)  # kind, host, pid: silent for
    calls: dict[tuple[str, str, str], int] = field(default_factory=dict)  # account, api, status
    claims_expired: dict[str, int] = field(default_factory=dict)  # account
    conservation_gap: int = 0


def look(ledger: Ledger) -> Gauges:
    """Everything at one moment."""
    found = Gauges()
    with ledger.read() as tx:
        _totals(tx, found)
        _orders(tx, found)
        _lanes(tx, found)
        _messages(tx, found)
        _webhooks(tx, found)
        _work(tx, found)
        _processes(tx, found)
        _tallies(tx, found)
    return found


def _totals(tx: Tx, found: Gauges) -> None:
    """Of imports, numbers and orders."""
    all_ = totals(tx)
    found.imports, found.numbers, found.orders = all_.imports, all_.numbers, all_.orders
    found.conservation_gap = all_.gap


def _orders(tx: Tx, found: Gauges) -> None:
    """How long the oldest one is at the carrier; an import with such an order is not finished."""
    going = sa.select(orders.c.account, sa.func.min(orders.c.sent_at).label("since")).join(imports)
    there = going.where(imports.c.finished_at.is_(None), orders.c.state.in_(AT_CARRIER)).group_by(orders.c.account)
    for row in tx.run(there):
        if row.since is not None:
            found.oldest_order[row.account] = max(0.0, tx.now - row.since)


def _lanes(tx: Tx, found: Gauges) -> None:
    """Lanes of accounts; those that keep one import to its caller's pace would be a label for each import."""
    for row in tx.run(sa.select(lanes).where(lanes.c.name.in_(CARRIERS))):
        paused = max(0.0, row.paused_until - tx.now)
        found.lanes[row.account, row.name] = LaneGauge(row.tokens, paused, row.opened, row.trouble)


def _messages(tx: Tx, found: Gauges) -> None:
    """Those that were sent are left out: they may be millions, and an index has the others."""
    fields = (messages.c.account, messages.c.state)
    for row in tx.run(sa.select(*fields, sa.func.count().label("total")).where(NOT_SENT).group_by(*fields)):
        found.messages[row.account, row.state] = row.total


def _webhooks(tx: Tx, found: Gauges) -> None:
    """Those that were delivered are left out, as messages are that were sent."""
    fields = (deliveries.c.account, deliveries.c.state)
    seen = sa.select(*fields, sa.func.count().label("total"), sa.func.min(deliveries.c.created_at).label("since"))
    for row in tx.run(seen.where(NOT_DELIVERED).group_by(*fields)):
        found.webhooks[row.account, row.state] = row.total
        if row.state == DeliveryState.WAITING:
            found.oldest_webhook[row.account] = max(0.0, tx.now - row.since)


def _work(tx: Tx, found: Gauges) -> None:
    fields = (work.c.task, work.c.state)
    for row in tx.run(sa.select(*fields, sa.func.count().label("total")).group_by(*fields)):
        found.work[row.task, row.state] = row.total


def _processes(tx: Tx, found: Gauges) -> None:
    for row in tx.run(sa.select(heartbeats)):
        found.processes[row.kind, row.host, row.pid] = max(0.0, tx.now - row.seen_at)


def _tallies(tx: Tx, found: Gauges) -> None:
    for label, total in tallies.totals(tx, tallies.CALLS).items():
        account, api, status = label.split(" ")
        found.calls[account, api, status] = total
    found.claims_expired = tallies.totals(tx, tallies.CLAIMS_EXPIRED)
