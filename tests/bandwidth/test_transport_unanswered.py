"""The transport against real sockets: requests that were sent, and answers that never came whole."""

import os
import random
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tnimport.bandwidth import connections
from tnimport.bandwidth.errors import CarrierError, Delivery, OutcomeUnknown, RetryLater
from tnimport.bandwidth.transport import Transport

Play = Callable[..., Any]  # see conftest: scripts in, a played carrier out
FailureOf = Callable[..., CarrierError]
Script = Callable[[socket.socket], None]

CREATED = b"HTTP/1.1 201 Created\r\nLocation: /x/n-1\r\nContent-Length: 0\r\n\r\n"


def cut(answer: bytes) -> Callable[[Any], Script]:
    return lambda c: c.answers(answer, then=lambda _: None)


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
def test_a_broken_answer_is_no_answer(  # noqa: PLR0917 - two tables and three fixtures
    play: Play, transport: Transport, answer: bytes, code: str, effect: bool, failure_of: FailureOf
) -> None:
    carrier = play(cut(answer))
    failure = failure_of(transport, carrier.post() if effect else carrier.get())
    assert type(failure) is (OutcomeUnknown if effect else RetryLater)
    assert failure.delivery is Delivery.UNANSWERED
    assert failure.code in {code, "connection_lost"} if answer else failure.code == code
    assert len(carrier.requests) == 1, "nothing is sent again by itself"


def test_a_reset_instead_of_an_answer_is_unanswered(play: Play, transport: Transport, failure_of: FailureOf) -> None:
    def reset(peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    carrier = play(lambda c: c.answers(b"", then=reset))
    failure = failure_of(transport, carrier.post())
    assert (type(failure), failure.code, failure.delivery) == (OutcomeUnknown, "connection_lost", Delivery.UNANSWERED)


def test_a_kept_connection_that_dies_at_the_next_post_leaves_its_outcome_unknown(
    play: Play, transport: Transport, failure_of: FailureOf
) -> None:
    def then_die(c: Any) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(CREATED)
            c.receive(peer)

        return script

    carrier = play(then_die, lambda c: c.answers(CREATED))
    transport.send(carrier.post(), 5)
    failure = failure_of(transport, carrier.post())
    assert (type(failure), failure.delivery) == (OutcomeUnknown, Delivery.UNANSWERED)
    assert len(carrier.requests) == 2
    assert transport.send(carrier.post(), 5).status == 201


def test_a_kept_connection_that_is_closed_already_is_replaced(play: Play, transport: Transport) -> None:
    closed = threading.Event()

    def then_close(c: Any) -> Script:
        def script(peer: socket.socket) -> None:
            c.receive(peer)
            peer.sendall(CREATED)
            peer.shutdown(socket.SHUT_RDWR)
            closed.set()

        return script

    carrier = play(then_close, lambda c: c.answers(CREATED))
    transport.send(carrier.post(), 5)
    assert closed.wait(5)
    assert transport.send(carrier.post(), 5).status == 201
    assert carrier.connections == 2


def test_a_connection_that_was_idle_for_long_is_replaced(
    play: Play, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = play(*[lambda c: c.answers(CREATED)] * 2)
    transport.send(carrier.post(), 5)
    monkeypatch.setattr(connections, "IDLE_LIMIT", 0.0)
    transport.send(carrier.post(), 5)
    assert carrier.connections == 2


def test_a_fork_does_not_share_connections(play: Play, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = play(*[lambda c: c.answers(CREATED)] * 2)
    transport.send(carrier.post(), 5)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    transport.send(carrier.post(), 5)
    assert carrier.connections == 2


WHOLE = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n"
    b"5\r\nhello\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("seed", range(4))
def test_no_bytes_whatsoever_bring_out_another_exception(play: Play, transport: Transport, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - repeatable

    def garbled() -> bytes:
        answer = bytearray(WHOLE)
        for _ in range(dice.randint(1, 6)):
            place = dice.randrange(len(answer))
            answer[place : place + dice.randint(0, 4)] = dice.choice([b"", b"\r\n", b"\0", b"\xff", b":", b"-1", b" "])
        return bytes(answer[: dice.randint(1, 200)])

    carrier = play(*[cut(garbled()) for _ in range(100)])
    fates = set()
    for _ in range(100):
        try:
            fates.add(str(transport.send(carrier.get(), 2).status))
        except CarrierError as error:
            fates.add(error.code)
    assert fates & {"truncated_answer", "unreadable_answer"}
