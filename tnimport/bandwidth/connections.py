"""HTTP connections on timed sockets: a request leaves as one packet, and an ordinary answer is read in one piece."""

import http.client
import re
import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from tnimport.bandwidth.answers import ordinary
from tnimport.bandwidth.sockets import TimedSocket, connect, current

# A kept connection is not trusted for longer: servers close idle ones (Jetty 8, seen in captures, after 30 s), and a
# POST that meets such a close is a POST of unknown outcome.
IDLE_LIMIT: Final = 15.0

_LINE: Final = re.compile(r"[!-9;-~]+: [ -~]*")  # nothing that could break out of its line
_TARGET: Final = re.compile(r"/[!-~]*")


class _FinalAnswer(http.client.HTTPResponse):
    """An answer, after however many interim ones (102, 103) that stand before it; http.client passes over 100 only."""

    def _read_status(self) -> tuple[str, int, str]:
        line: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # no stub tells of it
        while HTTPStatus.CONTINUE <= line[1] < HTTPStatus.OK and line[1] != HTTPStatus.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            line = super()._read_status()  # type: ignore[misc]  # as above
        return line


class TimedConnection(HTTPConnection):
    """A plain connection whose every operation ends with the current call; `request` and `getresponse` are one call."""

    sock: Any
    _method = "GET"

    def _new_conn(self) -> socket.socket:
        return connect(self.host, self.port, current.call)

    def connect(self) -> None:
        """Connect, and time whatever comes after."""
        super().connect()
        self.sock = TimedSocket(self.sock)

    def request(  # type: ignore[override]  # our bodies are bytes
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: bool,
    ) -> None:
        """Send it all at once; http.client would put it together header by header."""
        if self.sock is None:
            self.connect()
        self._method = method
        lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
        if not _TARGET.fullmatch(url) or not all(map(_LINE.fullmatch, lines)):
            raise ValueError("a target or a header that is none")
        top = f"{method} {url} HTTP/1.1\r\nHost: {self._named()}\r\nAccept-Encoding: identity\r\n"
        self.sock.sendall((top + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode("ascii") + (body or b""))

    def _named(self) -> str:
        host = f"[{self.host.strip('[]')}]" if ":" in self.host else self.host
        return host if self.port == self.default_port else f"{host}:{self.port}"

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's own type of response, or what does for one
        """The answer, or its head at least; http.client's exceptions for what is none."""
        seen = self.sock.receive()
        return ordinary(seen) or self._unusual(seen)

    def _unusual(self, seen: bytes) -> HTTPResponse:
        sock = self.sock
        sock.unread(seen)
        response = _FinalAnswer(sock, method=self._method)
        whole = False
        try:
            response.begin()
            whole = not sock.ended
        finally:
            if not whole:
                response.close()
        if not whole:
            # http.client takes a head that breaks off for a whole one: "HTTP/1.1 200 O" would be a success.
            raise http.client.IncompleteRead(b"")
        if response.will_close:
            self.close()  # the response keeps the socket until it is read
        return HTTPResponse(
            body=response,
            headers=HTTPHeaderDict(response.getheaders()),
            status=response.status,
            reason=response.reason,
            preload_content=False,
            original_response=response,
            request_method=self._method,
        )

    @property
    def is_connected(self) -> bool:
        """Whether the next request may go over this connection."""
        return super().is_connected and time.monotonic() - self.sock.used < IDLE_LIMIT


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    """As above; the handshake happens in HTTPSConnection.connect, within the time-out set when connecting."""


class TimedPool(HTTPConnectionPool):
    """Plain connections to one host, kept and timed."""

    ConnectionCls = TimedConnection  # type: ignore[assignment]  # urllib3 would have bodies of any kind


class TimedTlsPool(HTTPSConnectionPool):
    """TLS connections to one host, kept, timed and verified."""

    ConnectionCls = TimedTlsConnection  # type: ignore[assignment]  # as above
