"""One HTTP request as read, one answer as it is to be put on the wire."""

from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Final

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_BODILESS: Final = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


@dataclass(slots=True, kw_only=True)
class Request:
    """A request with its header names in lower case; `path` and `query` are as sent, still escaped."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        """The scheme and host by which the client reached us; absolute Locations and Links start with it."""
        return f"http://{self.headers.get('host', 'localhost')}"


@dataclass(slots=True, kw_only=True)
class Delivery:
    """How an answer travels when it does not simply arrive."""

    delay: float = 0.0  # seconds before the first byte
    cut: bool = False  # the connection ends instead of an answer
    keep: float | None = None  # share of the body that is sent before the connection ends
    drip: float = 0.0  # seconds between two pieces


@dataclass(slots=True, kw_only=True)
class Response:
    """An answer; Content-Length, Date and Connection are added when it is written."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False
    bare: bool = False  # the body is only counted and not sent, as HEAD wants it
    delivery: Delivery | None = None

    @property
    def content(self) -> bytes:
        """What is sent after the head."""
        return b"" if self.bare or self.status in _BODILESS else self.body

    def head(self) -> bytes:
        """The status line and the headers, with the blank line after them."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status not in _BODILESS:
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append(f"Date: {_dates.now()}")
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class _Dates:
    """Formats the Date header once a second, because formatting it costs as much as a whole answer."""

    def __init__(self) -> None:
        self._second, self._text = 0, ""

    def now(self) -> str:
        second = int(time())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


_dates = _Dates()
