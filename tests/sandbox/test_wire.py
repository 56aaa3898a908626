import base64
import re
from collections.abc import Callable

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult

TOKEN = base64.b64encode(b"t-1:s-1").decode()
GET = f"GET /v1/users/u-1/errors HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {TOKEN}\r\n\r\n".encode()


def test_pipelined_requests_are_answered_in_their_order(raw: Callable[[bytes], bytes], sandbox: RunningSandbox) -> None:
    slow_first = GET.replace(b"/errors", b"/messages") + GET + GET.replace(b"/errors", b"/nothing")
    sandbox.fault("catapult.messages.list", "slow", seconds=0.1)
    answer = raw(slow_first)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"404"]


def test_a_chunked_body_is_read(raw: Callable[[bytes], bytes]) -> None:
    body = b'{"name":"a","incomingCallUrl":"http://x.test"}'
    chunks = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    head = GET.replace(b"GET", b"POST").replace(b"errors", b"applications")
    answer = raw(head.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + chunks)
    assert answer.startswith(b"HTTP/1.1 201")


def test_a_client_that_asks_may_go_on(raw: Callable[[bytes], bytes]) -> None:
    head = GET.replace(b"GET", b"POST").replace(b"errors", b"applications")
    answer = raw(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"))
    assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert raw(b"{}").startswith(b"HTTP/1.1 400")


def test_a_connection_ends_when_the_client_wishes(raw: Callable[[bytes], bytes]) -> None:
    answer = raw(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answer


def test_what_is_not_http_is_refused(raw: Callable[[bytes], bytes]) -> None:
    assert raw(b"MEEP MEEP\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_body_that_is_too_large_is_refused(raw: Callable[[bytes], bytes]) -> None:
    head = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 99999999\r\n\r\n")
    assert raw(head + b"x" * (16 * 1024 * 1024 + 1)).startswith(b"HTTP/1.1 413")


def test_latency_delays_every_answer(sandbox: RunningSandbox, catapult: Catapult) -> None:
    sandbox.switch(latency=0.05)
    assert catapult.get("/errors").status == 200


def test_a_client_that_offers_http_2_is_answered_in_http_1(catapult: Catapult) -> None:
    wanted = {"name": "a", "incomingCallUrl": "http://x.test"}
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    assert catapult.call("POST", "/applications", wanted, **offer).status == 201
    assert catapult.call("GET", "/applications", None, **offer).json[0]["name"] == "a"
