"""Catapult messages: sending, and what became of it (Bandwidth guide, step 5; ap-docs methods/messages)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.errors import CarrierError, Delivery, OutcomeUnknown, Permanent
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.json_body import Unreadable, integer, mappings, parse, said, said_in, string
from tnimport.bandwidth.location import last_segment
from tnimport.bandwidth.refusals import refusal, unreadable

COLLECTION: Final = "messages"
SUBJECT: Final = "message"
BATCH: Final = 50  # most messages in one POST (ap-docs)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """One message to send. `sender` and `to` are made E.164; the callback URLs may carry user-info: not shown."""

    sender: str
    to: str
    text: str = field(default="", repr=False)
    media: Sequence[str] = ()
    receipt_requested: str | None = None
    callback_url: str | None = field(default=None, repr=False)
    callback_http_method: str | None = None
    callback_timeout: int | None = None
    fallback_url: str | None = field(default=None, repr=False)
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as the carrier tells it.

    `state` is received, queued, sending, sent or error; `delivery_state` waiting, delivered or not-delivered;
    `delivery_code` is opaque ("0" = ok); texts are kept by the carrier for three days.
    """

    message_id: str
    sender: str | None = None
    to: str | None = None
    text: str | None = field(default=None, repr=False)
    media: tuple[str, ...] = ()
    direction: str | None = None
    state: str | None = None
    delivery_state: str | None = None
    delivery_code: str | None = None
    delivery_description: str | None = None
    receipt_requested: str | None = None
    segment_count: int | None = None
    time: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The fate of one message of a batch: exactly one of the two is set."""

    message_id: str | None = None
    error: CarrierError | None = None


def message_body(spec: MessageSpec) -> bytes:
    """Return the JSON of one message."""
    return json.dumps(_value(spec)).encode()


def batch_body(specs: Sequence[MessageSpec]) -> bytes:
    """Return the JSON of 1 to 50 messages, or raise Permanent, code `invalid_request`."""
    if not 1 <= len(specs) <= BATCH:
        raise Permanent("invalid_request", f"a batch has 1 to {BATCH} messages", delivery=Delivery.NOT_SENT)
    return json.dumps([_value(spec) for spec in specs]).encode()


def _value(spec: MessageSpec) -> dict[str, Any]:
    # The guide's step 5 shows a `from` without "+", ap-docs require E.164: with "+" suits both.
    value = {
        "from": texts.e164(spec.sender),
        "to": texts.e164(spec.to),
        "text": spec.text,
        "media": list(spec.media) or None,
        "receiptRequested": spec.receipt_requested,
        "callbackUrl": spec.callback_url,
        "callbackHttpMethod": spec.callback_http_method,
        "callbackTimeout": spec.callback_timeout,
        "fallbackUrl": spec.fallback_url,
        "tag": spec.tag,
    }
    return {name: found for name, found in value.items() if found is not None}


def read_message(value: dict[str, Any]) -> Message | None:
    """Return the message in an object, or None if it holds none."""
    named = string(value, "id", "messageId")
    if named is None:
        return None
    media = value.get("media")
    return Message(
        message_id=named,
        sender=string(value, "from"),
        to=string(value, "to"),
        text=texts.free(written) if isinstance(written := value.get("text"), str) else None,
        media=tuple(texts.clean(url) for url in media if isinstance(url, str)) if isinstance(media, list) else (),
        direction=string(value, "direction"),
        state=string(value, "state"),
        delivery_state=string(value, "deliveryState"),
        delivery_code=string(value, "deliveryCode"),
        delivery_description=string(value, "deliveryDescription"),
        receipt_requested=string(value, "receiptRequested"),
        segment_count=integer(value, "segmentCount"),
        time=string(value, "time"),
        tag=string(value, "tag"),
    )


def read_batch(reply: Reply, size: int) -> tuple[Sent, ...]:
    """Return the fate of each message in the order sent, or raise what the answer as a whole means.

    Documented is 202 with one result for each (ap-docs). Another number of results cannot be matched, so that all
    of them are of unknown outcome.
    """
    if not reply.succeeded:
        raise refusal(reply, said(reply), effect=True)
    try:
        value = parse(reply)
    except Unreadable:
        raise unreadable(reply, "unreadable_answer", effect=True) from None
    if isinstance(value, dict) and said_in(value).code is not None:
        raise refusal(reply, said_in(value), effect=True)
    results = mappings(value)
    if len(results) != size or not isinstance(value, list) or len(value) != size:
        raise unreadable(reply, "unreadable_answer", "the answer does not cover the batch", effect=True)
    return tuple(_sent(reply, dict(result)) for result in results)


def _sent(reply: Reply, result: dict[str, Any]) -> Sent:
    accepted = (string(result, "result") or "accepted").lower() == "accepted"
    location = string(result, "location")
    named = last_segment(location, COLLECTION) if location else None
    explained = said_in(result.get("error"))
    refused = explained.code is not None or explained.category is not None
    if named is not None and accepted and not result.get("error"):
        return Sent(message_id=named)
    if refused and not accepted:
        return Sent(error=refusal(Reply(400, reply.headers, b"", reply.received_at), explained, effect=True))
    code = explained.code or "missing_location"
    return Sent(error=OutcomeUnknown(code, "neither surely accepted nor surely refused", status=reply.status))
