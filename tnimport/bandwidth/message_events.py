"""Callbacks of the messages API, as JSON or as a query (Bandwidth guide, step 6; ap-docs apiCallbacks).

What is not documented as certain is optional, and what is not known is ignored.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.json_body import Unreadable, parse
from tnimport.domain.inbound import MESSAGE, MessageEvent

_TYPES: Final = {"sms", "mms"}
_ID: Final = 64  # longer is no id of the carrier
_NUMBER: Final = 40
_TAG: Final = 1024
_SHORT: Final = 40
_CODE: Final = 16
_STATE: Final = 16
_MOST_MEDIA: Final = 100
_BETWEEN_URLS: Final = re.compile(r",\s*(?=https?://)", re.IGNORECASE)


class UnreadableEvent(ValueError):
    """It is no event of a message; the only argument says which part is missing or wrong, never what was there."""


def from_json(body: bytes) -> MessageEvent:
    """Return the event of a POST, or raise UnreadableEvent."""
    try:
        fields = parse(Reply(200, {}, body))
    except Unreadable:
        raise UnreadableEvent("body") from None
    if isinstance(fields, list) and len(fields) == 1:
        fields = fields[0]  # a later version of the API wraps its events so
    if not isinstance(fields, dict):
        raise UnreadableEvent("body")
    return read_event(fields)


def read_event(fields: Mapping[str, Any]) -> MessageEvent:
    """Return the event that these fields tell, or raise UnreadableEvent; of a GET they are the query, all text."""
    event_type = (_text(fields, "eventType") or "sms").lower()
    if event_type not in _TYPES:
        raise UnreadableEvent("eventType")
    delivery = _text(fields, "deliveryState", most=_STATE)
    return MessageEvent(
        message_id=_needed(fields, "messageId", _ID),
        kind=_kind(fields, delivery),
        event_type=event_type,
        sender=_number(fields, "from"),
        recipient=_number(fields, "to"),
        text=texts.free(_raw(fields, "text") or ""),
        media=_media(fields.get("media")),
        tag=_text(fields, "tag", most=_TAG),
        application_id=_text(fields, "applicationId", most=_ID),
        delivery_state=delivery,
        delivery_code=_text(fields, "deliveryCode", most=_CODE),
        delivery_description=texts.description(_raw(fields, "deliveryDescription")) or None,
        said_at=_text(fields, "time", most=_SHORT),
    )


def _kind(fields: Mapping[str, Any], delivery: str | None) -> str:
    if delivery:
        return f"receipt:{delivery}"
    if (_text(fields, "direction") or "in").lower() == "in":
        return MESSAGE
    return f"out:{_text(fields, 'state', most=_STATE) or 'unknown'}"


def _raw(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, dict | list | bool):
        return None
    return str(value)


def _text(fields: Mapping[str, Any], name: str, *, most: int = _ID) -> str | None:
    value = _raw(fields, name)
    return None if value is None else texts.clean(texts.free(value))[:most] or None


def _needed(fields: Mapping[str, Any], name: str, most: int) -> str:
    found = _text(fields, name, most=most + 1)
    if found is None or len(found) > most:
        raise UnreadableEvent(name)
    return found


def _number(fields: Mapping[str, Any], name: str) -> str:
    """North American numbers with their "+1", however they come; short codes and all others as they are."""
    value = fields.get(name)
    if isinstance(value, list) and len(value) == 1:
        return _number({name: value[0]}, name)
    return texts.e164(_needed(fields, name, _NUMBER))


def _media(value: object) -> tuple[str, ...]:
    """A list of addresses; in a query it is the text `[url, url]`."""
    if isinstance(value, str):
        listed = value.strip().removeprefix("[").removesuffix("]").strip()
        value = _BETWEEN_URLS.split(listed) if listed else []
    if not isinstance(value, list):
        return ()
    return tuple(texts.free(one.strip()) for one in value[:_MOST_MEDIA] if isinstance(one, str) and one.strip())
