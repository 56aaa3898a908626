from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.backoff import RETRY_FIRST, RETRY_MOST, poll_delay, retry_delay

HOUR = 3600.0
jitters = st.floats(0, 1)
attempts = st.integers(1, 200)


@given(attempts, jitters)
def test_a_retry_waits_for_its_step_or_as_little_as_half_of_it(attempt: int, jitter: float) -> None:
    step = min(RETRY_MOST, RETRY_FIRST * 2.0 ** (attempt - 1))
    assert step / 2 <= retry_delay(attempt, jitter) <= step


@given(attempts, jitters, jitters)
def test_a_later_retry_and_a_larger_jitter_wait_no_less(attempt: int, jitter: float, more: float) -> None:
    assert retry_delay(attempt + 1, jitter) >= retry_delay(attempt, jitter)
    assert retry_delay(attempt, max(jitter, more)) >= retry_delay(attempt, min(jitter, more))


def test_a_retry_before_the_first_waits_like_the_first() -> None:
    assert retry_delay(0, 1) == retry_delay(1, 1) == RETRY_FIRST


@given(st.floats(0, 1e6), st.floats(0.1, 10), st.floats(10, 3600))
def test_a_look_waits_between_the_first_and_the_longest_wait(age: float, first: float, most: float) -> None:
    assert first <= poll_delay(age, first, most) <= most


@given(st.floats(0, 1e6), st.floats(0, 1e4))
def test_an_older_order_waits_no_less(age: float, more: float) -> None:
    assert poll_delay(age + more, 2, 300) >= poll_delay(age, 2, 300)


def looks_until(end: float, latency: float) -> int:
    """The looks at an order that ends so many seconds after it was accepted, each look lasting a while."""
    at, looks = poll_delay(0, 2, 300), 0
    while True:
        looks += 1
        if at >= end:
            return looks
        at += latency + poll_delay(at, 2, 300)


def looks_of_a_geometric_schedule(end: float) -> int:
    at, looks = 2.0, 1
    while at < end:
        at, looks = at * 1.2, looks + 1
    return looks


@given(st.floats(0, HOUR), st.floats(0, 1))
def test_looks_at_an_order_of_up_to_an_hour_are_hardly_more_than_a_geometric_schedule(
    end: float, latency: float
) -> None:
    assert looks_until(end, latency) <= 1.5 * looks_of_a_geometric_schedule(end)


@given(st.floats(10, HOUR))
def test_no_order_is_seen_to_end_later_than_a_fifth_of_the_time_it_took(end: float) -> None:
    at = 2.0
    while at < end:
        at += poll_delay(at, 2, 1e9)
    assert at - end <= max(2.0, 0.2 * end)
