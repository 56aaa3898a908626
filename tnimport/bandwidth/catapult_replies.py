"""Readings that the three Catapult resources share."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.json_body import Unreadable, mappings, parse, said, said_in, string
from tnimport.bandwidth.location import created_id, next_query
from tnimport.bandwidth.refusals import refusal, unreadable

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
    if isinstance(value, dict):
        if (named := string(value, "id")) is not None:
            return named
        if said_in(value).code is not None:
            raise refusal(reply, said_in(value), effect=True)
    raise unreadable(reply, "missing_location", "the answer does not name what was made", effect=True)


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
        failure = refusal(reply, explained)
        if reply.status == HTTPStatus.NOT_FOUND and not explained.foreign and explained.code != "user-not-found":
            return Page(())
        raise failure
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
