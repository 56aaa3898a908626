"""The quick reading of an answer against that of http.client: the same, or left to it."""

import http.client
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.bandwidth.answers import Answer, ordinary


class Wire:
    """What http.client wants of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._data))


def as_http_client_reads(data: bytes) -> Any:
    """Status, headers by name and body, and whether the connection would be kept with nothing left over."""
    wire = Wire(data)
    answer = http.client.HTTPResponse(wire, method="POST")  # type: ignore[arg-type]  # all that it uses of a socket
    answer.begin()
    kept, stream = not answer.will_close and not answer.chunked, answer.fp
    body = answer.read()
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        key, text = name.lower(), value.strip(" \t")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return answer.status, headers, body, kept and not (stream and not stream.closed and stream.read())


def facts(answer: Answer) -> Any:
    return answer.status, answer.headers, answer.body, True


ORDINARY = (
    b"HTTP/1.1 201 Created\r\nLocation: https://h/v1/n-1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 \r\ncontent-length:2\r\nEmpty:\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n[]",
    b"HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Reset: 17 \r\nX: caf\xe9\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 500\r\nContent-Length: 3\r\n\r\nsho",
)
UNUSUAL = (
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[] and more",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[]",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nFolded: a\r\n b\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\r\nBad name: a\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\n[]",
    b"HTTP/1.1 200 O",
    b"nonsense\r\n\r\n",
    b"",
)


@pytest.mark.parametrize("data", ORDINARY)
def test_an_ordinary_answer_is_read_as_http_client_reads_it(data: bytes) -> None:
    answer = ordinary(data)
    assert answer is not None
    assert facts(answer) == as_http_client_reads(data)


@pytest.mark.parametrize("data", UNUSUAL)
def test_an_unusual_answer_is_left_to_http_client(data: bytes) -> None:
    assert ordinary(data) is None


PIECES = [
    b"HTTP/1.1 200 OK",
    b"Content-Length: 2",
    b"A: b",
    b" folded",
    b"A:b ",
    b"\tx",
    b":",
    b"A: x",
    b"\r",
    b"\n",
    b"",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=6), st.sampled_from([b"[]", b"x"]))
def test_whatever_comes_it_is_read_alike_or_left(pieces: list[bytes], body: bytes) -> None:
    data = b"\r\n".join([b"HTTP/1.1 200 OK", *pieces, b"Content-Length: 2"]) + b"\r\n\r\n" + body
    answer = ordinary(data)
    if answer is not None:
        assert facts(answer) == as_http_client_reads(data)


def test_a_connection_is_given_back_once() -> None:
    given_back: list[object] = []

    class Pool:
        def _put_conn(self, connection: object) -> None:
            given_back.append(connection)

    answer = Answer(201, {}, b"")
    answer.release_conn()
    answer._pool, answer._connection = Pool(), "connection"
    answer.release_conn()
    answer.release_conn()
    assert given_back == ["connection"]
