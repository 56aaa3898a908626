"""Readings that the three Catapult resources share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.json_body import Unreadable, mappings, parse, said, said_in, string
from tnimport.bandwidth.location import created_id, last_segment, next_query
from tnimport.bandwidth.refusals import means_none, refusal, unreadable

Item = TypeVar("Item")
Reader = Callable[[dict[str, Any]], Item | None]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """What one answer to a listing holds; `next` (a query, opaque) asks for the following one, None = the end."""

    items: tuple[Item, ...]
    next: str | None = None


def read_created(reply: Reply, collection: str) -> str:
    """Return the id of what was made: from `Location`, else from the body (captures: empty, yet typed JSON)."""
    if not reply.succeeded:
        raise refusal(reply, said(reply), effect=True)
    made = created_id(reply, collection)
    if made is not None:
        return made
    value = _lenient(reply)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value  # as the answer to several messages is, of which this would be the first
    if isinstance(value, dict):
        explained = said_in(value.get("error") or value)
        if explained.code is not None:
            raise refusal(reply, explained, effect=True)
        if (named := _named_in(value, collection)) is not None:
            return named
    raise unreadable(reply, "missing_location", "the answer does not name what was made", effect=True)


def _named_in(value: dict[str, Any], collection: str) -> str | None:
    """Return the id of what was made from a body that tells it itself or by its address, or None if it says "error"."""
    if (string(value, "result") or "accepted").lower() != "accepted" or value.get("error"):
        return None
    location = string(value, "location")
    return string(value, "id", "messageId") or (location and last_segment(location, collection)) or None


def _lenient(reply: Reply) -> object:
    try:
        return parse(reply)
    except Unreadable:
        return None


def read_done(reply: Reply, subject: str) -> None:
    """Return nothing if an update or a deletion was done; captures show 200 with an empty body, never 204."""
    if not reply.succeeded:
        raise refusal(reply, said(reply), subject=subject)
    explained = said(reply)
    if explained.code is not None:
        raise refusal(reply, explained, subject=subject)
    if explained.foreign and reply.body.lstrip().startswith(b"<"):
        raise unreadable(reply, "unreadable_answer", "a page in place of an answer")  # of a login, say


def read_one(reply: Reply, subject: str, reader: Reader[Item]) -> Item:
    """Return the one resource, or raise NotFound or what else the answer means."""
    if not reply.succeeded:
        raise refusal(reply, said(reply), subject=subject)
    try:
        value = parse(reply)
    except Unreadable:
        raise unreadable(reply, "unreadable_answer") from None
    found = reader(value) if isinstance(value, dict) else None
    if found is not None:
        return found
    if said_in(value).code is not None:
        raise refusal(reply, said_in(value), subject=subject)
    raise unreadable(reply, "unreadable_answer", f"the answer holds no {subject}")


def read_page(reply: Reply, reader: Reader[Item]) -> Page[Item]:
    """Return one page of a listing; null, 204 and an empty body are a page of nothing."""
    if not reply.succeeded:
        explained = said(reply)
        if means_none(reply, explained):
            return Page(())
        raise refusal(reply, explained)
    try:
        value = parse(reply)
    except Unreadable:
        raise unreadable(reply, "unreadable_answer") from None
    if isinstance(value, dict) and said_in(value).code is not None:
        raise refusal(reply, said_in(value))
    if value is not None and not isinstance(value, list):
        raise unreadable(reply, "unreadable_answer", "the answer is no list")
    items = tuple(item for found in mappings(value) if (item := reader(dict(found))) is not None)
    return Page(items, next_query(reply.header("link")))
