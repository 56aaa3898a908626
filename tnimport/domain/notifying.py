"""When word of the carrier can be relied on: whether an order is looked at now and then, or only to be sure. Pure.

Notifications are never repeated, and may fail to reach us for ever (a firewall, a wrong address). So they are trusted
only once one has come, and no longer when an order is found ended of which no word came.
"""

from dataclasses import dataclass
from typing import Final

LATE: Final = 10.0  # seconds that word of an order may take after a look has found it ended
PROBATION: Final = 600.0  # seconds after word that did not come, in which word of others does not restore trust
LIFE: Final = 7 * 86_400.0  # seconds that a subscription is made for: a deployment that is gone is not called for ever
RENEWED_BEFORE: Final = 86_400.0  # seconds before its end
REST: Final = 3_600.0  # seconds until it is tried again after so many attempts
ATTEMPTS: Final = 5
AT_MOST_EACH: Final = 1.0  # seconds between two looks at an order that word of it may cause


@dataclass(frozen=True, kw_only=True)
class Channel:
    """What is known of an account's subscription. Times are seconds since the epoch.

    Attributes:
        made_at: since when the carrier has it; None = not, as far as we know.
        expires_at: until when.
        told_at: when word came last.
        untold_at: when an order was last found ended of which no word had come, nor has since.
    """

    made_at: float | None = None
    expires_at: float | None = None
    told_at: float | None = None
    untold_at: float | None = None


def trusted(channel: Channel, now: float) -> bool:
    """Whether the end of an order will be told."""
    made, expires, told = channel.made_at, channel.expires_at, channel.told_at
    if made is None or told is None or told < made or (expires or 0) <= now:
        return False
    missed = channel.untold_at
    return missed is None or now < missed + LATE or told >= missed + PROBATION


def next_look(channel: Channel, *, looked_at: float, usual: float, most: float) -> float:
    """Seconds until the next look at an order that was not ended when it was looked at.

    Args:
        channel: what is known of the subscription.
        looked_at: when the look began; it saw whatever had happened before the subscription was made only if later.
        usual: the wait without notifications.
        most: the longest wait, which finds what was told and lost.
    """
    seen_since = channel.made_at is not None and looked_at >= channel.made_at
    lasts = (channel.expires_at or 0) > looked_at + most
    return most if seen_since and lasts and trusted(channel, looked_at) else usual


def wake_at(woken_at: float | None, now: float) -> float | None:
    """When to look at an order of which word has come; None when a look is to come already.

    A flood of words makes one look a second, and the last word of it is never without a look after it. A time that
    is further ahead is none that this rule has made: the clock was put back.
    """
    if woken_at is None or woken_at > now + AT_MOST_EACH:
        return now
    return None if woken_at > now else max(now, woken_at + AT_MOST_EACH)


def wanted(channel: Channel, now: float) -> bool:
    """Whether a subscription is to be made or renewed."""
    return channel.made_at is None or (channel.expires_at or 0) < now + RENEWED_BEFORE
