"""HTTP/1.1 over one connection, written by hand so that a connection can be cut, dripped or torn at will."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Final

from sandbox.wire.message import Delivery, Request, Response
from sandbox.wire.reader import Reader, Unreadable

Answer = Callable[[Request], Response]

_log = logging.getLogger(__name__)

_PIECES: Final = 20  # a dripping answer comes in at most this many pieces


class Connection(asyncio.Protocol):
    """Answers the requests of one connection in their order, pipelined or not."""

    def __init__(self, answer: Answer, connections: set["Connection"]) -> None:
        self._answer = answer
        self._connections = connections
        self._reader: Reader | None = None  # none before the first byte can come and after what cannot be read
        self._waiting: deque[Callable[[], Response]] = deque()
        self._slow: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type; a server makes no other
        self._transport = transport
        remote = str(transport.get_extra_info("peername", ("",))[0])
        self._reader = Reader(remote, self._take, partial(transport.write, b"HTTP/1.1 100 Continue\r\n\r\n"))
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget what nobody waits for any more; effects already made stay."""
        self._connections.discard(self)
        self._waiting.clear()
        if self._slow:
            self._slow.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on; what cannot be read is answered 400 or 413 in its turn and ends the connection."""
        if self._reader is None or self._ended():
            return
        try:
            self._reader.feed(data)
        except Unreadable as problem:
            self._reader = None
            self._waiting.append(partial(Response, status=problem.status, close=True))
            self._serve()

    def hang_up(self) -> None:
        """End the connection at once, with nothing more sent."""
        if self._transport:
            self._transport.abort()

    # answering

    def _take(self, request: Request, last: bool) -> None:  # noqa: FBT001 - as the reader calls it
        """Queue the request behind those that came before it on this connection."""
        self._waiting.append(partial(self._answered, request, last=last))
        self._serve()

    def _serve(self) -> None:
        while self._waiting and not self._slow and not self._ended():
            response = self._waiting.popleft()()
            if response.delivery:
                self._slow = asyncio.get_running_loop().create_task(self._deliver(response, response.delivery))
                self._slow.add_done_callback(self._delivered)
            else:
                self._write(response)

    def _answered(self, request: Request, *, last: bool) -> Response:
        """The answer; a fault of our own is a 500 and is told on standard error, never mistaken for a played one."""
        try:
            response = self._answer(request)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the reason
            _log.exception("the sandbox failed at %s %s", request.method, request.path)
            response = Response(status=500, close=True)
        response.close = response.close or last
        response.bare = request.method == "HEAD"
        return response

    def _ended(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _write(self, response: Response) -> None:
        if self._transport:
            self._transport.write(response.head() + response.content)
            if response.close:
                self._waiting.clear()
                self._transport.close()

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
            self._transport.write(response.head() + response.content[: int(len(response.content) * keep)])
            self._transport.close()

    async def _drip(self, response: Response, seconds: float) -> None:
        whole = response.head() + response.content
        step = max(1, -(-len(whole) // _PIECES))
        for start, end in pairwise([*range(0, len(whole), step), len(whole)]):
            if self._transport:
                self._transport.write(whole[start:end])
            await asyncio.sleep(seconds)
        if response.close and self._transport:
            with suppress(OSError):
                self._transport.close()
