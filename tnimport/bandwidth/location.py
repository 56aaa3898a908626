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


def created_id(reply: Reply, collection: str) -> str | None:
    """Return the last segment of `Location`, relative or absolute (Bandwidth guide, steps 3 and 4), or None.

    A Location that ends with the collection itself names nothing.
    """
    location = reply.header("location")
    return last_segment(location, collection) if location else None


def last_segment(url: str, collection: str = "") -> str | None:
    """Return the last segment of the path of a URL, or None if it cannot be an id."""
    path = _AFTER_PATH.split(_HOST.sub("", url.strip(), count=1), maxsplit=1)[0].rstrip("/")
    found = texts.clean(unquote(path.rpartition("/")[2]))
    unfit = found.lower() in {"", ".", "..", collection.lower()} or "/" in found
    return None if unfit or len(found) > _LONGEST_ID else found


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
