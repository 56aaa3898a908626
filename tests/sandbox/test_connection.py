"""One connection without a network: what it reads as requests, and what it writes."""

import asyncio
import re

import pytest

from sandbox.wire.message import Delivery, Request, Response
from sandbox.wire.protocol import Connection

UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
POST = b"POST /orders HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"Content-Length: 5\r\n\r\nhello"
GET = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.ended = b"", False, asyncio.Event()

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def close(self) -> None:
        self.closed = True
        self.ended.set()

    def is_closing(self) -> bool:
        return self.closed


class Talk:
    """A connection whose requests are answered with their method and body."""

    def __init__(self, delivery: Delivery | None = None) -> None:
        self.delivery = delivery
        self.requests: list[Request] = []
        self.wire = Wire()
        self.connection = Connection(self._answer, set())
        self.connection.connection_made(self.wire)

    def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(status=200, body=b"a body", delivery=self.delivery)

    def say(self, *pieces: bytes) -> "Talk":
        for piece in pieces:
            self.connection.data_received(piece)
        return self

    @property
    def heard(self) -> list[tuple[str, str, bytes]]:
        return [(one.method, one.path, one.body) for one in self.requests]


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_an_upgrade_is_ignored_in_whatever_pieces_it_comes(size: int) -> None:
    whole = POST + GET
    talk = Talk().say(*(whole[start : start + size] for start in range(0, len(whole), size)))
    assert talk.heard == [("POST", "/orders", b"hello"), ("GET", "/next", b"")]
    assert talk.wire.written.count(b"HTTP/1.1 200 OK") == 2
    assert not talk.wire.closed


@pytest.mark.parametrize(
    "headers",
    [
        UPGRADE.replace(b"Connection", b"CONNECTION").replace(b"Upgrade", b"uPGRADE"),
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\nUpgrade: h2c\r\n",
    ],
)
def test_an_upgrade_without_a_body_is_answered_once_and_the_connection_goes_on(headers: bytes) -> None:
    talk = Talk().say(GET.replace(b"Host: x\r\n", headers) + POST + GET)
    assert [one.path for one in talk.requests] == ["/next", "/orders", "/next"]
    assert talk.wire.written.count(b"HTTP/1.1 200 OK") == 3


def test_a_chunked_body_survives_an_upgrade() -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert Talk().say(POST.replace(b"Content-Length: 5\r\n\r\nhello", chunked) + GET).heard[0][2] == b"hello"


def test_an_upgrade_changes_neither_the_headers_nor_the_wish_to_close() -> None:
    talk = Talk().say(POST.replace(b"Connection: ", b"X-Own: 1\r\nConnection: close, ") + GET)
    assert (len(talk.requests), talk.requests[0].headers["x-own"]) == (1, "1")
    assert talk.wire.closed


def test_a_client_that_asks_first_and_offers_an_upgrade_is_told_once_to_go_on() -> None:
    head, _, body = POST.partition(b"\r\n\r\n")
    talk = Talk().say(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert talk.wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert talk.say(body).heard == [("POST", "/orders", b"hello")]


def test_a_tunnel_is_refused_with_one_answer() -> None:
    talk = Talk().say(b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" + GET, GET)
    assert talk.requests == []
    assert talk.wire.written.count(b"HTTP/1.1") == talk.wire.written.count(b"HTTP/1.1 400") == 1
    assert talk.wire.closed


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"/a?b=c", "/a", "b=c", "x"),
        (b"http://h:1/a?b=c", "/a", "b=c", "h:1"),
        (b"https://h/a", "/a", "", "h"),
        (b"HTTPS://h", "/", "", "h"),
        (b"http://h?b=http://c/d", "/", "b=http://c/d", "h"),
        (b"/a?b=http://c/d", "/a", "b=http://c/d", "x"),
    ],
)
def test_a_target_may_be_a_whole_url(target: bytes, path: str, query: str, host: str) -> None:
    (request,) = Talk().say(GET.replace(b"/next", target)).requests
    assert (request.path, request.query, request.origin) == (path, query, f"http://{host}")


def test_an_answer_to_head_has_the_length_and_not_the_body() -> None:
    written = Talk().say(GET.replace(b"GET", b"HEAD")).wire.written
    assert b"\r\nContent-Length: 6\r\n" in written
    assert written.endswith(b"\r\n\r\n")


def test_an_answer_that_may_have_no_body_has_none() -> None:
    wire = Wire()
    connection = Connection(lambda _request: Response(status=204, body=b"left over"), set())
    connection.connection_made(wire)
    connection.data_received(GET)
    assert wire.written.startswith(b"HTTP/1.1 204")
    assert wire.written.endswith(b"\r\n\r\n")


def test_a_refusal_waits_for_the_answers_that_come_before_it() -> None:
    async def talk() -> bytes:
        slow = Talk(Delivery(delay=0.001))
        slow.say(GET + b"MEEP MEEP\r\n\r\n", GET)
        await asyncio.wait_for(slow.wire.ended.wait(), 10)
        return slow.wire.written

    assert re.findall(rb"HTTP/1.1 (\d+)", asyncio.run(talk())) == [b"200", b"400"]


def test_nothing_is_done_after_a_torn_answer() -> None:
    async def talk() -> list[Request]:
        torn = Talk(Delivery(keep=0.5))
        torn.say(GET + POST)
        await asyncio.wait_for(torn.wire.ended.wait(), 10)
        await asyncio.sleep(0)
        return torn.requests

    assert [one.method for one in asyncio.run(talk())] == ["GET"]
