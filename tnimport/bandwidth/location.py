"""Ids and next pages from headers. Only ids and queries are taken from a URL; its host is never followed."""

import re
from typing import Final
from urllib.parse import unquote

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply

_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT: Final = re.compile(r"""\brel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|'[^']*\bnext\b[^']*'|next\b)""", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*")
_AFTER_PATH: Final = re.compile(r"[?#;]")  # Java servers append ";jsessionid=…"
_QUERY: Final = re.compile(r"\?([!$-;=?-~]+)")  # what may stand in a query, without "#"
_LONGEST_ID: Final = 200
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def created_id(reply: Reply, collection: str, *, uuid: bool = False) -> str | None:
    """Return the id in `Location`, relative or absolute (Bandwidth guide, steps 3 and 4), or None.

    A Location that names the collection itself, the account or the like names nothing. Where ids are UUIDs, one of
    them is taken from any collection: the Dashboard has more than one name for some.
    """
    location = reply.header("location")
    if not location:
        return None
    found = last_segment(location, collection)
    if found is None and uuid and _UUID.fullmatch(last := _segments(location)[-1]):
        return last
    return found


def last_segment(url: str, collection: str) -> str | None:
    """Return the last segment of the path of a URL if it follows the collection and can be an id, else None."""
    *_, holder, last = ["", "", *_segments(url)]
    found = texts.clean(unquote(last))
    unfit = found.lower() in {"", ".", "..", collection.lower()} or "/" in found or len(found) > _LONGEST_ID
    return None if unfit or holder.lower() != collection.lower() else found


def _segments(url: str) -> list[str]:
    return _AFTER_PATH.split(_HOST.sub("", url.strip(), count=1), maxsplit=1)[0].rstrip("/").split("/")


def next_query(link: str | None) -> str | None:
    """Return the query of the link whose relation is next, without "?", or None (ap-docs: paging)."""
    for url, parameters in _LINK.findall(link or ""):
        if _NEXT.search(parameters):
            return query_of(url)
    return None


def query_of(url: str) -> str | None:
    """Return the query of a URL, without "?" and fragment, or None; blanks and the like end it."""
    found = _QUERY.search(url)
    return found[1] if found else None
