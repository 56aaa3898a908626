from dataclasses import dataclass, replace
from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain import pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import Lane as Endpoint
from tnimport.domain.lanes import own_pace, pace_of
from tnimport.domain.pacing import Lane, Pace

DEFAULT = Pace(100 / 60, 800)
paces = st.builds(Pace, st.floats(0.01, 500), st.floats(0, 1000))
moments = st.floats(0, 10_000)


@dataclass(frozen=True)
class Step:
    """Something that happens to a lane, so many seconds after what happened before; a clock may go back."""

    what: str
    seconds: float
    count: int


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            ["take", "give_back", "return_unspent", "limited", "limited_until", "troubled", "succeeded", "look"]
        ),
        st.one_of(st.just(0.0), st.floats(0, 60), st.floats(-30, 0)),
        st.integers(1, 50),
    ),
    max_size=60,
)


def happen(lane: Lane, pace: Pace, step: Step, now: float) -> tuple[Lane, float]:
    """Do the step; returns the lane and how many calls it let through (negative: came back)."""
    if step.what == "take":
        count = int(min(step.count, pacing.available(lane, pace, now)))
        return (pacing.take(lane, pace, count, now), count) if count else (lane, 0)
    if step.what == "give_back":
        return pacing.give_back(lane, pace, step.count), -step.count
    if step.what == "return_unspent":  # as the ledger does where it does not know the pace
        return replace(lane, tokens=lane.tokens + step.count), -step.count
    told = {
        "limited": pacing.limited(lane, now, None),
        "limited_until": pacing.limited(lane, now, now + step.count),
        "troubled": pacing.troubled(lane, now),
        "succeeded": pacing.succeeded(lane),
        "look": pacing.fill(lane, pace, now),
    }
    return told[step.what], 0


@given(paces, steps)
def test_no_window_ever_holds_more_calls_than_the_burst_and_its_share_of_the_rate(
    pace: Pace, story: list[Step]
) -> None:
    now = latest = 1000.0
    lane = pacing.fresh(pace, now)
    calls: list[tuple[float, float]] = []
    for step in story:
        now += step.seconds
        latest = max(latest, now)
        lane, count = happen(lane, pace, step, now)
        calls.append((latest, count))
        assert -1e-6 <= pacing.fill(lane, pace, now).tokens <= pace.depth + 1e-6  # what is stored may be more
    for first in range(len(calls)):
        total = 0.0
        for at, count in calls[first:]:
            total += count
            assert total <= pace.depth + pace.rate * (at - calls[first][0]) + 1e-6


@given(paces, steps)
def test_the_next_call_is_ready_exactly_when_one_is_available(pace: Pace, story: list[Step]) -> None:
    now = 1000.0
    lane = pacing.fresh(pace, now)
    for step in story:
        now += step.seconds
        lane, _ = happen(lane, pace, step, now)
        ready = pacing.ready_at(lane, pace, now)
        assert ready >= now
        assert pacing.available(lane, pace, ready + 1e-6 + 1e-6 / pace.rate) >= 1
        if ready > now + 1e-3:
            assert pacing.available(lane, pace, ready - 1e-3 * (1 / pace.rate if pace.rate > 1 else 1)) < 1


@given(steps)
def test_without_a_limit_only_a_pause_holds_calls_back(story: list[Step]) -> None:
    pace = Pace(0, 0)
    now = 1000.0
    lane = pacing.fresh(pace, now)
    for step in story:
        now += abs(step.seconds)
        lane, _ = happen(lane, pace, replace(step, what="look" if step.what == "take" else step.what), now)
        assert pacing.available(lane, pace, now) == (0 if now < lane.paused_until else inf)
        assert pacing.ready_at(lane, pace, now) == max(now, lane.paused_until)
        assert pacing.take(lane, pace, 10, now).tokens == pacing.fill(lane, pace, now).tokens


def test_a_new_lane_is_full_and_not_opened() -> None:
    lane = pacing.fresh(DEFAULT, 50.0)
    assert pacing.available(lane, DEFAULT, 50.0) == 799
    assert not lane.opened


def test_tokens_come_in_at_the_rate() -> None:
    lane = replace(pacing.fresh(DEFAULT, 0.0), tokens=0.0)
    assert pacing.available(lane, DEFAULT, 0.5) == 0
    assert pacing.available(lane, DEFAULT, 0.6) == 1
    assert pacing.available(lane, DEFAULT, 60.0) == 100
    assert pacing.available(lane, DEFAULT, 100_000.0) == 799


