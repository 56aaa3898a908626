"""What Catapult holds for a user."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sandbox.accounts import Account


def stamp(moment: datetime) -> str:
    """A time as Catapult writes it, without fractions of a second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> datetime:
    """The time that Catapult writes."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Application:
    """An application; `fields` are those given, under their present names."""

    application_id: str
    fields: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class PhoneNumber:
    """A number resource."""

    number_id: str
    number: str  # E.164
    application_id: str | None
    name: str | None = None
    fallback_number: str | None = None
    created: datetime = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Message:
    """A message of one user, sent or received."""

    message_id: str
    sort_key: int
    direction: str
    sender: str
    recipient: str
    state: str
    fields: dict[str, Any]
    time: datetime = field(default_factory=now)
    delivery_state: str | None = None
    delivery_code: str | None = None
    delivery_description: str | None = None


@dataclass(slots=True)
class CatapultUser:
    """One user's half of the carrier."""

    account: Account
    applications: dict[str, Application] = field(default_factory=dict)
    numbers: dict[str, PhoneNumber] = field(default_factory=dict)  # by id
    by_number: dict[str, PhoneNumber] = field(default_factory=dict)  # by E.164
    messages: dict[str, Message] = field(default_factory=dict)
    errors: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1_000))
    sort_keys: "count[int]" = field(default_factory=lambda: count(1))
