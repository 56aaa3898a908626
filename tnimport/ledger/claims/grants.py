"""One look at one lane: turns due work into grants while there are tokens and room.

A grant is a range of positions in an order, or a single step. It is cut from the front of a waiting range, which keeps
the rest; so a million numbers are a few rows, and the broker never holds more than the next few seconds of work.
"""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final, Protocol

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain import pacing
from tnimport.domain.lanes import CARRIERS, Lane, own_pace
from tnimport.domain.life import Outcome
from tnimport.domain.pacing import Pace
from tnimport.domain.turns import Turns
from tnimport.ledger.claims import lanes
from tnimport.ledger.claims.work import RUNNING, SENT, Piece, Stored
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import numbers, work


@dataclass(frozen=True, kw_only=True)
class Grant(Piece):
    """One claim, sent: what the message says of it."""

    work: int
    serial: int
    task: Task
    count: int


@dataclass(frozen=True, kw_only=True)
class Due(Stored):
    """A row of waiting work that may start now."""

    serial: int
    max_per_minute: float | None
    left: int  # numbers of its import that have no outcome yet
    opens: bool  # it sends an order that is not at the carrier yet

    @property
    def numbered(self) -> bool:
        """Whether it works on positions of an order."""
        return self.last > self.first


def _piece_of(item: Due) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Piece.__dataclass_fields__}


class Gate(Protocol):
    """What may keep an item back though there are tokens for it."""

    def lets_in(self, item: Due) -> bool:
        """Whether the item may start; what is let in counts as started."""


class Open:
    """A gate that lets everything in."""

    def lets_in(self, _item: Due) -> bool:
        """Let it in."""
        return True


@dataclass
class Round:
    """What one look at a lane gave: the grants, and when to look again though nothing happens (database time)."""

    now: float
    grants: list[Grant] = field(default_factory=list)
    wake_at: float = inf


# Built once: a round executes each of them for every claim that it gives.
_IN_FLIGHT: Final = (
    sa.select(sa.func.count())
    .select_from(work)
    .where(work.c.account == sa.bindparam("of"), work.c.lane == sa.bindparam("endpoint"))
    .where(work.c.state.in_((SENT, RUNNING)))
)
_OPEN_PLACES: Final = (
    sa.select(numbers.c.pos)
    .where(numbers.c.order_id == sa.bindparam("order"), numbers.c.outcome == Outcome.OPEN)
    .where(numbers.c.pos >= sa.bindparam("first"), numbers.c.pos < sa.bindparam("last"))
    .order_by(numbers.c.pos)
    .limit(sa.bindparam("most"))
)
_ADDING: Final = sa.insert(work).returning(work.c.id)
_CHANGING: Final = sa.update(work).where(work.c.id == sa.bindparam("row"))
_REMOVING: Final = sa.delete(work).where(work.c.id == sa.bindparam("row"))


