"""The transport against real sockets: what it sends, and what it makes of answers."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tnimport.bandwidth.errors import CarrierError, OutcomeUnknown
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.transport import Transport

Play = Callable[..., Any]  # see conftest: scripts in, a played carrier out
FailureOf = Callable[..., CarrierError]
Script = Callable[[socket.socket], None]

CREATED = b"HTTP/1.1 201 Created\r\nLocation: /x/n-1\r\nContent-Length: 0\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_an_answer_comes_back_whole_with_its_headers_in_lower_case(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED))
    reply = transport.send(carrier.post(), 5)
    assert (reply.status, reply.headers["location"], reply.body) == (201, "/x/n-1", b"")
    assert abs(reply.received_at - time.time()) < 5
    assert reply.header("LOCATION") == "/x/n-1"
    assert Reply(200, {"X-Up": "1"}, b"").header("x-up") == "1"


def test_a_request_is_sent_as_it_was_built(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED))
    transport.send(carrier.post(b"<body/>"), 5)
    head, _, body = carrier.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/things?secret=no HTTP/1.1"
    assert b"Authorization: Basic c2VjcmV0" in lines
    assert b"Content-Length: 7" in lines
    assert body == b"<body/>"


def test_a_percent_sign_in_a_path_stays_as_it_is(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    url = f"http://127.0.0.1:{carrier.port}/v1/phoneNumbers/%2B19195550100"
    transport.send(Request(method="GET", url=url, headers={}), 5)
    assert carrier.requests[0].startswith(b"GET /v1/phoneNumbers/%2B19195550100 HTTP/1.1")


def test_connections_are_kept_and_used_again(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED, PAGE, CREATED))
    assert [transport.send(carrier.post(), 5).status for _ in range(3)] == [201, 200, 201]
    assert carrier.connections == 1


def test_threads_share_a_transport(play: Play, transport: Transport) -> None:
    carrier = play(*[lambda c: c.answers(*[PAGE] * 160)] * 8)
    bodies: list[bytes] = []

    def work() -> None:
        bodies.extend(transport.send(carrier.get(), 10).body for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bodies == [b"hello"] * 160


def test_cookies_are_not_kept(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"), PAGE))
    transport.send(carrier.get(), 5)
    transport.send(carrier.get(), 5)
    assert b"ookie" not in carrier.requests[1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_handed_over_and_not_followed(play: Play, transport: Transport, status: int) -> None:
    other = play(lambda c: c.answers(PAGE))
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()
    carrier = play(lambda c: c.answers(answer))
    assert transport.send(carrier.get(), 5).status == status
    assert other.connections == 0


def test_proxies_and_netrc_of_the_environment_are_not_used(
    play: Play, transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    carrier = play(lambda c: c.answers(PAGE))
    assert transport.send(carrier.get(), 5).body == b"hello"
    assert carrier.requests[0].count(b"Authorization") == 1
    assert b"Basic c2VjcmV0" in carrier.requests[0]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"hello")), ("deflate", zlib.compress(b"hello")), ("identity", b"hello")],
)
def test_packed_bodies_are_unpacked(play: Play, transport: Transport, encoding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    carrier = play(lambda c: c.answers(head + packed))
    assert transport.send(carrier.get(), 5).body == b"hello"


def test_chunked_bodies_are_joined(play: Play, transport: Transport) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    carrier = play(lambda c: c.answers(head + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", PAGE))
    assert transport.send(carrier.get(), 5).body == b"hello"
    assert transport.send(carrier.get(), 5).body == b"hello"
    assert carrier.connections == 1


def test_a_body_that_ends_with_the_connection_is_read_to_its_end(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(b"HTTP/1.1 200 OK\r\n\r\nhello", then=lambda _: None))
    assert transport.send(carrier.get(), 5).body == b"hello"


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one(play: Play, transport: Transport) -> None:
    wrong = PAGE.replace(b"hello", b"wrong")
    arrived = threading.Event()

    def twice(c: Any) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(PAGE)
            arrived.wait(5)
            peer.sendall(wrong)
            arrived.clear()
            c.wait_for_end(peer)

        return script

    carrier = play(twice, lambda c: c.answers(PAGE))
    assert transport.send(carrier.get(), 5).body == b"hello"
    arrived.set()
    while arrived.is_set():
        threading.Event().wait(0.001)
    assert transport.send(carrier.get(), 5).body == b"hello"
    assert carrier.connections == 2


@pytest.mark.parametrize("statuses", [[100], [102], [103], [199], [103, 100, 102, 103]])
def test_interim_answers_before_the_answer_are_passed_over(
    play: Play, transport: Transport, statuses: list[int]
) -> None:
    interim = b"".join(b"HTTP/1.1 %d Wait\r\nLink: </x>\r\n\r\n" % status for status in statuses)
    carrier = play(lambda c: c.answers(interim + CREATED, PAGE), lambda c: c.answers(PAGE))
    assert transport.send(carrier.post(), 5).status == 201
    assert transport.send(carrier.get(), 5).body == b"hello"


@pytest.mark.parametrize("status", [101, 102])
def test_an_interim_answer_alone_is_no_answer(
    play: Play, transport: Transport, status: int, failure_of: FailureOf
) -> None:
    interim = b"HTTP/1.1 %d Wait\r\n\r\n" % status
    carrier = play(lambda c: c.answers(interim, then=lambda _: None), lambda c: c.answers(PAGE))
    failure = failure_of(transport, carrier.post())
    assert type(failure) is OutcomeUnknown
    assert failure.code == ("unreadable_answer" if status == 101 else "connection_lost")
    assert transport.send(carrier.get(), 5).body == b"hello"
