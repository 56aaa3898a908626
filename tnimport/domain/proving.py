"""How numbers prove each other: they form a ring, each sends one message to the next and receives one from the last.

What is decided here is which numbers take part, what has become of a message, and what that proves of a number.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tnimport.domain.messages import MessageState

SAMPLE: Final = 10  # numbers of a sample whose size nobody has said
SAMPLE_MOST: Final = 100_000
UNSETTLED_MOST: Final = 500  # places whose messages may be under way at once, so that a lost callback wastes no more
UNDER_WAY: Final = frozenset({MessageState.SENT, MessageState.UNKNOWN})


class Link(StrEnum):
    """One message from a place of the ring to the next."""

    PENDING = "pending"
    ARRIVED = "arrived"
    MISSING = "missing"  # it was refused, or has had all its time


class Proof(StrEnum):
    """What the two messages of a number prove; all but the first are codes of the catalogue."""

    VERIFIED = "verified"
    SENT_NOTHING = "sent_nothing_arrived"
    RECEIVED_NOTHING = "received_nothing"
    NEITHER = "neither_way_proven"


NO_PARTNER: Final = "no_partner"


@dataclass(frozen=True)
class Sight:
    """What is known of one message of the ring; no state where it has not been laid yet."""

    state: MessageState | None
    sent_at: float | None
    arrived: bool


def takes_part(index: int, eligible: int, chosen: int) -> bool:
    """Whether the number at this index is one of `chosen` that are spread evenly over all `eligible` ones."""
    return (index * chosen) % eligible < chosen


def link_of(seen: Sight, now: float, patience: float) -> Link:
    """What has become of a message; one of unknown outcome may arrive as well as one that was sent."""
    if seen.arrived:
        return Link.ARRIVED
    if seen.state in {MessageState.FAILED, MessageState.CANCELLED}:
        return Link.MISSING
    left = gives_up_at(seen, patience)
    return Link.MISSING if left is not None and left <= now else Link.PENDING


def gives_up_at(seen: Sight, patience: float) -> float | None:
    """When a message that does not arrive has had all its time; None while it is not sent."""
    return seen.sent_at + patience if seen.state in UNDER_WAY and seen.sent_at is not None else None


def proof_of(out: Link, into: Link) -> Proof | None:
    """What the message that a number sends and the one that it receives prove of it; None while either is pending."""
    if Link.PENDING in {out, into}:
        return None
    if out is Link.ARRIVED:
        return Proof.VERIFIED if into is Link.ARRIVED else Proof.RECEIVED_NOTHING
    return Proof.SENT_NOTHING if into is Link.ARRIVED else Proof.NEITHER
