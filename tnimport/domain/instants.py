"""Times as others read them."""

from datetime import UTC, datetime
from typing import overload


@overload
def instant(seconds: float) -> str: ...


@overload
def instant(seconds: None) -> None: ...


@overload
def instant(seconds: float | None) -> str | None: ...


def instant(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