@pytest.mark.parametrize(
    ("pace", "depth"),
    [
        (Pace(100 / 60, 800), 800 - 50 / 60),
        (Pace(5, 0), 2.5),
        (Pace(200, 200), 100),
        (Pace(0.1, 0), 1),
        (Pace(0, 0), 1),
    ],
)
def test_a_bucket_holds_the_burst_less_what_comes_in_on_the_way_and_one_call_at_least(pace: Pace, depth: float) -> None:
    assert isclose(pace.depth, depth)


@given(
    rate=st.floats(2, 500),
    burst=st.floats(2, 1000),
    delays=st.lists(st.floats(0, pacing.ON_THE_WAY), min_size=1, max_size=20),
)
def test_calls_that_take_their_time_on_the_way_find_a_token_at_the_carrier(
    rate: float, burst: float, delays: list[float]
) -> None:
    pace, theirs = Pace(rate, max(burst, rate)), max(burst, rate)
    lane, now, arrivals = pacing.fresh(pace, 0.0), 0.0, []
    for delay in delays:  # a grant of all that there is, whose calls arrive together
        count = int(pacing.available(lane, pace, now))
        lane = pacing.take(lane, pace, count, now)
        arrivals.append((now + delay, count))
        now += 1 / rate
    tokens, at = theirs, 0.0
    for arrival, count in sorted(arrivals):
        tokens = min(theirs, tokens + (arrival - at) * rate) - count
        at = arrival
        assert tokens >= -1e-6


@given(rate=st.floats(0.5, 500), burst=st.floats(1, 100), count=st.integers(1, 300))
def test_when_the_last_of_many_calls_may_start_is_when_a_lane_lets_it(rate: float, burst: float, count: int) -> None:
    pace = Pace(rate, burst)
    lane, now = pacing.fresh(pace, 0.0), 0.0
    promised = pacing.spent_at(lane, pace, count, now)
    for _ in range(count):
        now = pacing.ready_at(lane, pace, now)
        lane = pacing.take(lane, pace, 1, now)
    assert now == pytest.approx(promised, rel=1e-6, abs=1e-6)


def test_without_a_limit_no_call_is_kept_back() -> None:
    assert pacing.spent_at(pacing.fresh(Pace(0, 0), 0.0), Pace(0, 0), 1_000_000, 7.0) == 7.0


def test_a_reset_that_was_named_is_kept_to() -> None:
    lane = pacing.limited(pacing.fresh(DEFAULT, 0.0), 10.0, 40.0)
    assert pacing.available(lane, DEFAULT, 39.9) == 0
    assert pacing.available(lane, DEFAULT, 40.0) == 0
    assert pacing.available(lane, DEFAULT, 40.6) == 1
    assert lane.limited == 0


def test_a_reset_in_the_past_does_not_shorten_a_pause() -> None:
    lane = pacing.limited(pacing.fresh(DEFAULT, 0.0), 10.0, 40.0)
    assert pacing.limited(lane, 11.0, 5.0).paused_until == 40.0


def test_pauses_double_when_no_reset_is_named_up_to_two_minutes() -> None:
    lane, now, pauses = pacing.fresh(DEFAULT, 0.0), 0.0, []
    for _ in range(12):
        lane = pacing.limited(lane, now, None)
        pauses.append(lane.paused_until - now)
        now = lane.paused_until
    assert pauses == [2, 4, 8, 16, 32, 64, *[120] * 6]
    assert pacing.limited(pacing.succeeded(lane), now, None).paused_until == now + 2


def test_refusals_of_calls_that_were_in_flight_do_not_lengthen_the_pause() -> None:
    lane = pacing.limited(pacing.fresh(DEFAULT, 0.0), 0.0, None)
    for _ in range(50):
        assert pacing.limited(lane, 1.9, None) == lane
        assert pacing.troubled(lane, 1.9) == lane


