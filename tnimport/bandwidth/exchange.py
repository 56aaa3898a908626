"""A request to Bandwidth and its answer as plain values, so that building and reading need no socket."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode

from tnimport.bandwidth.errors import Delivery, Permanent

KILOBYTE: Final = 1024
SMALL: Final = 256 * KILOBYTE  # one resource, or an empty 201
LARGE: Final = 10 * KILOBYTE * KILOBYTE  # a list, or an order of thousands of numbers

Parameters = Mapping[str, str | int | Sequence[str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: what to send, how large an answer to accept, and whether repeating it could do a thing twice.

    `effect` is true for a POST that creates something: after it, silence means "unknown", not "try again".
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # holds the Authorization header
    body: bytes | None = field(default=None, repr=False)  # may hold the Dashboard password
    cap: int = SMALL
    effect: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, whole. `received_at` is our clock in epoch seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: float = field(default_factory=time.time)

    @property
    def succeeded(self) -> bool:
        """Whether the status is any 2xx: documents and captures disagree on which (201 or 200, 200 or 204)."""
        return self.status // 100 == 2  # noqa: PLR2004 - the class of statuses

    def header(self, name: str) -> str | None:
        """Return the header in whatever case it came, or None."""
        value = self.headers.get(name)
        if value is not None:
            return value
        wanted = name.lower()
        return next((text for key, text in self.headers.items() if key.lower() == wanted), None)


@lru_cache(maxsize=4096)
def segment(value: str) -> str:
    """Return the value as one segment of a path, or raise Permanent if it would leave its place.

    "." and ".." are resolved by every HTTP library, which would turn `DELETE …/phoneNumbers/..` into something
    else altogether.
    """
    quoted = quote(value.strip(), safe="", errors="replace")
    if quoted in {"", ".", ".."}:
        raise Permanent("invalid_id", "an id that cannot stand in a path", delivery=Delivery.NOT_SENT)
    return quoted


def query(parameters: Parameters) -> str:
    """Return `?a=b&…` of the parameters that are set, or nothing."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return "?" + urlencode(given, doseq=True, errors="replace") if given else ""


def base(url: str) -> str:
    """Return the base URL without trailing slash, or raise ValueError (which does not repeat the URL)."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if scheme not in {"http", "https"} or not host or set("@?#\\ ") & set(rest):
        raise ValueError("a base URL is http(s)://host/path, without user-info, query or fragment")
    return url.rstrip("/")
