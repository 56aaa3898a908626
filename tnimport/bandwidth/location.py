"""Ids and next pages from headers. Only ids and queries are taken from a URL; its host is never followed."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply

_LINK: Final = re.compile(r"<([^>]*)>([^<]*)")
_NEXT: Final = re.compile(r"""\brel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|'[^']*\bnext\b[^']*'|next\b)""", re.IGNORECASE)
_LONGEST_ID: Final = 200


def created_id(reply: Reply, collection: str) -> str | None:
    """Return the last segment of `Location`, relative or absolute (Bandwidth guide, steps 3 and 4), or None.

    A Location that ends with the collection itself names nothing.
    """
    location = reply.header("location")
    return last_segment(location, collection) if location else None


def last_segment(url: str, collection: str = "") -> str | None:
    """Return the last segment of the path of a URL, or None if it cannot be an id."""
    path = url.strip().partition("#")[0].partition("?")[0].rstrip("/")
    _, slash, last = path.rpartition("/")
    found = texts.clean(unquote(last if slash else path))
    bad = (
        found.lower() == collection.lower() or found in {".", ".."} or "/" in found or path.endswith(":/" + "/" + last)
    )
    return None if bad or not found or len(found) > _LONGEST_ID else found


def next_query(link: str | None) -> str | None:
    """Return the query of the link whose relation is next, without "?", or None (ap-docs: paging)."""
    for url, parameters in _LINK.findall(link or ""):
        if _NEXT.search(parameters):
            try:
                return urlsplit(url).query or None
            except ValueError:
                return None
    return None
