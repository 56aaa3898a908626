"""Catapult applications: where messages and calls of a number are announced (ap-docs methods/applications)."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tnimport.bandwidth.json_body import boolean, integer, string

COLLECTION: Final = "applications"
SUBJECT: Final = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSpec:
    """What to make or change; None = leave out. URLs may carry user-info, so they are not shown.

    All parameters of Bandwidth guide, step 3, and the others of ap-docs. Time-outs are in milliseconds, at most
    10,000. `callback_http_method` is POST or GET.
    """

    name: str | None = None
    incoming_message_url: str | None = field(default=None, repr=False)
    incoming_message_url_callback_timeout: int | None = None
    incoming_message_fallback_url: str | None = field(default=None, repr=False)
    callback_http_method: str | None = None
    incoming_call_url: str | None = field(default=None, repr=False)
    incoming_call_url_callback_timeout: int | None = None
    incoming_call_fallback_url: str | None = field(default=None, repr=False)
    auto_answer: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(ApplicationSpec):
    """An application as the carrier tells it; the method is in upper case (GET answers in lower case)."""

    application_id: str


_NAMES: Final = {
    "name": "name",
    "incoming_message_url": "incomingMessageUrl",
    "incoming_message_url_callback_timeout": "incomingMessageUrlCallbackTimeout",
    "incoming_message_fallback_url": "incomingMessageFallbackUrl",
    "callback_http_method": "callbackHttpMethod",
    "incoming_call_url": "incomingCallUrl",
    "incoming_call_url_callback_timeout": "incomingCallUrlCallbackTimeout",
    "incoming_call_fallback_url": "incomingCallFallbackUrl",
    "auto_answer": "autoAnswer",
}


def application_body(spec: ApplicationSpec) -> bytes:
    """Return the JSON of Bandwidth guide, step 3; what is None is left out, which an update leaves unchanged."""
    values = {theirs: getattr(spec, ours) for ours, theirs in _NAMES.items()}
    return json.dumps({name: value for name, value in values.items() if value is not None}).encode()


def read_application(value: dict[str, Any]) -> Application | None:
    """Return the application in an object, or None if it holds none.

    `incomingSms…` are older names for the same fields, which GET returns beside the new (python-bandwidth 1.10).
    """
    named = string(value, "id")
    if named is None:
        return None
    method = string(value, "callbackHttpMethod")
    return Application(
        application_id=named,
        name=string(value, "name"),
        incoming_message_url=string(value, "incomingMessageUrl", "incomingSmsUrl"),
        incoming_message_url_callback_timeout=integer(value, "incomingMessageUrlCallbackTimeout")
        or integer(value, "incomingSmsUrlCallbackTimeout"),
        incoming_message_fallback_url=string(value, "incomingMessageFallbackUrl", "incomingSmsFallbackUrl"),
        callback_http_method=method.upper() if method else None,
        incoming_call_url=string(value, "incomingCallUrl"),
        incoming_call_url_callback_timeout=integer(value, "incomingCallUrlCallbackTimeout"),
        incoming_call_fallback_url=string(value, "incomingCallFallbackUrl"),
        auto_answer=boolean(value, "autoAnswer"),
    )
