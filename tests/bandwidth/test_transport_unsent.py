"""The transport against real sockets: failures before a byte of the request has left."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tnimport.bandwidth import sockets
from tnimport.bandwidth.errors import CarrierError, Delivery, RetryLater
from tnimport.bandwidth.exchange import Request
from tnimport.bandwidth.transport import Transport

Play = Callable[..., Any]  # see conftest: scripts in, a played carrier out
FailureOf = Callable[..., CarrierError]
Script = Callable[[socket.socket], None]

CREATED = b"HTTP/1.1 201 Created\r\nLocation: /x/n-1\r\nContent-Length: 0\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def unsent(transport: Transport, failure_of: FailureOf) -> FailureOf:
    def fail(url: str, timeout: float = 5) -> CarrierError:
        request = Request(method="POST", url=url, headers={}, body=b"x", effect=True)
        failure = failure_of(transport, request, timeout)
        assert isinstance(failure, RetryLater)
        assert failure.delivery is Delivery.NOT_SENT
        return failure

    return fail


def test_a_refused_connection_is_not_sent(unsent: FailureOf, free_port: int) -> None:
    assert unsent(f"http://127.0.0.1:{free_port}/").code == "connection_refused"


def test_an_unknown_name_is_not_sent(unsent: FailureOf, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(sockets.socket, "getaddrinfo", fail)
    assert unsent("http://carrier.invalid/").code == "dns_failure"


def test_a_name_that_cannot_be_one_is_not_sent(unsent: FailureOf, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        "a..b".encode("idna")

    monkeypatch.setattr(sockets.socket, "getaddrinfo", fail)
    assert unsent("http://a..b/").code == "dns_failure"


@pytest.mark.parametrize("host", ["[::1", "127.0.0.1:99999999", "127.0.0.1:x"])
def test_an_impossible_address_is_not_sent(unsent: FailureOf, host: str) -> None:
    unsent(f"http://{host}/")


def test_a_resolver_that_hangs_is_not_waited_for(unsent: FailureOf, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    real = socket.getaddrinfo

    def hang(*args: object, flags: int = 0, **kwargs: object) -> object:
        if flags:
            raise socket.gaierror
        over.wait(30)
        return real("127.0.0.1", 1)

    monkeypatch.setattr(sockets.socket, "getaddrinfo", hang)
    began = time.monotonic()
    assert unsent("http://carrier.invalid/", 0.2).code == "connect_timeout"
    assert time.monotonic() - began < 15
    over.set()


def test_a_host_that_does_not_take_the_connection_is_given_up_in_time(unsent: FailureOf) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003 - the socket's own interface
            one.connect_ex(address)
        began = time.monotonic()
        assert unsent(f"http://127.0.0.1:{address[1]}/", 0.3).code == "connect_timeout"
        assert time.monotonic() - began < 15
        for one in waiting:
            one.close()


def test_a_second_address_is_tried_when_the_first_is_dead(
    play: Play, transport: Transport, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (free_port, carrier.port)]
    monkeypatch.setattr(sockets, "_resolve", lambda *_: both)
    assert transport.send(carrier.get(), 5).body == b"hello"


def test_a_call_without_time_is_not_sent(play: Play, unsent: FailureOf, free_port: int) -> None:
    failure = unsent(f"http://127.0.0.1:{free_port}/", 0)
    assert failure.code == "timeout"


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "tls" / "server.pem")
    return context


def test_a_certificate_nobody_vouches_for_is_not_sent(play: Play, unsent: FailureOf) -> None:
    carrier = play(lambda c: c.answers(CREATED), tls=server_tls())
    assert unsent(carrier.url).code == "tls_failure"
    assert carrier.requests == []


def test_a_server_that_speaks_no_tls_is_not_sent(play: Play, unsent: FailureOf) -> None:
    carrier = play(lambda _: lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert unsent(carrier.url.replace("http:", "https:")).code in {"tls_failure", "connection_failed"}


def test_a_handshake_that_hangs_ends_with_the_deadline(play: Play, unsent: FailureOf) -> None:
    carrier = play(lambda c: c.hang)
    began = time.monotonic()
    assert unsent(carrier.url.replace("http:", "https:"), 0.3).code == "connect_timeout"
    assert time.monotonic() - began < 15


def test_tls_with_a_trusted_certificate_is_as_good_as_plain(play: Play, failure_of: FailureOf) -> None:
    carrier = play(lambda c: c.answers(CREATED, PAGE, b"HTTP/1.1 200 OK\r\nContent-Le"), tls=server_tls())
    trusting = Transport(ca_file=Path(__file__).parent / "tls" / "server.pem")
    assert trusting.send(carrier.post(b"x" * 300_000), 5).status == 201
    assert trusting.send(carrier.get(), 5).body == b"hello"
    assert failure_of(trusting, carrier.post(), 0.3).code == "timeout"
    assert carrier.connections == 1
    trusting.close()
