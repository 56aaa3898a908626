"""How long to wait: before the next look at an order, and before another attempt. Seconds; pure."""

from typing import Final

RETRY_FIRST: Final = 1.0
RETRY_FACTOR: Final = 2.0
RETRY_MOST: Final = 300.0
ATTEMPTS_MOST: Final = 8  # of one step for one number, where the carrier itself answered with a passing fault
POLL_SHARE: Final = 0.2


def retry_delay(attempt: int, jitter: float) -> float:
    """Wait after the `attempt`-th failure (from 1), spread over the upper half of the step by `jitter` in 0..1."""
    step = min(RETRY_MOST, RETRY_FIRST * RETRY_FACTOR ** min(max(attempt, 1) - 1, 32))
    return step * (0.5 + 0.5 * jitter)


def poll_delay(age: float, first: float, most: float) -> float:
    """Wait before the next look at an order that was accepted `age` seconds ago.

    A fifth of its age: the looks at an order form a geometric schedule of factor 1.2, whoever missed one and whenever,
    and no order is seen to end later than a fifth of the time it took.
    """
    return max(first, min(most, age * POLL_SHARE))
