"""The transport against real sockets: what happened before each failure is known, and nothing outlasts its deadline."""

import gzip
import logging
import os
import secrets
import socket
import ssl
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tnimport.bandwidth import sockets
from tnimport.bandwidth.errors import CarrierError, Delivery, OutcomeUnknown, RetryLater
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.transport import Transport

HERE = Path(__file__).parent
CREATED = b"HTTP/1.1 201 Created\r\nLocation: /x/n-1\r\nContent-Length: 0\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

Script = Callable[[socket.socket], None]


class Played:
    """A carrier that plays one script for each connection, and remembers what it was sent."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts: list[Script] = []
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1/things?secret=no"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            if self._over.is_set() or not self._scripts:
                peer.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(peer, self._scripts.pop(0)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, peer: socket.socket, script: Script) -> None:
        with suppress(OSError):
            if self._tls:
                peer = self._tls.wrap_socket(peer, server_side=True)
            script(peer)
        with suppress(OSError):
            peer.close()

    def receive(self, peer: socket.socket) -> bytes:
        """Read one whole request."""
        data = b""
        while True:
            head, end, rest = data.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if end and len(rest) >= length:
                self.requests.append(data)
                return data
            more = peer.recv(65536)
            if not more:
                raise ConnectionAbortedError
            data += more

    def answers(self, *answers: bytes, then: Script | None = None) -> Script:
        """Make a script that answers as many requests on one connection."""

        def script(peer: socket.socket) -> None:
            for answer in answers:
                self.receive(peer)
                peer.sendall(answer)
            if then is not None:
                then(peer)
            else:
                self.wait_for_end(peer)

        return script

    @staticmethod
    def wait_for_end(peer: socket.socket) -> None:
        while peer.recv(65536):
            pass

    def drip(self, start: bytes, piece: bytes, pause: float = 0.02) -> Script:
        """Make a script that answers with a start, and then with a piece every now and then without end."""

        def script(peer: socket.socket) -> None:
            self.receive(peer)
            peer.sendall(start)
            while not self._over.wait(pause):
                peer.sendall(piece)

        return script

    def hang(self, peer: socket.socket) -> None:
        self._over.wait()

    def play(self, *scripts: Script) -> None:
        self._scripts += scripts

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def play() -> Iterator[Callable[..., Played]]:
    """Make a carrier of scripts; a script is given the carrier and returns what to do with a connection."""
    made: list[Played] = []

    def make(*scripts: Callable[[Played], Script], tls: ssl.SSLContext | None = None) -> Played:
        carrier = Played(tls=tls)
        carrier.play(*[script(carrier) for script in scripts])
        made.append(carrier)
        return carrier

    yield make
    for carrier in made:
        carrier.close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def get(carrier: Played, cap: int = 1000) -> Request:
    return Request(method="GET", url=carrier.url, headers={"Authorization": "Basic c2VjcmV0"}, cap=cap)


def post(carrier: Played, body: bytes = b"<x/>", cap: int = 1000) -> Request:
    headers = {"Authorization": "Basic c2VjcmV0", "Content-Type": "application/xml"}
    return Request(method="POST", url=carrier.url, headers=headers, body=body, cap=cap, effect=True)


def failure_of(transport: Transport, request: Request, timeout: float = 5) -> CarrierError:
    with pytest.raises(CarrierError) as caught:
        transport.send(request, timeout)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "a library's exception holds the request with its credentials"
    return caught.value


# Answers


def test_an_answer_comes_back_whole_with_its_headers_in_lower_case(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED))
    reply = transport.send(post(carrier), 5)
    assert (reply.status, reply.headers["location"], reply.body) == (201, "/x/n-1", b"")
    assert abs(reply.received_at - time.time()) < 5
    assert reply.header("LOCATION") == "/x/n-1"
    assert Reply(200, {"X-Up": "1"}, b"").header("x-up") == "1"


def test_a_request_is_sent_as_it_was_built(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED))
    transport.send(post(carrier, b"<body/>"), 5)
    head, _, body = carrier.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/things?secret=no HTTP/1.1"
    assert b"Authorization: Basic c2VjcmV0" in lines
    assert b"Content-Length: 7" in lines
    assert body == b"<body/>"


def test_a_percent_sign_in_a_path_stays_as_it_is(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    url = f"http://127.0.0.1:{carrier.port}/v1/phoneNumbers/%2B19195550100"
    transport.send(Request(method="GET", url=url, headers={}), 5)
    assert carrier.requests[0].startswith(b"GET /v1/phoneNumbers/%2B19195550100 HTTP/1.1")


def test_connections_are_kept_and_used_again(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED, PAGE, CREATED))
    assert [transport.send(post(carrier), 5).status for _ in range(3)] == [201, 200, 201]
    assert carrier.connections == 1


def test_threads_share_a_transport(play, transport: Transport) -> None:
    carrier = play(*[lambda c: c.answers(*[PAGE] * 20)] * 8)
    bodies: list[bytes] = []

    def work() -> None:
        bodies.extend(transport.send(get(carrier), 10).body for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bodies == [b"hello"] * 160


def test_cookies_are_not_kept(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"), PAGE))
    transport.send(get(carrier), 5)
    transport.send(get(carrier), 5)
    assert b"ookie" not in carrier.requests[1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_handed_over_and_not_followed(play, transport: Transport, status: int) -> None:
    other = play(lambda c: c.answers(PAGE))
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()
    carrier = play(lambda c: c.answers(answer))
    assert transport.send(get(carrier), 5).status == status
    assert other.connections == 0


def test_proxies_and_netrc_of_the_environment_are_not_used(play, transport, monkeypatch, tmp_path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    carrier = play(lambda c: c.answers(PAGE))
    assert transport.send(get(carrier), 5).body == b"hello"
    assert carrier.requests[0].count(b"Authorization") == 1
    assert b"Basic c2VjcmV0" in carrier.requests[0]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"hello")), ("deflate", zlib.compress(b"hello")), ("identity", b"hello")],
)
def test_packed_bodies_are_unpacked(play, transport: Transport, encoding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    carrier = play(lambda c: c.answers(head + packed))
    assert transport.send(get(carrier), 5).body == b"hello"


def test_chunked_bodies_are_joined(play, transport: Transport) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    carrier = play(lambda c: c.answers(head + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", PAGE))
    assert transport.send(get(carrier), 5).body == b"hello"
    assert transport.send(get(carrier), 5).body == b"hello"
    assert carrier.connections == 1


def test_a_body_that_ends_with_the_connection_is_read_to_its_end(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(b"HTTP/1.1 200 OK\r\n\r\nhello", then=lambda peer: None))
    assert transport.send(get(carrier), 5).body == b"hello"


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one(play, transport: Transport) -> None:
    wrong = PAGE.replace(b"hello", b"wrong")
    arrived = threading.Event()

    def twice(c: Played) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(PAGE)
            arrived.wait(5)
            peer.sendall(wrong)
            arrived.clear()
            c.wait_for_end(peer)

        return script

    carrier = play(twice, lambda c: c.answers(PAGE))
    assert transport.send(get(carrier), 5).body == b"hello"
    arrived.set()
    while arrived.is_set():
        threading.Event().wait(0.001)
    assert transport.send(get(carrier), 5).body == b"hello"
    assert carrier.connections == 2


@pytest.mark.parametrize("status", [102, 103, 199])
def test_an_interim_answer_is_not_taken_for_the_answer(play, transport: Transport, status: int) -> None:
    carrier = play(lambda c: c.answers(b"HTTP/1.1 %d Wait\r\n\r\n" % status + CREATED), lambda c: c.answers(PAGE))
    failure = failure_of(transport, post(carrier))
    assert (type(failure), failure.code) == (OutcomeUnknown, "unreadable_answer")
    assert transport.send(get(carrier), 5).body == b"hello"


def test_a_continue_before_the_answer_is_passed_over(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED))
    assert transport.send(post(carrier), 5).status == 201


# Not sent


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def unsent(transport: Transport, url: str, timeout: float = 5) -> CarrierError:
    failure = failure_of(transport, Request(method="POST", url=url, headers={}, body=b"x", effect=True), timeout)
    assert isinstance(failure, RetryLater)
    assert failure.delivery is Delivery.NOT_SENT
    return failure


def test_a_refused_connection_is_not_sent(transport: Transport) -> None:
    assert unsent(transport, f"http://127.0.0.1:{free_port()}/").code == "connection_refused"


def test_an_unknown_name_is_not_sent(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(sockets.socket, "getaddrinfo", fail)
    assert unsent(transport, "http://carrier.invalid/").code == "dns_failure"


def test_a_name_that_cannot_be_one_is_not_sent(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        "a..b".encode("idna")

    monkeypatch.setattr(sockets.socket, "getaddrinfo", fail)
    assert unsent(transport, "http://a..b/").code == "dns_failure"


@pytest.mark.parametrize("host", ["[::1", "127.0.0.1:99999999", "127.0.0.1:x"])
def test_an_impossible_address_is_not_sent(transport: Transport, host: str) -> None:
    unsent(transport, f"http://{host}/")


def test_a_resolver_that_hangs_is_not_waited_for(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    real = socket.getaddrinfo

    def hang(*args: object, flags: int = 0, **kwargs: object) -> object:
        if flags:
            raise socket.gaierror
        over.wait(30)
        return real("127.0.0.1", 1)

    monkeypatch.setattr(sockets.socket, "getaddrinfo", hang)
    began = time.monotonic()
    assert unsent(transport, "http://carrier.invalid/", 0.2).code == "connect_timeout"
    assert time.monotonic() - began < 2
    over.set()


def test_a_host_that_does_not_take_the_connection_is_given_up_in_time(transport: Transport) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003 - the socket's own interface
            one.connect_ex(address)
        began = time.monotonic()
        assert unsent(transport, f"http://127.0.0.1:{address[1]}/", 0.3).code == "connect_timeout"
        assert time.monotonic() - began < 2
        for one in waiting:
            one.close()


def test_a_second_address_is_tried_when_the_first_is_dead(play, transport, monkeypatch) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (free_port(), carrier.port)]
    monkeypatch.setattr(sockets, "_resolve", lambda *_: both)
    assert transport.send(get(carrier), 5).body == b"hello"


def test_a_call_without_time_is_not_sent(play, transport: Transport) -> None:
    failure = unsent(transport, f"http://127.0.0.1:{free_port()}/", 0)
    assert failure.code == "timeout"


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "tls" / "server.pem")
    return context


def test_a_certificate_nobody_vouches_for_is_not_sent(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(CREATED), tls=server_tls())
    assert unsent(transport, carrier.url).code == "tls_failure"
    assert carrier.requests == []


def test_a_server_that_speaks_no_tls_is_not_sent(play, transport: Transport) -> None:
    carrier = play(lambda c: lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert unsent(transport, carrier.url.replace("http:", "https:")).code in {"tls_failure", "connection_failed"}


def test_a_handshake_that_hangs_ends_with_the_deadline(play, transport: Transport) -> None:
    carrier = play(lambda c: c.hang)
    began = time.monotonic()
    assert unsent(transport, carrier.url.replace("http:", "https:"), 0.3).code == "connect_timeout"
    assert time.monotonic() - began < 2


def test_tls_with_a_trusted_certificate_is_as_good_as_plain(play) -> None:
    carrier = play(lambda c: c.answers(CREATED, PAGE, b"HTTP/1.1 200 OK\r\nContent-Le"), tls=server_tls())
    trusting = Transport(ca_file=str(HERE / "tls" / "server.pem"))
    assert trusting.send(post(carrier, b"x" * 300_000), 5).status == 201
    assert trusting.send(get(carrier), 5).body == b"hello"
    assert failure_of(trusting, post(carrier), 0.3).code == "timeout"
    assert carrier.connections == 1
    trusting.close()


# Sent and unanswered


def cut(answer: bytes) -> Callable[[Played], Script]:
    return lambda c: c.answers(answer, then=lambda peer: None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "connection_lost"),
        (b"HTTP/1.1 201 Cre", "truncated_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Ty", "truncated_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "truncated_answer"),
        (b"HTTP/1.1 201 Created\r\nLocation: /x/n-1\r\nContent-Length: 10\r\n\r\nabc", "truncated_answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "truncated_answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhel", "truncated_answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello", "unreadable_answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "unreadable_answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "unreadable_answer"),
        (b"HTTP/1.1 OK\r\n\r\n", "unreadable_answer"),
        (b"HTTP/1.1 9999 OK\r\n\r\n", "unreadable_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n", "unreadable_answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", "unreadable_answer"),
        (b"\xff\xfe\x00" * 50, "unreadable_answer"),
    ],
)
@pytest.mark.parametrize("effect", [True, False])
def test_a_broken_answer_is_no_answer(play, transport: Transport, answer: bytes, code: str, effect: bool) -> None:  # noqa: FBT001
    carrier = play(cut(answer))
    failure = failure_of(transport, post(carrier) if effect else get(carrier))
    assert type(failure) is (OutcomeUnknown if effect else RetryLater)
    assert failure.delivery is Delivery.UNANSWERED
    assert failure.code in {code, "connection_lost"} if answer else failure.code == code
    assert len(carrier.requests) == 1, "nothing is sent again by itself"


def test_a_reset_instead_of_an_answer_is_unanswered(play, transport: Transport) -> None:
    def reset(peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    carrier = play(lambda c: c.answers(b"", then=reset))
    failure = failure_of(transport, post(carrier))
    assert (type(failure), failure.code, failure.delivery) == (OutcomeUnknown, "connection_lost", Delivery.UNANSWERED)


def test_a_kept_connection_that_dies_at_the_next_post_leaves_its_outcome_unknown(play, transport: Transport) -> None:
    def then_die(c: Played) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(CREATED)
            c.receive(peer)

        return script

    carrier = play(then_die, lambda c: c.answers(CREATED))
    transport.send(post(carrier), 5)
    failure = failure_of(transport, post(carrier))
    assert (type(failure), failure.delivery) == (OutcomeUnknown, Delivery.UNANSWERED)
    assert len(carrier.requests) == 2
    assert transport.send(post(carrier), 5).status == 201


def test_a_kept_connection_that_is_closed_already_is_replaced(play, transport: Transport) -> None:
    closed = threading.Event()

    def then_close(c: Played) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(CREATED)
            peer.shutdown(socket.SHUT_RDWR)
            closed.set()

        return script

    carrier = play(then_close, lambda c: c.answers(CREATED))
    transport.send(post(carrier), 5)
    assert closed.wait(5)
    assert transport.send(post(carrier), 5).status == 201
    assert carrier.connections == 2


def test_a_connection_that_was_idle_for_long_is_replaced(play, transport, monkeypatch) -> None:
    carrier = play(*[lambda c: c.answers(CREATED)] * 2)
    transport.send(post(carrier), 5)
    monkeypatch.setattr(sockets, "IDLE_LIMIT", 0.0)
    transport.send(post(carrier), 5)
    assert carrier.connections == 2


def test_a_fork_does_not_share_connections(play, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = play(*[lambda c: c.answers(CREATED)] * 2)
    transport.send(post(carrier), 5)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    transport.send(post(carrier), 5)
    assert carrier.connections == 2


# The deadline


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "script",
    [
        lambda c: c.answers(b"", then=c.hang),
        lambda c: c.answers(HEAD, then=c.hang),
        lambda c: c.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda c: c.drip(HEAD, b"x: y\r\n", 0.05),
        lambda c: c.drip(HEAD + b"x: ", b"y"),
        lambda c: c.drip(HEAD + b"Content-Length: 900\r\n\r\n", b"y"),
        lambda c: c.drip(HEAD + b"\r\n", b"y"),
        lambda c: c.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
        lambda c: c.drip(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 900\r\n\r\n\x1f\x8b\x08", b"\0"),
    ],
    ids=["silence", "half-a-head", "continues", "headers", "one-header", "length", "to-the-end", "chunks", "gzip"],
)
def test_a_call_ends_with_its_deadline_however_the_answer_drips(play, transport, script) -> None:
    carrier = play(script)
    began = time.monotonic()
    failure = failure_of(transport, post(carrier), 0.4)
    assert time.monotonic() - began < 2
    assert isinstance(failure, OutcomeUnknown)
    assert failure.delivery is Delivery.UNANSWERED
    assert failure.code in {"timeout", "unreadable_answer"}


def test_a_server_that_does_not_read_cannot_hold_a_request(play, transport: Transport) -> None:
    carrier = play(lambda c: c.hang)
    began = time.monotonic()
    failure = failure_of(transport, post(carrier, b"x" * 20_000_000), 0.4)
    assert time.monotonic() - began < 3
    assert (failure.code, failure.delivery) == ("timeout", Delivery.UNANSWERED)


def test_a_deadline_is_of_its_own_call(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE, PAGE))
    transport.send(get(carrier), 0.2)
    threading.Event().wait(0.25)
    assert transport.send(get(carrier), 5).body == b"hello"
    assert carrier.connections == 1


# The cap


LARGE = 20_000_000


def flood(c: Played) -> Script:
    return c.drip(HEAD + b"\r\n", b"y" * 65536, 0)


@pytest.mark.parametrize(
    "script",
    [
        lambda c: c.answers(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE, then=c.hang),
        lambda c: c.answers(HEAD + b"Content-Length: %d\r\n\r\n" % 10**17, then=c.hang),
        flood,
        lambda c: c.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"y" * 65536 + b"\r\n", 0),
    ],
    ids=["stated", "absurdly-stated", "to-the-end", "chunks"],
)
def test_a_body_beyond_the_cap_is_refused_while_streaming(play, transport, script) -> None:
    carrier = play(script)
    failure = failure_of(transport, post(carrier, cap=100_000))
    assert (type(failure), failure.code, failure.delivery) == (OutcomeUnknown, "too_large", Delivery.UNANSWERED)


def test_a_packed_body_counts_unpacked(play, transport: Transport) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert len(bomb) < 300_000
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    carrier = play(lambda c: c.answers(answer))
    began = time.monotonic()
    assert failure_of(transport, get(carrier, cap=1_000_000)).code == "too_large"
    assert time.monotonic() - began < 2


def test_a_body_of_exactly_the_cap_is_taken(play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    assert transport.send(get(carrier, cap=5), 5).body == b"hello"


# Secrets


def test_no_failure_and_no_log_line_holds_a_credential(play, transport: Transport, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    canary = secrets.token_hex()
    carrier = play(cut(b""), cut(b"nonsense\r\n"), cut(HEAD + b"Content-Length: 9\r\n\r\n"), lambda c: c.hang)
    for timeout in (5, 5, 5, 0.2):
        with pytest.raises(CarrierError) as caught:
            transport.send(post(carrier, canary.encode()), timeout)
        shown = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
        shown += "".join(traceback.format_exception(caught.value))
        assert "c2VjcmV0" not in shown
        assert canary not in shown
    assert "c2VjcmV0" not in caplog.text
    assert canary not in caplog.text
