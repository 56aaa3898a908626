"""When an import will be through: from what is left, its share of the pace, and how long its orders have taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from tnimport.domain import pacing
from tnimport.domain.pacing import Lane, Pace

OVERDUE: Final = 0.25  # an order that takes longer than others did is expected to take a quarter longer than so far


@dataclass(frozen=True, kw_only=True)
class Other:
    """Another import of the account: the calls that it still needs, and how many a second it got since ours began.

    One that has ended needs none, and has left us its turns.
    """

    left: int
    speed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The calls that the numbers of an import still need, one each.

    The others take turns with ours. `speed` is how many numbers a second came through so far, None before the first.
    """

    left: int
    others: Sequence[Other]
    lane: Lane
    pace: Pace
    own: tuple[Lane, Pace] | None = None
    speed: float | None = None


@dataclass(frozen=True, kw_only=True)
class Orders:
    """The orders of an import that have not ended; ages and durations in seconds.

    `took` are the durations of those that have ended, with `looks` calls each on average; `at_once` is how many may be
    at the carrier.
    """

    planned: int
    ages: tuple[float, ...]
    took: tuple[float, ...]
    looks: float
    at_once: int
    pace: Pace
    size: int


def through_at(now: float, calls: Calls, orders: Orders) -> float | None:
    """When the last number will have its outcome; None while there is nothing to go by.

    The slower of two streams decides: the calls for single numbers, and the orders before them, whose last one is
    followed by the calls for its own numbers.
    """
    called = _called_at(now, calls)
    pending = orders.planned + len(orders.ages)
    if not pending:
        return called
    if not orders.took:
        return None
    last = min(calls.left, orders.size)
    return max(called or now, now + _ordered_in(orders) + last / _rate(now, calls))


def _called_at(now: float, calls: Calls) -> float | None:
    if not calls.left:
        return now
    ends = [pacing.spent_at(calls.lane, calls.pace, _in_turns(calls), now)] if calls.pace.rate else []
    if calls.own and calls.own[1].rate:
        ends.append(pacing.spent_at(*calls.own, calls.left, now))
    if calls.speed and _idle(now, calls):
        ends.append(now + _free(calls, calls.speed))
    return max(ends, default=None)


def _in_turns(calls: Calls) -> int:
    """The calls that are made until ours are, where the pace decides: one each in turn."""
    return calls.left + sum(min(other.left, calls.left) for other in calls.others)


def _free(calls: Calls, speed: float) -> float:
    """Seconds until ours are made, where workers and carrier decide: all together are as fast as they were so far.

    Each gets the same part of it as it did; whoever ends before us leaves us its part.
    """
    meanwhile = calls.left / speed
    needed = calls.left + sum(min(other.left, other.speed * meanwhile) for other in calls.others)
    return needed / _together(calls, speed)


def _together(calls: Calls, speed: float) -> float:
    return speed + sum(other.speed for other in calls.others)


def _idle(now: float, calls: Calls) -> bool:
    """Whether the pace leaves calls unused, so that the workers and the carrier decide."""
    if calls.pace.rate == 0:
        return True
    return pacing.fill(calls.lane, calls.pace, now).tokens > max(1.0, calls.pace.rate)


def _rate(now: float, calls: Calls) -> float:
    """Calls a second that this import gets, as far as that is known."""
    share = calls.pace.rate / (1 + sum(1 for other in calls.others if other.left)) or float("inf")
    own = (calls.own[1].rate if calls.own else 0) or float("inf")
    shown = _shown(calls, calls.speed) if calls.speed and _idle(now, calls) else float("inf")
    return min(share, own, shown)


def _shown(calls: Calls, speed: float) -> float:
    """The part of all together that is ours now: those that have ended have left us theirs."""
    return speed * _together(calls, speed) / (speed + sum(other.speed for other in calls.others if other.left))


def _ordered_in(orders: Orders) -> float:
    """Seconds until the last order has ended: those at the carrier, then the planned ones, many at once."""
    usual = fmean(orders.took)
    under_way = max((max(usual - age, age * OVERDUE) for age in orders.ages), default=0.0)
    if not orders.planned:
        return under_way
    a_second = orders.at_once / max(usual, 1e-3)
    if orders.pace.rate:
        a_second = min(a_second, orders.pace.rate / (1 + orders.looks))
    return orders.planned / a_second + usual
