"""A carrier that answers at once, or after a fixed time: both Bandwidth APIs as far as an import needs them.

It knows only success, keeps no more than a count, and runs in a process of its own: what it costs is nobody's.
`GET /calls` tells how many numbers came and when the first one did (monotonic seconds of this machine).
"""

import asyncio
import json
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.request import urlopen

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NUMBER = re.compile(rb"<TelephoneNumber>\d+</TelephoneNumber>")
LOCATION = b"https://api.catapult.inetwork.com/v1/users/u-1/%s/%s"
CREATED = b"HTTP/1.1 201 Created\r\nLocation: " + LOCATION + b"\r\nContent-Length: 0\r\n\r\n"
ORDER = b"<ExternalTnsOrderResponse><ExternalTnsOrder><OrderId>%s</OrderId><ProcessingStatus>%s</ProcessingStatus>\
<TelephoneNumbers>%s</TelephoneNumbers></ExternalTnsOrder></ExternalTnsOrderResponse>"


class State:
    """What the carrier has seen."""

    def __init__(self, latency: float, order_seconds: float) -> None:
        self.latency, self.order_seconds = latency, order_seconds
        self.orders: list[tuple[float, bytes]] = []
        self.polls = self.numbers = 0
        self.first: float | None = None
        self.first_order: float | None = None

    def seen(self) -> dict[str, Any]:
        """The answer to GET /calls."""
        names = ("numbers", "first", "first_order", "polls")
        orders = [{"at": at, "size": numbers.count(b"<T")} for at, numbers in self.orders]
        return {name: getattr(self, name) for name in names} | {"orders": orders}


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting = b""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own type has no write
        """Remember where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._waiting += data
        while True:
            head, end, rest = self._waiting.partition(b"\r\n\r\n")
            if not end:
                return
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._waiting = rest[size:]
            self._answer(head, rest[:size])

    def _answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        answer = answer_to(self._state, method, path, body)
        if self._state.latency and path != b"/calls":
            asyncio.get_running_loop().call_later(self._state.latency, self._transport.write, answer)
        else:
            self._transport.write(answer)


def answer_to(state: State, method: bytes, path: bytes, body: bytes) -> bytes:
    """The whole answer to one request."""
    if path.endswith(b"/phoneNumbers"):
        state.first = state.first or monotonic()
        state.numbers += 1
        return CREATED % (b"phoneNumbers", b"n-%d" % state.numbers)
    if b"/externalTns" in path:
        return _order(state, method, path, body)
    if b"/applications" in path:
        return CREATED % (b"applications", b"a-1") if method == b"POST" else _whole(b"application/json", b"[]")
    return _whole(b"application/json", json.dumps(state.seen()).encode())


def _order(state: State, method: bytes, path: bytes, body: bytes) -> bytes:
    if method == b"POST":
        state.first_order = state.first_order or monotonic()
        state.orders.append((monotonic(), b"".join(_NUMBER.findall(body))))
        return _whole(b"application/xml", ORDER % (b"o-%d" % len(state.orders), b"RECEIVED", b""), b"201 Created")
    state.polls += 1
    named = path.rpartition(b"/")[2]
    placed, numbers = state.orders[int(named[2:]) - 1]
    done = monotonic() >= placed + state.order_seconds
    return _whole(b"application/xml", ORDER % (named, b"COMPLETE" if done else b"PROCESSING", numbers))


def _whole(kind: bytes, body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)


async def _serve(ready: Any, latency: float, order_seconds: float) -> None:  # noqa: ANN401 - a queue
    state = State(latency, order_seconds)
    server = await asyncio.get_running_loop().create_server(lambda: Peer(state), "127.0.0.1", 0)
    ready.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(ready: Any, latency: float, order_seconds: float) -> None:  # noqa: ANN401 - a queue
    asyncio.run(_serve(ready, latency, order_seconds))


@contextmanager
def carrier(latency: float = 0.0, order_seconds: float = 0.0) -> Iterator[str]:
    """Run one; yields its URL without a path."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    process = context.Process(target=_run, args=(ready, latency, order_seconds), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ready.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


def calls(url: str) -> dict[str, Any]:
    """What the carrier has seen so far."""
    with urlopen(f"{url}/calls", timeout=5) as answer:  # noqa: S310 - our own carrier
        return dict(json.load(answer))
