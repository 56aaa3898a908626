"""Estimates against small simulations of what they estimate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain import pacing
from tnimport.domain.estimate import Calls, Orders, Other, through_at
from tnimport.domain.pacing import Lane, Pace

NOW = 1_000_000.0
FREE = Pace(0, 0)
NONE_LEFT = Orders(planned=0, ages=(), took=(), looks=0, at_once=16, pace=FREE, size=0)


def calls(left: int, pace: Pace, tokens: float = 0, **more: object) -> Calls:
    lane = Lane(tokens, NOW, opened=True)
    return replace(Calls(left=left, others=(), lane=lane, pace=pace), **more)


def turns(mine: int, others: list[int], lane: Lane, pace: Pace) -> float:
    """When our last call starts if everybody who has calls left gets one in turn, as soon as there is a token."""
    now, left = NOW, [mine, *others]
    while True:
        for place, count in enumerate(left):
            if not count:
                continue
            now = pacing.ready_at(lane, pace, now)
            lane = pacing.take(lane, pace, 1, now)
            left[place] -= 1
            if not left[0]:
                return now


@given(
    mine=st.integers(1, 60),
    others=st.lists(st.integers(0, 60), max_size=3),
    rate=st.floats(0.5, 50),
    burst=st.floats(0, 40),
    tokens=st.floats(0, 40),
)
def test_calls_at_a_pace_end_when_turns_have_gone_round_so_often(
    mine: int, others: list[int], rate: float, burst: float, tokens: float
) -> None:
    pace = Pace(rate, burst)
    lane = Lane(min(tokens, pace.depth), NOW, opened=True)
    told = through_at(NOW, calls(mine, pace, others=[Other(left=left) for left in others], lane=lane), NONE_LEFT)
    assert told is not None
    assert abs(told - turns(mine, others, lane, pace)) <= (1 + len(others)) / rate


def test_nothing_is_told_before_there_is_anything_to_go_by() -> None:
    assert through_at(NOW, calls(1000, FREE), NONE_LEFT) is None
    waiting = replace(NONE_LEFT, planned=3)
    assert through_at(NOW, calls(1000, Pace(10, 0)), waiting) is None


def test_without_a_limit_the_speed_shown_counts() -> None:
    assert through_at(NOW, calls(1000, FREE, speed=50.0), NONE_LEFT) == NOW + 20


@pytest.mark.parametrize(
    ("others", "left"), [([], 20), ([5000, 5000], 20), ([100, 5000], 14), ([0, 100], 11), ([0], 20)]
)
def test_without_a_limit_who_ends_before_us_leaves_us_its_turns(others: list[int], left: float) -> None:
    beside = [Other(left=one, speed=50.0 if one else 0.0) for one in others]
    assert through_at(NOW, calls(1000, FREE, speed=50.0, others=beside), NONE_LEFT) == pytest.approx(NOW + left)


def test_who_has_ended_has_left_us_its_turns() -> None:
    alone = calls(1000, FREE, speed=50.0, others=[Other(left=0, speed=150.0)])
    assert through_at(NOW, alone, NONE_LEFT) == pytest.approx(NOW + 5)


def test_who_gets_larger_turns_goes_on_getting_them() -> None:
    """Three calls of another for each of ours: ours are through when 3,000 of the other's are, or all it has."""
    for left, seconds in ((5000, 20), (3000, 20), (1000, 10)):
        other = Other(left=left, speed=150.0)
        assert through_at(NOW, calls(1000, FREE, speed=50.0, others=[other]), NONE_LEFT) == pytest.approx(NOW + seconds)


@pytest.mark.parametrize(("other", "seconds"), [(Other(left=0, speed=50.0), 10), (Other(left=10**6, speed=50.0), 20)])
def test_the_numbers_of_the_last_order_go_at_our_part_of_the_speed(other: Other, seconds: float) -> None:
    orders = replace(NONE_LEFT, ages=(10.0,), took=(20.0,), size=1000)
    told = through_at(NOW, calls(1000, FREE, speed=50.0, others=[other]), orders)
    assert told == pytest.approx(NOW + 10 + seconds)


def test_workers_slower_than_the_pace_count() -> None:
    unused = calls(1000, Pace(100, 200), tokens=150, speed=50.0)
    assert through_at(NOW, unused, NONE_LEFT) == NOW + 20
    used = calls(1000, Pace(100, 200), tokens=0.5, speed=50.0)
    assert through_at(NOW, used, NONE_LEFT) == pytest.approx(NOW + 10, abs=0.1)


def test_a_burst_does_not_make_it_hopeful() -> None:
    """800 in a few seconds say nothing of the 99,200 that come at 100 a minute."""
    burst = calls(99_200, Pace(100 / 60, 800), tokens=0, speed=400.0)
    assert through_at(NOW, burst, NONE_LEFT) == pytest.approx(NOW + 99_200 * 0.6, rel=0.001)


def test_the_callers_own_limit_counts() -> None:
    own = (Lane(0, NOW, opened=True), Pace(2, 2))
    told = through_at(NOW, calls(100, Pace(50, 50), tokens=50, own=own), NONE_LEFT)
    assert told == pytest.approx(NOW + 50, abs=1)


def test_slow_orders_decide_where_they_are_slower_than_the_calls() -> None:
    orders = Orders(planned=32, ages=(10.0,) * 16, took=(60.0,) * 4, looks=5, at_once=16, pace=FREE, size=100)
    told = through_at(NOW, calls(4800, Pace(100, 100), tokens=0), orders)
    assert told == pytest.approx(NOW + 2 * 60 + 60 + 1, abs=1)  # two more rounds, the last of which takes its time


def test_the_pace_of_orders_counts() -> None:
    orders = Orders(planned=100, ages=(), took=(2.0,), looks=3, at_once=16, pace=Pace(1, 1), size=10)
    told = through_at(NOW, calls(1000, FREE, speed=1000.0), orders)
    assert told == pytest.approx(NOW + 400 + 2, abs=0.1)


@pytest.mark.parametrize(("age", "left"), [(0.0, 60.0), (44.0, 16.0), (60.0, 15.0), (600.0, 150.0)])
def test_an_order_that_is_late_is_expected_to_stay_late(age: float, left: float) -> None:
    orders = Orders(planned=0, ages=(age,), took=(60.0,), looks=5, at_once=16, pace=FREE, size=0)
    told = through_at(NOW, calls(10, FREE, speed=1e9), orders)
    assert told == pytest.approx(NOW + left, abs=0.1)
