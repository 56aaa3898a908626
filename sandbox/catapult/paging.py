"""Cuts a list into pages and tells where the next one is."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from sandbox.call import Call
from sandbox.catapult.json_out import answer
from sandbox.catapult.problems import invalid
from sandbox.digits import whole
from sandbox.wire.message import Response

Item = TypeVar("Item")

DEFAULT_SIZE: Final = 25
LARGEST_SIZE: Final = 1000


def whole_number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    """A paging parameter, or a 400."""
    given = whole(query[name]) if name in query else default
    # Our choice: a page or size out of bounds is refused; the documents give the bounds only.
    if given is None or not least <= given <= most:
        raise invalid(f"The query parameter '{name}' must be a number from {least} to {most}.")
    return given


def page_of(call: Call, items: Sequence[Item]) -> tuple[Sequence[Item], str]:
    """The items of the page asked for, and the Link header."""
    query = call.query()
    page = whole_number(query, "page", 0, 0, 10**9)
    size = whole_number(query, "size", DEFAULT_SIZE, 1, LARGEST_SIZE)
    links = [_link(call, "first", page=0, size=size)]
    if len(items) > (page + 1) * size:
        links.append(_link(call, "next", page=page + 1, size=size))
    return items[page * size : (page + 1) * size], ", ".join(links)


def link_to(call: Call, rel: str, pairs: list[tuple[str, str]]) -> str:
    """One entry of a Link header with these query parameters."""
    path = "/" + call.request.path.strip("/")
    return f'<{call.request.origin}{path}?{urlencode(pairs)}>; rel="{rel}"'


def _link(call: Call, rel: str, *, page: int, size: int) -> str:
    others = [pair for pair in parse_qsl(call.request.query) if pair[0] not in {"page", "size"}]
    return link_to(call, rel, [*others, ("page", str(page)), ("size", str(size))])


def listed(items: list[dict[str, Any]], link: str) -> Response:
    """The answer with one page."""
    return answer(items, 200, {"Link": link})
