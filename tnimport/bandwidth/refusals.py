"""From what an answer said to the one error that tells what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from tnimport.bandwidth.errors import (
    AccountFault,
    CarrierError,
    Conflict,
    Delivery,
    NotFound,
    OutcomeUnknown,
    Permanent,
    RateLimited,
    RetryLater,
)
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.waiting import retry_after
from tnimport.domain.reasons import is_known, reason_for

# Dashboard codes for "the thing you ask for is not there" (api-docs errors.mdx); elsewhere they fault the account.
_MISSING: Final = {"site": "12016", "sippeer": "13563"}
_ACCOUNT_STATUSES: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Catapult answers "too fast" to POST messages with 403 (ap-docs rateLimits.md, errors.md).
_LIMITS: Final = ("message-rate-limit", "multi-message-limit")
# Catapult's words for a part of it that gave up on a request, documented with 503 (ap-docs errors.md).
_GAVE_UP: Final = ("-unavailable", "-timeout")
# The Dashboard's: internal error, unexpected error, timed out (api-docs errors.mdx), which it may put into a 400.
_BROKE: Final = {"1000", "1010", "5086"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The part of an answer's body that explains a refusal. `foreign` = a body that is not the API's own format."""

    code: str | None = None
    description: str = ""
    category: str | None = None
    reset: str | None = None
    foreign: bool = False
    named: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def refusal(reply: Reply, said: Said, *, effect: bool = False, subject: str | None = None) -> CarrierError:
    """Return the error for an answer that is no success.

    Args:
        reply: the answer; its status may be 200, for some layouts carry an error there (docs/clients.md).
        said: what its body explains.
        effect: whether the request creates something.
        subject: the one thing the path names ("order", "application", …), None for a whole collection.
    """
    kind = _kind(reply.status, said, effect=effect, subject=subject)
    code = said.code or _own_code(reply.status)
    wait = retry_after(reply, said.reset)
    at = None if wait is None else reply.received_at + wait
    return kind(code, said.description, status=reply.status, retry_after=wait, retry_at=at, named=said.named)


def unreadable(reply: Reply, code: str, description: str = "", *, effect: bool = False) -> CarrierError:
    """Return the error for an answer of success that could not be understood: as good as no answer."""
    kind = OutcomeUnknown if effect else RetryLater
    return kind(code, description, status=reply.status, delivery=Delivery.UNANSWERED)


def means_none(reply: Reply, said: Said) -> bool:
    """Tell whether a 404 says that there is none of what was asked for: in the API's own words, and of no fault."""
    return reply.status == HTTPStatus.NOT_FOUND and not said.foreign and kind_of(said.code) in {None, "permanent"}


def _own_code(status: int) -> str:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "unreadable_answer"
    return "redirected" if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST else f"http_{status}"


def _kind(status: int, said: Said, *, effect: bool, subject: str | None) -> type[CarrierError]:
    if status == HTTPStatus.TOO_MANY_REQUESTS or _is_limit(said):
        return RateLimited
    if _undecided(status) or _gave_up(said) or (status < HTTPStatus.BAD_REQUEST and said.code is None):
        return OutcomeUnknown if effect else RetryLater
    if said.code == "duplicate-number" or (said.category == "conflict" and kind_of(said.code) is None):
        return Conflict
    if status == HTTPStatus.NOT_FOUND or _names_subject(said, subject):
        return _missing(said, effect=effect, subject=subject)
    return _by_code(status, said)


def _undecided(status: int) -> bool:
    """Tell whether a status leaves open what happened to a request.

    Half of the 5xx come from a gateway that gave up on a request still running behind it (ap-docs errors.md: after
    message-gateway-unavailable the message's state tells whether it was sent); a 303 even means that it was done.
    """
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    failed = status < HTTPStatus.OK or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return redirected or failed or status == HTTPStatus.REQUEST_TIMEOUT


def _gave_up(said: Said) -> bool:
    """Tell whether the words say what a 5xx says, whatever the status: one result of a batch has none of its own."""
    return said.category in {"unavailable", "backend"} or said.code in _BROKE or (said.code or "").endswith(_GAVE_UP)


def _is_limit(said: Said) -> bool:
    return said.category in {"limit", "too-many-requests"} or (said.code or "").startswith(_LIMITS)


def _names_subject(said: Said, subject: str | None) -> bool:
    """Tell whether the code says that the very thing asked for is not there."""
    return said.code is not None and said.code in {f"{subject}-not-found", _MISSING.get(subject or "")}


def _missing(said: Said, *, effect: bool, subject: str | None) -> type[CarrierError]:
    if said.foreign and not effect:
        return RetryLater  # a page of some proxy on the way does not prove that the thing is gone
    if kind_of(said.code) == "transient":
        return RetryLater
    if subject is not None and (said.code is None or _names_subject(said, subject)):
        return NotFound
    if said.code is None or kind_of(said.code) == "account":
        return AccountFault  # the path of a collection holds nothing but base URL and account
    return NotFound


def _by_code(status: int, said: Said) -> type[CarrierError]:
    kind = kind_of(said.code or _own_code(status))
    if kind == "transient":
        return RetryLater
    # Codes decide even at 401: `number-access-denied` there concerns one number (ap-docs errors.md).
    if kind == "account" or (kind is None and status in _ACCOUNT_STATUSES) or status == HTTPStatus.PAYMENT_REQUIRED:
        return AccountFault
    return Conflict if status == HTTPStatus.CONFLICT else Permanent


def kind_of(code: str | None) -> str | None:
    """Return "transient", "permanent" or "account", or None for a code that the catalogue does not know."""
    return reason_for(code).kind if code is not None and is_known(code) else None
