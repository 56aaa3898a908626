"""When a webhook is tried again, who counts as one receiver, and what of an address people may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.webhooks import SCHEDULE, SPREAD, receiver_of, receiver_of_queue, retry_in, shown

DAY = 86_400


def test_ten_attempts_take_a_little_over_three_days() -> None:
    waits = [retry_in(failures, 0.5) for failures in range(1, 12)]
    assert waits == pytest.approx([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, None, None])
    assert 3 * DAY < sum(SCHEDULE) < 3.5 * DAY


@given(failures=st.integers(0, 20), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
def test_a_wait_is_near_the_schedule_and_only_grows_by_what_the_receiver_asks(
    failures: int, jitter: float, asked: float | None
) -> None:
    wait = retry_in(failures, jitter, asked)
    if failures > len(SCHEDULE):
        assert wait is None
        return
    assert wait is not None
    planned = SCHEDULE[max(failures, 1) - 1]
    assert wait >= planned * (1 - SPREAD) - 1e-9
    assert wait <= max(planned * (1 + SPREAD) + 1e-9, asked or 0)
    assert wait >= (asked or 0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x?y=1", "https://A.example:443/z", True),
        ("http://a.example", "http://a.example:80/", True),
        ("http://a.example", "https://a.example", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example:8443", "https://a.example", False),
        ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]/b", True),
    ],
)
def test_a_receiver_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert (receiver_of(one) == receiver_of(other)) is same


def test_a_receiver_s_name_tells_nothing_and_fits_a_lane() -> None:
    for name in (receiver_of("https://secret.example/?token=x"), receiver_of_queue("theirs")):
        assert len(name) <= 40
        assert "secret" not in name
        assert "theirs" not in name


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://a.example/hook", "https://a.example/hook"),
        ("https://a.example/hook?token=t", "https://a.example/hook?…"),
    ],
)
def test_an_address_is_shown_without_its_query(url: str, seen: str) -> None:
    assert shown(url) == seen
