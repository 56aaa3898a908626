"""The transport against real sockets: nothing outlasts its deadline, outgrows its cap or shows a credential."""

import gzip
import logging
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tnimport.bandwidth.errors import CarrierError, Delivery, OutcomeUnknown
from tnimport.bandwidth.transport import Transport

Play = Callable[..., Any]  # see conftest: scripts in, a played carrier out
FailureOf = Callable[..., CarrierError]
Script = Callable[[socket.socket], None]

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

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
def test_a_call_ends_with_its_deadline_however_the_answer_drips(
    play: Play, transport: Transport, script: Play, failure_of: FailureOf
) -> None:
    carrier = play(script)
    began = time.monotonic()
    failure = failure_of(transport, carrier.post(), 0.4)
    assert time.monotonic() - began < 15
    assert isinstance(failure, OutcomeUnknown)
    assert failure.delivery is Delivery.UNANSWERED
    assert failure.code in {"timeout", "unreadable_answer"}


def test_a_server_that_does_not_read_cannot_hold_a_request(
    play: Play, transport: Transport, failure_of: FailureOf
) -> None:
    carrier = play(lambda c: c.hang)
    began = time.monotonic()
    failure = failure_of(transport, carrier.post(b"x" * 20_000_000), 0.4)
    assert time.monotonic() - began < 15
    assert (failure.code, failure.delivery) == ("timeout", Delivery.UNANSWERED)


def test_a_deadline_is_of_its_own_call(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE, PAGE))
    transport.send(carrier.get(), 1)
    threading.Event().wait(1.05)
    assert transport.send(carrier.get(), 5).body == b"hello"
    assert carrier.connections == 1


# The cap


LARGE = 20_000_000


def flood(c: Any) -> Script:
    script: Script = c.drip(HEAD + b"\r\n", b"y" * 65536, 0)
    return script


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
def test_a_body_beyond_the_cap_is_refused_while_streaming(
    play: Play, transport: Transport, script: Play, failure_of: FailureOf
) -> None:
    carrier = play(script)
    failure = failure_of(transport, carrier.post(cap=100_000))
    assert (type(failure), failure.code, failure.delivery) == (OutcomeUnknown, "answer_too_large", Delivery.UNANSWERED)


def test_a_packed_body_counts_unpacked(play: Play, transport: Transport, failure_of: FailureOf) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    assert len(bomb) < 300_000
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    carrier = play(lambda c: c.answers(answer))
    began = time.monotonic()
    assert failure_of(transport, carrier.get(cap=1_000_000)).code == "answer_too_large"
    assert time.monotonic() - began < 15


def test_a_body_of_exactly_the_cap_is_taken(play: Play, transport: Transport) -> None:
    carrier = play(lambda c: c.answers(PAGE))
    assert transport.send(carrier.get(cap=5), 5).body == b"hello"


# Secrets


def cut(answer: bytes) -> Play:
    return lambda c: c.answers(answer, then=lambda _: None)


def test_no_failure_and_no_log_line_holds_a_credential(
    play: Play, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = secrets.token_hex()
    carrier = play(cut(b""), cut(b"nonsense\r\n"), cut(HEAD + b"Content-Length: 9\r\n\r\n"), lambda c: c.hang)
    for timeout in (5, 5, 5, 0.2):
        with pytest.raises(CarrierError) as caught:
            transport.send(carrier.post(canary.encode()), timeout)
        shown = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
        shown += "".join(traceback.format_exception(caught.value))
        assert "c2VjcmV0" not in shown
        assert canary not in shown
    assert "c2VjcmV0" not in caplog.text
    assert canary not in caplog.text
