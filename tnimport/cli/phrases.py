"""Numbers, durations and what an import waits for, as a person says them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tnimport.cli import counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tnimport.cli.meter import Meter

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """The two largest parts: `42 s`, `6 min 5 s`, `16 h 40 min`, `2 d 3 h`."""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def pace(per_second: float) -> str:
    """`12.5/s`, or a minute's count where that is below one a second."""
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{per_second * MINUTE:.1f}/min"


def share(view: Mapping[str, Any]) -> str:
    """`620 of 1,000 rows (62 %)`."""
    rows, done = counts.rows(view), counts.done(view)
    percent = 100 * done // rows if rows else 100
    return f"{done:,} of {rows:,} rows ({percent} %)"


def time_left(view: Mapping[str, Any], meter: Meter) -> str | None:
    """How long it still takes: the service's own estimate first, else ours from the pace seen here."""
    if view.get("finished_at"):
        return None
    instant = moment(view.get("eta"))
    if instant is not None:
        return f"{duration((instant - datetime.now(UTC)).total_seconds())} left, until {clock(instant)}"
    seconds = meter.seconds_left(counts.rows(view))
    return None if seconds is None else f"{duration(seconds)} left"


def moment(text: object) -> datetime | None:
    """An instant of the API (ISO 8601), or None for anything else."""
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


def clock(instant: datetime) -> str:
    """The instant in local time, with the day where it is not today's."""
    here = instant.astimezone()
    today = here.date() == datetime.now(UTC).astimezone().date()
    return f"{here:%H:%M}" if today else f"{here:%a %d %b %H:%M}"


def waiting(view: Mapping[str, Any]) -> str | None:
    """What the import waits for, in the service's words and with the time it takes, or None."""
    wait = view.get("waiting_on")
    if not isinstance(wait, dict):
        return str(wait) if wait else None
    text = str(wait.get("text") or wait.get("what") or "")
    since, until = moment(wait.get("since")), moment(wait.get("until"))
    now = datetime.now(UTC)
    if since is not None:
        text += f", since {duration((now - since).total_seconds())}"
    if until is not None:
        # Other imports may share a pace; what the carrier asked for is no guess.
        least = "at least " if wait.get("what") == "pace" else ""
        text += f", for {least}another {duration((until - now).total_seconds())}"
    return text or None


def summary(view: Mapping[str, Any]) -> str:
    """All filled buckets in one line."""
    return "  ".join(f"{name} {count:,}" for name, count in counts.filled(view))