def hours(ours: Pace, theirs: Pace, lane: Lane, now: float, count: float) -> tuple[Lane, int, int]:
    """Call as soon as the lane allows, for so many hours, a carrier that keeps another pace and names no reset.

    Returns the lane, the calls that were answered, and those that were refused.
    """
    at_carrier, end, answered, refused = pacing.fresh(theirs, now), now + count * 3600, 0, 0
    while now < end:
        now = pacing.ready_at(lane, ours, now)
        lane = pacing.take(lane, ours, 1, now)
        if pacing.available(at_carrier, theirs, now) >= 1:
            at_carrier, answered = pacing.take(at_carrier, theirs, 1, now), answered + 1
            lane = replace(lane, limited=0)
        else:
            lane, refused = pacing.limited(lane, now, None), refused + 1
    return lane, answered, refused


@pytest.mark.parametrize("stood", [0.3, 0.6, 0.9])
def test_a_lane_learns_what_the_carrier_stands_and_comes_back_when_it_stands_more(stood: float) -> None:
    ours = Pace(100 / 60, 800)
    theirs = Pace(ours.rate * stood, 50)
    lane, answered, refused = hours(ours, theirs, pacing.fresh(ours, 1e6), 1e6, 2)
    assert answered >= 0.85 * theirs.rate * 7200
    assert refused <= 120
    later = lane.paused_until + 2000
    assert pacing.learned(lane, ours, later) == ours.rate
    _, answered, refused = hours(ours, ours, lane, later, 1)
    assert refused == 0
    assert answered >= 0.98 * ours.rate * 3600


def test_a_lone_refusal_teaches_nothing() -> None:
    lane = pacing.limited(pacing.fresh(DEFAULT, 1e6), 1e6, None)
    assert pacing.learned(lane, DEFAULT, 1e6 + 2) == DEFAULT.rate
    again = pacing.limited(lane, 1e6 + 3, None)
    assert pacing.learned(again, DEFAULT, 1e6 + 3) == pytest.approx(0.85 * DEFAULT.rate, rel=0.01)


def test_failures_in_a_row_close_the_lane_for_ever_longer() -> None:
    lane, now, pauses = pacing.succeeded(pacing.fresh(DEFAULT, 0.0)), 0.0, []
    for _ in range(14):
        lane = pacing.troubled(lane, now)
        pauses.append(max(0.0, lane.paused_until - now))
        now = max(now, lane.paused_until)
        assert lane.opened is (lane.trouble < pacing.TROUBLE_CLOSES)
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, *[15] * 6]


def test_a_success_opens_the_lane_and_forgets_its_troubles() -> None:
    lane = pacing.fresh(DEFAULT, 0.0)
    for _ in range(6):
        lane = pacing.troubled(lane, 1e6)
    lane = pacing.succeeded(lane)
    assert (lane.opened, lane.trouble, lane.limited) == (True, 0, 0)


@pytest.mark.parametrize(
    ("rate", "size"), [(100 / 60, 1), (5, 1), (9.9, 1), (10, 2), (100, 20), (500, 100), (10_000, 100), (0, 100)]
)
def test_grants_are_single_numbers_where_the_pace_is_slow(rate: float, size: int) -> None:
    assert pacing.grant_size(Pace(rate, 0), 1_000_000) == size


@pytest.mark.parametrize(
    ("rate", "left", "size"),
    [(0, 3200, 100), (0, 3199, 99), (0, 640, 20), (0, 1, 20), (1, 1, 1), (10, 1, 2)],
)
def test_grants_become_smaller_towards_the_end(rate: float, left: int, size: int) -> None:
    assert pacing.grant_size(Pace(rate, 0), left) == size


@pytest.mark.parametrize(
    ("lane", "rate", "depth"),
    [
        (Endpoint.DASHBOARD, 1, 1),
        (Endpoint.NUMBERS, 100 / 60, 800 - 50 / 60),
        (Endpoint.LOOKUPS, 10, 5),
        (Endpoint.APPLICATIONS, 1, 1),
    ],
)
def test_each_endpoint_has_the_pace_of_the_settings(lane: Endpoint, rate: float, depth: float) -> None:
    pace = pace_of(Paces(), lane)
    assert isclose(pace.rate, rate)
    assert isclose(pace.depth, depth)


def test_an_import_with_a_pace_of_its_own_saves_up_no_more_than_half_a_second() -> None:
    assert own_pace(60) == Pace(1, 1)
    assert own_pace(6000).depth == 50
    assert own_pace(6).depth == 1
