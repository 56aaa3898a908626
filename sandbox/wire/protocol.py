"""HTTP/1.1 over one connection, written by hand so that a connection can be cut, dripped or torn at will."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Final

import httptools

from sandbox.wire.message import Delivery, Request, Response

Answer = Callable[[Request], Response]

_log = logging.getLogger(__name__)

LARGEST_BODY: Final = 16 * 1024 * 1024
_PIECES: Final = 20  # a dripping answer comes in at most this many pieces


class Connection(asyncio.Protocol):
    """Answers the requests of one connection in their order, pipelined or not."""

    def __init__(self, answer: Answer, connections: set["Connection"]) -> None:
        self._answer = answer
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._slow: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._remote = ""
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who calls."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type; a server makes no other
        self._transport = transport
        self._remote = str(transport.get_extra_info("peername", ("",))[0])
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget what nobody waits for any more; effects already made stay."""
        self._connections.discard(self)
        self._waiting.clear()
        if self._slow:
            self._slow.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on; what is not HTTP is answered 400 and ends the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400)
        except httptools.HttpParserError:
            self._refuse(413 if self._size > LARGEST_BODY else 400)

    def hang_up(self) -> None:
        """End the connection at once, with nothing more sent."""
        if self._transport:
            self._transport.abort()

    # httptools' side

    def on_url(self, url: bytes) -> None:
        """Collect the target, which may come in pieces."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the last value of each header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Let a client that asks first go on with its body."""
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body up to the limit."""
        self._size += len(body)
        if self._size > LARGEST_BODY:
            raise ValueError("the body is larger than the sandbox reads")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Queue the request behind those that came before it on this connection."""
        path, _, query = self._url.decode("latin-1").partition("?")
        if path.startswith("http://"):  # absolute form, as a proxy would send it
            path = "/" + path[7:].partition("/")[2]
        request = Request(
            method=self._parser.get_method().decode(),
            path=path,
            query=query.partition("#")[0],
            headers=self._headers,
            body=b"".join(self._body),
            remote=self._remote,
        )
        self._waiting.append((request, not self._parser.should_keep_alive()))
        self._begin()
        self._serve()

    # answering

    def _serve(self) -> None:
        while self._waiting and not self._slow:
            request, last = self._waiting.popleft()
            response = self._answered(request)
            response.close = response.close or last
            if response.delivery:
                self._slow = asyncio.get_running_loop().create_task(self._deliver(response, response.delivery))
                self._slow.add_done_callback(self._delivered)
            else:
                self._write(response)

    def _answered(self, request: Request) -> Response:
        """The answer; a fault of our own is a 500 and is told on standard error, never mistaken for a played one."""
        try:
            return self._answer(request)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            _log.exception("the sandbox failed at %s %s", request.method, request.path)
            return Response(status=500, close=True)

    def _write(self, response: Response) -> None:
        if self._transport:
            self._transport.write(response.head() + response.body)
            if response.close:
                self._waiting.clear()
                self._transport.close()

    def _refuse(self, status: int) -> None:
        self._write(Response(status=status, close=True))

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._slow = None
        if not task.cancelled():
            self._serve()

    async def _deliver(self, response: Response, how: Delivery) -> None:
        await asyncio.sleep(how.delay)
        if how.cut:
            self.hang_up()
        elif how.keep is not None:
            self._tear(response, how.keep)
        elif how.drip:
            await self._drip(response, how.drip)
        else:
            self._write(response)

    def _tear(self, response: Response, keep: float) -> None:
        """Promise the whole length, send a part, end: a torn answer and not a short one."""
        if self._transport:
            self._transport.write(response.head() + response.body[: int(len(response.body) * keep)])
            self._transport.close()

    async def _drip(self, response: Response, seconds: float) -> None:
        whole = response.head() + response.body
        step = max(1, -(-len(whole) // _PIECES))
        for start, end in pairwise([*range(0, len(whole), step), len(whole)]):
            if self._transport:
                self._transport.write(whole[start:end])
            await asyncio.sleep(seconds)
        if response.close and self._transport:
            with suppress(OSError):
                self._transport.close()
