"""Catapult answers as values; anything may be missing, null or of another type."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.refusals import Said

_WHOLE: Final = re.compile(r"-?[0-9]{1,12}")
_BOM: Final = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """The body is no JSON."""


def parse(reply: Reply) -> Any:  # noqa: ANN401 - JSON is of any type; the readers look before they take
    """Return the value of the body, or raise Unreadable. An empty body is None, as null is."""
    body = reply.body.strip(b" \t\r\n\0") if reply.body[:1] not in b"\0\xff\xfe" else reply.body
    body = body.removeprefix(_BOM)
    if not body.strip():
        return None
    try:
        return json.loads(_text(body))
    except (ValueError, RecursionError):  # not JSON, a number of 10,000 digits, or nested without end
        raise Unreadable from None


def _text(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return body.decode("latin-1")  # keeps every ASCII character, which is all that codes and ids need


def string(value: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the fields that holds something, as text; null, "" and structures count as absent."""
    for name in names:
        found = value.get(name)
        if isinstance(found, str):
            if cleaned := texts.clean(found):
                return cleaned
        elif isinstance(found, bool):
            return "true" if found else "false"
        elif isinstance(found, (int, float)):
            return str(found)
    return None


def _written(value: Mapping[str, Any], name: str) -> str | None:
    """Return a field as it was written, blanks and all."""
    found = value.get(name)
    return found if isinstance(found, str) else string(value, name)


def integer(value: Mapping[str, Any], name: str) -> int | None:
    """Return a field as a whole number, or None if it is none (numbers arrive as 5 and as "5")."""
    found = string(value, name) or ""
    return int(found) if _WHOLE.fullmatch(found) else None


def boolean(value: Mapping[str, Any], name: str) -> bool | None:
    """Return a field as truth, or None if it says nothing."""
    return {"true": True, "false": False}.get((string(value, name) or "").lower())


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in an array; null is an empty array, and what is no object in it is passed over."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def said(reply: Reply) -> Said:
    """Return what the body of an unsuccessful answer explains; never raises (ap-docs errors.md)."""
    try:
        value = parse(reply)
    except Unreadable:
        return Said(foreign=True)
    return said_in(value)


def said_in(value: object) -> Said:
    """Return the explanation in `{category, code, message, details}`; any part may be missing."""
    if not isinstance(value, dict):
        return Said(foreign=value is not None)
    return Said(
        code=texts.code(_written(value, "code")),
        description=texts.description(_written(value, "message")),
        category=(string(value, "category") or "").lower() or None,
        reset=_detail(value, "rateLimitResetTime"),
    )


def _detail(value: Mapping[str, Any], name: str) -> str | None:
    for item in mappings(value.get("details")):
        if string(item, "name") == name:
            return string(item, "value")
    return None
