"""Reads the requests of one connection, pipelined or not, in whatever pieces they come."""

from collections.abc import Callable
from typing import Final

import httptools

from sandbox.wire.message import Request

LARGEST_BODY: Final = 16 * 1024 * 1024


class Unreadable(Exception):
    """Nothing more can be read from this connection; the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Reader:
    """Hands over each request, and whether it is the last that its client sends.

    `go_on` is called for a client that asks before it sends its body.
    """

    def __init__(self, remote: str, take: Callable[[Request, bool], None], go_on: Callable[[], None]) -> None:
        self._remote, self._take, self._go_on = remote, take, go_on
        self._begin()
        self._parser = httptools.HttpRequestParser(self)

    def _begin(self) -> None:
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Read on; Unreadable for what is not HTTP, for a tunnel and for a body that is too large."""
        rest: bytes | None = data
        try:
            while rest is not None:
                rest = self._feed(rest)
        except httptools.HttpParserError as problem:
            raise Unreadable(413 if self._size > LARGEST_BODY else 400) from problem

    def _feed(self, data: bytes) -> bytes | None:
        """Read on, and say what is to be read next where the parser stopped at an upgrade.

        The offer to speak another protocol is ignored, as RFC 9110 has it. The parser ends the message at such a
        head, body or not, and cannot be told otherwise: so another one reads the head again, without the offer.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            method = self._parser.get_method()
            if method == b"CONNECT":
                raise Unreadable(400) from offer
            lines = [b"%s %s HTTP/%s" % (method, self._target, self._parser.get_http_version().encode())]
            lines += [b"%s: %s" % field for field in self._fields if field[0].lower() != b"upgrade"]
            self._begin()
            self._parser = httptools.HttpRequestParser(self)
            return b"\r\n".join(lines) + b"\r\n\r\n" + data[offer.args[0] :]
        return None

    def on_url(self, url: bytes) -> None:
        """Collect the target, which may come in pieces."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the header, or the trailer after a body in chunks."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Let a client that asks first go on with its body."""
        asked = any(name.lower() == b"expect" and value.lower() == b"100-continue" for name, value in self._fields)
        if asked and not self._parser.should_upgrade():
            self._go_on()

    def on_body(self, body: bytes) -> None:
        """Collect the body up to the limit."""
        self._size += len(body)
        if self._size > LARGEST_BODY:
            raise ValueError("the body is larger than the sandbox reads")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over; a head that offers an upgrade is none yet."""
        if self._parser.should_upgrade():
            return
        host, path, query = _parts(self._target.decode("latin-1"))
        request = Request(
            method=self._parser.get_method().decode(),
            path=path,
            query=query,
            headers=self._headers() | host,
            body=b"".join(self._body),
            remote=self._remote,
        )
        self._begin()
        self._take(request, not self._parser.should_keep_alive())

    def _headers(self) -> dict[str, str]:
        """The last value of each header."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._fields}


def _parts(target: str) -> tuple[dict[str, str], str, str]:
    """The Host header that the target stands for, the path and the query: a target may be a whole URL."""
    path, _, query = target.partition("#")[0].partition("?")
    scheme, separator, rest = path.partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        return {}, path, query
    host, _, path = rest.partition("/")
    return {"host": host}, f"/{path}", query
