"""When to try again, as far as an answer says so; nonsense in it counts as silence."""

import re
from email.utils import parsedate_to_datetime
from typing import Final

from tnimport.bandwidth.exchange import Reply

LONGEST: Final = 3600.0  # a limit that lasts longer will say so again; a clock gone mad must not stop us for years
DAY: Final = 86_400.0
_SECONDS_END: Final = 1e11  # in seconds the year 5138; what is larger is milliseconds (from 1973 on) or finer
_LONGEST_DATE: Final = 64
_NUMBER: Final = re.compile(r"\s*(\d{1,19})(?:\.(\d{0,9}))?\s*", re.ASCII)


def retry_after(reply: Reply, body_reset: str | None = None) -> float | None:
    """Return the seconds to wait, above 0 and at most an hour, or None if the answer names no usable time.

    In order of trust: `X-RateLimit-Reset` (epoch seconds on the Dashboard: numbers/rateLimits.md; epoch
    milliseconds on Catapult: ap-docs rateLimits.md), `Retry-After` (RFC 9110: seconds or a date), and Catapult's
    `rateLimitResetTime` in the body.
    """
    now = _their_now(reply)
    hints = (
        _until(reply.header("x-ratelimit-reset"), now),
        _delay(reply.header("retry-after"), now),
        _until(body_reset, now),
    )
    return next((min(hint, LONGEST) for hint in hints if hint is not None and hint > 0), None)


def asked_for(reply: Reply) -> float | None:
    """Return the seconds that `Retry-After` asks for, above 0 and at most an hour, or None: of anybody's answer."""
    wait = _delay(reply.header("retry-after"), _their_now(reply))
    return min(wait, LONGEST) if wait is not None and wait > 0 else None


def _their_now(reply: Reply) -> float:
    """Return the carrier's own clock where it shows it: then a skewed clock on either side does no harm."""
    stamp = _date(reply.header("date"))
    return stamp if stamp is not None and abs(stamp - reply.received_at) < DAY else reply.received_at


def _until(text: str | None, now: float) -> float | None:
    """Return the seconds until a reset given in epoch seconds or milliseconds (told apart by size).

    A value too small for an epoch is a delay: some gateways write "30".
    """
    value = _number(text)
    if value is None:
        return None
    if value <= DAY:
        return value
    while value > _SECONDS_END:
        value /= 1000
    return value - now


def _delay(text: str | None, now: float) -> float | None:
    value = _number(text)
    if value is not None:
        return value
    stamp = _date(text)
    return None if stamp is None else stamp - now


def _number(text: str | None) -> float | None:
    """Return a whole number; what is not whole is rounded up, for to come early is to be refused again."""
    found = _NUMBER.fullmatch(text) if text else None
    return float(found[1]) + bool((found[2] or "").strip("0")) if found else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text and len(text) < _LONGEST_DATE else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
