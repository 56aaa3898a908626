"""Every way in which a call to Bandwidth can fail, as one tree that says what to do next.

CarrierError                 anything below; nothing else leaves this package
├── Permanent                this request never succeeds as it is
│   ├── NotFound             the one thing asked for is not there
│   └── Conflict             it is there already (`duplicate-number`)
├── RetryLater               the same request may succeed later; no effect has happened
│   └── RateLimited          too fast; wait until `retry_after`, else as the pace decides
├── AccountFault             credentials, feature, site or peer: a person must act
└── OutcomeUnknown           the effect may have happened: ask before doing it again
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Delivery(StrEnum):
    """How far a request got before its call failed."""

    NOT_SENT = "not_sent"  # no byte of it left: the only case that may be repeated blindly
    UNANSWERED = "unanswered"  # some of it left, and no whole, readable answer came back
    ANSWERED = "answered"  # the carrier's answer was read


class CarrierError(Exception):
    """What the carrier, or the way to it, said.

    `code` is the carrier's own, unchanged, or else one of ours (`http_503`, `timeout`, `connection_refused`,
    `unreadable_answer`, …). `status` is the HTTP status, if one was read. `retry_after` (seconds) and
    `retry_at` (epoch seconds on our clock) are set together, when the answer named a usable time.
    `named` tells which numbers (ten digits) the answer blames, each with its own code and description.
    No text in it ever holds a credential.
    """

    def __init__(
        self,
        code: str,
        description: str = "",
        *,
        status: int | None = None,
        delivery: Delivery = Delivery.ANSWERED,
        retry_after: float | None = None,
        retry_at: float | None = None,
        named: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.status = status
        self.delivery = delivery
        self.retry_after = retry_after
        self.retry_at = retry_at
        self.named = dict(named or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.description}" if self.description else self.code

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling, which workers and process pools do to exceptions."""
        return type(self), (self.code, self.description), self.__dict__


class Permanent(CarrierError):
    """This request never succeeds as it is."""


class NotFound(Permanent):
    """The one thing asked for is not there."""


class Conflict(Permanent):
    """The thing to be made is there already."""


class RetryLater(CarrierError):
    """The same request may succeed later, and repeating it does no harm."""


class RateLimited(RetryLater):
    """The request was refused, without effect, because too many came before it."""


class AccountFault(CarrierError):
    """Nothing of this account can succeed until a person has put something right."""


class OutcomeUnknown(CarrierError):
    """The effect may or may not have happened."""
