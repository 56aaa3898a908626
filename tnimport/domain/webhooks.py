"""What is told to those who asked to be told: the events, the state of a delivery, and when one is tried again."""

from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

# Seconds from one attempt to the next, as Standard Webhooks has it: ten attempts in a little over three days.
SCHEDULE: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
SPREAD: Final = 0.1  # so that what failed together does not come back together
RECEIVER: Final = "to:"  # how the name of a receiver begins
NOBODY: Final = ("no_receiver", "The settings no longer name anybody to hand messages on to.")
_PORTS: Final = {"http": 80, "https": 443}


class Event(StrEnum):
    """What is told."""

    IMPORT_FINISHED = "import.finished"
    IMPORT_HELD = "import.held"
    MESSAGE_RECEIVED = "message.received"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_FAILED = "message.failed"


class Target(StrEnum):
    """How it is told: by a signed POST, or by a Celery task of the operator's choice."""

    URL = "url"
    TASK = "task"


class DeliveryState(StrEnum):
    """Where a delivery is. Whatever its state, a person may have it sent again."""

    WAITING = "waiting"  # for its next attempt, or for somebody who makes it
    DELIVERED = "delivered"
    FAILED = "failed"  # every attempt was in vain, or none can succeed
    DISABLED = "disabled"  # the receiver answered 410: it never wants this one again


def retry_in(failures: int, jitter: float, retry_after: float | None = None) -> float | None:
    """Seconds from the latest of so many failures (from 1) to the next attempt; None when it was the last one.

    Args:
        failures: how many attempts have failed since the delivery was owed, or since a person had it sent again.
        jitter: 0..1.
        retry_after: seconds that the receiver asked for; it can make a wait longer, never shorter.
    """
    if failures > len(SCHEDULE):
        return None
    wait = SCHEDULE[max(failures, 1) - 1] * (1 - SPREAD + 2 * SPREAD * jitter)
    return max(wait, retry_after or 0.0)


def receiver_of(url: str) -> str:
    """A short name for whoever answers at this address: the same for all URLs of one scheme, host and port."""
    parts = urlsplit(url)
    return _named(f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}")


def receiver_of_queue(queue: str) -> str:
    """A short name for whoever works on this queue."""
    return _named(f"queue {queue}")


def _named(what: str) -> str:
    return f"{RECEIVER}{sha256(what.encode()).hexdigest()[:32]}"


def shown(url: str) -> str:
    """An address as people may see it: a query may hold a secret of the receiver's."""
    bare, query, _ = url.partition("?")
    return f"{bare}?…" if query else bare
