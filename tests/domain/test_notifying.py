"""When notifications of orders are relied on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain import notifying
from tnimport.domain.notifying import LATE, PROBATION, Channel

NOW = 1_000_000.0
GOOD = Channel(made_at=NOW - 5000, expires_at=NOW + 86_400, told_at=NOW - 4000)
times = st.none() | st.floats(NOW - 10_000, NOW + 1_000_000)
channels = st.builds(Channel, made_at=times, expires_at=times, told_at=times, untold_at=times)


@pytest.mark.parametrize(
    ("changes", "trusted"),
    [
        ({}, True),
        ({"made_at": None}, False),
        ({"told_at": None}, False),
        ({"told_at": NOW - 5001}, False),
        ({"expires_at": NOW}, False),
        ({"expires_at": None}, False),
        ({"untold_at": NOW - LATE / 2}, True),
        ({"untold_at": NOW - LATE}, False),
        ({"untold_at": NOW - 3000}, False),
        ({"untold_at": NOW - 3000, "told_at": NOW - 2900}, False),
        ({"untold_at": NOW - 3000, "told_at": NOW - 3000 + PROBATION}, True),
        ({"made_at": NOW - 100, "untold_at": NOW - 50, "told_at": NOW - 60}, False),
    ],
)
def test_word_is_trusted_once_it_has_come_and_no_longer_when_it_has_not(
    changes: dict[str, float | None], *, trusted: bool
) -> None:
    assert notifying.trusted(replace(GOOD, **changes), NOW) is trusted


def test_with_trust_a_look_comes_at_the_slowest_pace_and_without_it_as_usual() -> None:
    assert notifying.next_look(GOOD, looked_at=NOW, usual=2, most=300) == 300
    assert notifying.next_look(Channel(), looked_at=NOW, usual=2, most=300) == 2
    before_it_was_made = replace(GOOD, made_at=NOW + 1, told_at=NOW + 2)
    assert notifying.next_look(before_it_was_made, looked_at=NOW, usual=2, most=300) == 2
    about_to_end = replace(GOOD, expires_at=NOW + 299)
    assert notifying.next_look(about_to_end, looked_at=NOW, usual=2, most=300) == 2


@given(channels, st.floats(0.1, 300), st.floats(300, 3600))
def test_whatever_is_known_no_order_waits_longer_than_the_longest_wait(
    channel: Channel, usual: float, most: float
) -> None:
    assert notifying.next_look(channel, looked_at=NOW, usual=usual, most=most) in {usual, most}


@given(st.lists(st.floats(0, 3), max_size=60))
def test_a_flood_makes_one_look_a_second_and_no_word_is_without_a_look_after_it(gaps: list[float]) -> None:
    now, woken, looks = NOW, None, []
    for gap in gaps:
        now += gap
        at = notifying.wake_at(woken, now)
        if at is not None:
            assert at >= now
            looks.append(at)
            woken = at
        assert woken is not None
        assert woken >= now
    assert all(later - earlier > 0.999 for earlier, later in pairwise(looks))


def test_a_clock_that_was_put_back_makes_nobody_deaf() -> None:
    assert notifying.wake_at(NOW + 3600, NOW) == NOW
    assert notifying.wake_at(NOW + 0.5, NOW) is None


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"expires_at": NOW + 86_399}, True),
        ({"expires_at": NOW + 86_401}, False),
        ({"expires_at": None}, True),
        ({"expires_at": NOW + 86_401, "made_at": None}, True),
    ],
)
def test_a_subscription_is_made_and_renewed_a_day_before_its_end(
    changes: dict[str, float | None], *, wanted: bool
) -> None:
    assert notifying.wanted(replace(GOOD, **changes), NOW) is wanted