class LaneGrants:
    """Grants of one lane within one transaction."""

    def __init__(self, tx: Tx, account: str, name: Lane, pace: Pace, seconds: float) -> None:
        self._tx, self._account, self._name, self._pace = tx, account, name, pace
        self._until = tx.now + seconds
        self._lane = lanes.lock(tx, account, name, pace)
        self._trusted = self._lane.opened or name not in CARRIERS
        self._budget = self._tokens()
        self._round = Round(now=tx.now)
        self._short = False

    def _tokens(self) -> float:
        """How many calls may start: one at a time while the account is in doubt, so that a wrong password is cheap."""
        tokens = pacing.available(self._lane, self._pace, self._tx.now)
        return tokens if self._trusted else min(tokens, 1 - self._in_flight())

    def _in_flight(self) -> int:
        return int(self._tx.run(_IN_FLIGHT, {"of": self._account, "endpoint": self._name}).scalar_one())

    def give(self, turns: Turns[Due], room: int, gate: Gate) -> None:
        """Go round as long as there are tokens, room and something due that the gate lets in."""
        while len(self._round.grants) < room:
            item = turns.next()
            if item is None:
                break
            if self._budget < 1:
                self._short = True
                break
            if not gate.lets_in(item):
                continue
            rest = self._grant(item, self._own_budget(item))
            if rest is not None:
                turns.put_back(rest)
        if self._round.grants:
            lanes.save(self._tx, self._account, self._name, self._lane)

    def result(self, next_due: float) -> Round:
        """The grants, and when there is a token again if one was missing."""
        if self._short:
            token_at = pacing.ready_at(self._lane, self._pace, self._tx.now)
            if token_at > self._tx.now:  # otherwise the result of a run in flight is what we wait for
                self._wake(token_at)
        self._wake(next_due)
        return self._round

    def _wake(self, at: float) -> None:
        self._round.wake_at = min(self._round.wake_at, at)

    def _own_budget(self, item: Due) -> float:
        """What the caller's own `max_per_minute` leaves of the budget for this import."""
        if item.max_per_minute is None or self._name is not Lane.NUMBERS:
            return self._budget
        pace = own_pace(item.max_per_minute)
        lane = lanes.lock(self._tx, self._account, lanes.own(item.import_id), pace)
        if pacing.available(lane, pace, self._tx.now) < 1:
            self._wake(pacing.ready_at(lane, pace, self._tx.now))
        return min(self._budget, pacing.available(lane, pace, self._tx.now))

    def _grant(self, item: Due, budget: float) -> Due | None:
        """Send one claim; returns what is left of a range."""
        if budget < 1:
            return None
        if not item.numbered:
            self._send(item, 1)
            return None
        size = pacing.grant_size(self._pace, item.left) if self._trusted else 1
        places = self._open_places(item, int(min(budget, size)))
        if not places:
            self._tx.run(_REMOVING, {"row": item.id})
            return None
        cut = places[-1] + 1
        if cut >= item.last:
            self._send(item, len(places))
            return None
        self._send(replace(item, id=self._split(item, cut), last=cut, serial=0), len(places))
        return replace(item, first=cut)

    def _open_places(self, item: Due, most: int) -> list[int]:
        here = {"order": item.order_id, "first": item.first, "last": item.last, "most": most}
        return list(self._tx.run(_OPEN_PLACES, here).scalars())

    def _split(self, item: Due, cut: int) -> int:
        """Give the front of a range a row of its own; the rest stays where it is."""
        kept = {
            name: getattr(item, name)
            for name in ("task", "import_id", "order_id", "look", "lost", "attempts", "strikes")
        }
        own = {"account": self._account, "lane": self._name, "due_at": self._tx.now, "first": item.first, "last": cut}
        front_id = int(self._tx.run(_ADDING, kept | own).scalar_one())
        self._tx.run(_CHANGING, {"row": item.id, "first": cut})
        return front_id

    def _send(self, item: Due, count: int) -> None:
        serial = item.serial + 1
        spent = count if self._pace.rate or item.max_per_minute else 0
        values = {"state": SENT, "serial": serial, "until": self._until, "tokens": spent}
        if self._name is not Lane.VERIFY:  # which asks for how long nobody has looked
            values["due_at"] = self._tx.now
        self._tx.run(_CHANGING, {"row": item.id, **values})
        self._lane = pacing.take(self._lane, self._pace, count, self._tx.now)
        self._budget -= count
        self._spend_own(item, count)
        self._round.grants.append(
            Grant(**_piece_of(item) | {"task": Task(item.task)}, work=item.id, serial=serial, count=count)
        )

    def _spend_own(self, item: Due, count: int) -> None:
        if item.max_per_minute is None or self._name is not Lane.NUMBERS:
            return
        pace = own_pace(item.max_per_minute)
        name = lanes.own(item.import_id)
        lane = lanes.lock(self._tx, self._account, name, pace)
        lanes.save(self._tx, self._account, name, pacing.take(lane, pace, count, self._tx.now))
