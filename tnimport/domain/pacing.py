"""How a lane hands out its tokens: a bucket that fills with time, and a pause that the carrier asks for.

Pure functions of state and time; times are seconds since the epoch on the ledger's clock.
"""

from dataclasses import dataclass, replace
from math import floor, inf
from typing import Final

PAUSE_UNTOLD: Final = 2.0  # a 429 that names no reset: first pause, doubled for each further one
PAUSE_MOST: Final = 120.0
SHARE_LESS: Final = 0.85  # what a 429 that follows another leaves of the pace, and what comes back of it in a second
SHARE_BACK: Final = 0.0005
SHARE_LEAST: Final = 0.05
FOLLOWS_WITHIN: Final = 300.0  # a 429 so soon after a pause says that the pace is wrong; a lone one, that something was
TROUBLE_CLOSES: Final = 5  # so many failures of the carrier in a row close the lane to one call at a time
TROUBLE_MOST: Final = 15.0  # so often a carrier that is down is asked, so soon it is noticed that it is back
ON_THE_WAY: Final = 0.5  # seconds that may pass between a grant and the arrival of its call
GRANT_MOST: Final = 100
GRANT_LEAST: Final = 20  # where grants may be larger than one number: a message each costs as much as some calls
GRANTS_AT_ONCE: Final = 32  # so many threads find work until the end of an import
GRANTS_A_SECOND: Final = 5  # below this pace every number is a grant of its own


@dataclass(frozen=True)
class Pace:
    """What the settings allow: calls a second, and how many may be saved up; a rate of 0 means no limit."""

    rate: float
    burst: float

    @property
    def depth(self) -> float:
        """The most tokens a bucket holds: the burst or a second's worth, less what comes in on the way; at least one.

        A full bucket gains nothing. Ours begins to fill again when a call is granted, the carrier's only when the call
        arrives; without the margin the end of every burst would run into it.
        """
        return max(1.0, max(self.burst, self.rate) - self.rate * ON_THE_WAY)


@dataclass(frozen=True)
class Lane:
    """The pace of one limited endpoint of one account, as the ledger stores it."""

    tokens: float
    filled_at: float
    paused_until: float = 0.0
    limited: int = 0  # 429s in a row that named no reset
    trouble: int = 0  # failures of the carrier in a row
    opened: bool = False  # a call has succeeded since the account was last in doubt
    share: float = 1.0  # of the pace in the settings, as 429s have taught, at the time beside it
    share_at: float = 0.0


def fresh(pace: Pace, now: float) -> Lane:
    """A lane nobody has used yet: a full bucket, not yet opened."""
    return Lane(tokens=pace.depth, filled_at=now)


def fill(lane: Lane, pace: Pace, now: float) -> Lane:
    """Add what has come in since; a clock that went back adds nothing and takes nothing.

    It came in at the rate that was learned when the lane was last filled: between two calls the rate stands still.
    """
    elapsed = max(0.0, now - lane.filled_at)
    tokens = min(pace.depth, lane.tokens + elapsed * learned(lane, pace, lane.filled_at))
    return replace(lane, tokens=tokens, filled_at=max(now, lane.filled_at))


def learned(lane: Lane, pace: Pace, now: float) -> float:
    """The calls a second that the carrier seems to stand: those of the settings, less what 429s have taught.

    It comes back by itself, so that a carrier that allows more again, or was shared with somebody, is used to the full.
    """
    return pace.rate * _share(lane, now)


def _share(lane: Lane, now: float) -> float:
    return min(1.0, lane.share + max(0.0, now - lane.share_at) * SHARE_BACK)


def available(lane: Lane, pace: Pace, now: float) -> float:
    """How many calls may start now: whole ones, or infinity where there is no limit."""
    if now < lane.paused_until:
        return 0
    if pace.rate == 0:
        return inf
    return floor(fill(lane, pace, now).tokens + 1e-9)


def take(lane: Lane, pace: Pace, count: int, now: float) -> Lane:
    """Spend tokens; the caller has asked `available` in the same transaction."""
    filled = fill(lane, pace, now)
    return filled if pace.rate == 0 else replace(filled, tokens=filled.tokens - count)


def give_back(lane: Lane, pace: Pace, count: int) -> Lane:
    """Return tokens whose calls were not made."""
    return replace(lane, tokens=min(pace.depth, lane.tokens + count))


def ready_at(lane: Lane, pace: Pace, now: float) -> float:
    """When the next call may start: never before `now`, the end of the pause, or the token it needs."""
    if pace.rate == 0:
        return max(now, lane.paused_until)
    missing = max(0.0, 1.0 - lane.tokens)
    filled_at = lane.filled_at + missing / learned(lane, pace, lane.filled_at) if missing else now
    return max(now, lane.paused_until, filled_at)


def spent_at(lane: Lane, pace: Pace, count: int, now: float) -> float:
    """When the last of so many calls may start if nobody else uses the lane; `now` where the pace keeps none back."""
    if pace.rate == 0:
        return now
    filled = fill(lane, pace, now)
    missing = count - filled.tokens
    return filled.filled_at + missing / learned(lane, pace, now) if missing > 0 else now


def limited(lane: Lane, now: float, reset_at: float | None) -> Lane:
    """The carrier said «too many»: empty the bucket and wait until the reset that it named, or ever longer.

    One that follows another teaches that the pace of the settings is more than the carrier stands. Calls that were
    in flight when the pause began are refused too; that they are is no news.
    """
    if reset_at is None and now < lane.paused_until:
        return lane
    pause = reset_at if reset_at is not None else now + min(PAUSE_MOST, PAUSE_UNTOLD * 2.0**lane.limited)
    until = max(lane.paused_until, pause)
    untold = lane.limited if reset_at is not None else lane.limited + 1
    filled_at = max(until, lane.filled_at)
    share = _share(lane, now)
    if lane.paused_until and 0 <= now - lane.paused_until < FOLLOWS_WITHIN:
        share = max(SHARE_LEAST, share * SHARE_LESS)
    return Lane(0.0, filled_at, until, min(untold, 8), lane.trouble, lane.opened, share, until)


def troubled(lane: Lane, now: float) -> Lane:
    """The carrier could not be reached or answered with a fault of its own; several in a row close the lane."""
    if now < lane.paused_until:
        return lane  # a call that was in flight when the pause began
    trouble = lane.trouble + 1
    if trouble < TROUBLE_CLOSES:
        return replace(lane, trouble=trouble)
    pause = now + min(TROUBLE_MOST, 2.0 ** min(10, trouble - TROUBLE_CLOSES))
    return replace(lane, trouble=trouble, opened=False, paused_until=max(lane.paused_until, pause))


def succeeded(lane: Lane) -> Lane:
    """A call came back well: the lane is open and its troubles are forgotten."""
    return replace(lane, opened=True, trouble=0, limited=0)


def grant_size(pace: Pace, left: int) -> int:
    """How many numbers one task gets: one where the pace is slow, up to a hundred where it is fast.

    Towards the end of an import, with so many numbers left, grants become smaller, so that the last ones are not
    worked off by a few threads while all others have nothing to do.
    """
    most = GRANT_MOST if pace.rate == 0 else min(GRANT_MOST, floor(pace.rate / GRANTS_A_SECOND))
    return max(1, min(most, max(GRANT_LEAST, left // GRANTS_AT_ONCE)))
