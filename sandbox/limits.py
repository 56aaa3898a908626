"""The carrier's rate limits: one bucket of tokens for each caller and lane."""

from dataclasses import dataclass
from time import monotonic, time
from typing import Final

from sandbox.switches import Switches

DASHBOARD: Final = "dashboard"
ORDER_NUMBERS: Final = "numbers.order"
MANAGE_NUMBERS: Final = "numbers.manage"
APPLICATIONS: Final = "applications"
SEND_MESSAGES: Final = "messages.send"
READ_MESSAGES: Final = "messages.read"
ERRORS: Final = "errors"


def _rate(lane: str, switches: Switches) -> tuple[float, float]:
    """Calls a second and the burst of `lane`; a burst is at least one call."""
    if lane == ORDER_NUMBERS:
        return switches.numbers_per_minute / 60, max(1.0, switches.numbers_burst)
    if lane == MANAGE_NUMBERS:
        # Our choice: updating and deleting a number count as "manage numbers" requests; the documents
        # list only the two GETs under that name and give no limit of their own for the others.
        return switches.lookups_per_second, max(1.0, switches.lookups_burst)
    rate = {
        DASHBOARD: switches.dashboard_per_second,
        APPLICATIONS: switches.applications_per_second,
        SEND_MESSAGES: switches.messages_per_second,
        READ_MESSAGES: switches.message_reads_per_second,
        ERRORS: switches.errors_per_second,
    }[lane]
    return rate, max(1.0, rate)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    stamp: float


class Limits:
    """Decides whether a call may pass."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def refusal(self, caller: str, lane: str) -> float | None:
        """None lets the call pass; otherwise the epoch second from which the next one may."""
        rate, burst = _rate(lane, self._switches)
        if rate <= 0 or not self._switches.rate_limits:
            return None
        now = monotonic()
        bucket = self._buckets.setdefault((caller, lane), _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.stamp) * rate)
        bucket.stamp = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return None
        return time() + (1 - bucket.tokens) / rate

    def clear(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()
