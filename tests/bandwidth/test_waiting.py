"""How long an answer asks us to wait."""

import pytest

from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.waiting import asked_for, retry_after

NOW = 1_767_225_600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("0.5", 1), ("1.5", 2), ("1.0", 1), ("1.", 1), ("0", None), ("0.000", None), ("-1", None), ("x", None)],
)
def test_a_part_of_a_second_is_waited_for_as_a_whole(text: str, seconds: float | None) -> None:
    reply = Reply(429, {"Retry-After": text}, b"", NOW)
    assert (retry_after(reply), asked_for(reply)) == (seconds, seconds)


@pytest.mark.parametrize(("reset", "seconds"), [("1767225600.5", 1), ("1767225602", 2), ("1767225602500", 2.5)])
def test_a_part_of_a_second_of_a_reset_is_waited_for(reset: str, seconds: float) -> None:
    assert retry_after(Reply(429, {"X-RateLimit-Reset": reset}, b"", NOW)) == seconds
