"""Makes the ids that the two APIs hand out."""

from base64 import b32encode
from os import urandom
from uuid import uuid4


def order_id() -> str:
    """A UUID, as the Dashboard uses for orders and subscriptions."""
    return str(uuid4())


def resource_id(kind: str) -> str:
    """A Catapult id: one letter for the kind, a dash, 23 lower-case letters and digits."""
    return f"{kind}-{b32encode(urandom(15))[:23].decode().lower()}"
