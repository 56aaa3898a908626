"""When an import will be through: from what is left, its share of the pace, and how long its orders have taken."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from tnimport.domain import pacing
from tnimport.domain.pacing import Lane, Pace

OVERDUE: Final = 0.25  # an order that takes longer than others did is expected to take a quarter longer than so far


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The calls that the numbers of an import still need, one each.

    `others` is how many calls each other import of the account still needs: they take turns with ours. `speed` is how
    many numbers a second of ours came through so far, None before the first; `gone` is how many did meanwhile that were
    of imports that have ended, and have left us their turns.
    """

    left: int
    others: Iterable[int]
    lane: Lane
    pace: Pace
    own: tuple[Lane, Pace] | None = None
    speed: float | None = None
    gone: float = 0.0


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
    others = [min(other, calls.left) for other in calls.others if other]
    needed = calls.left + sum(others)
    ends = [pacing.spent_at(calls.lane, calls.pace, needed, now)] if calls.pace.rate else []
    if calls.own and calls.own[1].rate:
        ends.append(pacing.spent_at(*calls.own, calls.left, now))
    if calls.speed and _idle(now, calls):
        # Workers and carrier are shared in turns: whoever ends before us leaves us its turns.
        ends.append(now + needed / (calls.speed * (1 + len(others)) + calls.gone))
    return max(ends, default=None)


def _idle(now: float, calls: Calls) -> bool:
    """Whether the pace leaves calls unused, so that the workers and the carrier decide."""
    if calls.pace.rate == 0:
        return True
    return pacing.fill(calls.lane, calls.pace, now).tokens > max(1.0, calls.pace.rate)


def _rate(now: float, calls: Calls) -> float:
    """Calls a second that this import gets, as far as that is known."""
    turns = 1 + sum(1 for other in calls.others if other)
    share = calls.pace.rate / turns or float("inf")
    own = (calls.own[1].rate if calls.own else 0) or float("inf")
    shown = calls.speed + calls.gone / turns if calls.speed and _idle(now, calls) else float("inf")
    return min(share, own, shown)


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
