"""HTTP as this client needs it: one request, one answer, errors as two exceptions."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPConnection, HTTPResponse

    from tnimport.cli.address import Address

TIMEOUT = 30.0
UPLOAD_TIMEOUT = 600.0
UNDERSTOOD = frozenset({200, 201, 202, 204, 304})


class Unreachable(Exception):
    """No whole answer came; `sent` tells whether the request may have had its effect all the same."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Refusal(Exception):
    """The API answered with something other than success; `problem` is its document, perhaps empty."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.problem = problem
        self.retry_after = retry_after


def _something_else() -> Unreachable:
    return Unreachable("what answers there is not the tnimport API", sent=True)


@dataclass(frozen=True)
class Answer:
    """A success: status, headers in lower case, and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON is what it is
        """The body as JSON; one that is none means that something else answers at this address."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise _something_else() from None

    def view(self) -> dict[str, Any]:
        """The body as an import."""
        view = self.json()
        if not (isinstance(view, dict) and {"id", "state", "counts"} <= view.keys()):
            raise _something_else()
        return view

    @property
    def retry_after(self) -> float | None:
        """Seconds that the API asks us to wait before we look again."""
        return _seconds(self.headers.get("retry-after"))


@dataclass(frozen=True)
class Api:
    """The HTTP API at one address. Every call uses a connection of its own and follows no redirect."""

    address: Address

    def get(self, path: str, **headers: str) -> Answer:
        """GET `path`; headers are given with underscores. Raises Unreachable or Refusal."""
        with self._exchange("GET", path, _dashed(headers), None, TIMEOUT) as response:
            return Answer(response.status, _lowered(response), response.read())

    def post(self, path: str, body: IO[bytes] | None = None, **headers: str) -> Answer:
        """POST `body`, streamed, to `path`. Raises Unreachable or Refusal."""
        timeout = TIMEOUT if body is None else UPLOAD_TIMEOUT
        with self._exchange("POST", path, _dashed(headers), body, timeout) as response:
            return Answer(response.status, _lowered(response), response.read())

    def lines(self, path: str, accept: str) -> Iterator[bytes]:
        """The lines of a streamed export, in order, without holding it whole."""
        with self._exchange("GET", path, {"Accept": accept}, None, TIMEOUT) as response:
            yield from _lines(response)

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: IO[bytes] | None,
        timeout: float,
    ) -> Iterator[HTTPResponse]:
        connection = self._connected(timeout)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                # An answer such as 413 may come before the body is out, and is worth reading.
                connection.request(method, self.address.prefix + path, body=body, headers=self._with_key(headers))
            response = connection.getresponse()
            if response.status not in UNDERSTOOD:
                raise _refusal(response)
            yield response
        except _broken() as fault:
            raise Unreachable(_words(fault), sent=True) from None
        finally:
            connection.close()

    def _connected(self, timeout: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - 20 ms that --help does not need

        kind = HTTPSConnection if self.address.secure else HTTPConnection
        connection = kind(self.address.host, self.address.port, timeout=timeout)
        try:
            connection.connect()
        except _broken() as fault:
            raise Unreachable(_words(fault), sent=False) from None
        return connection

    def _with_key(self, headers: dict[str, str]) -> dict[str, str]:
        own = {"Accept": "application/json", "Connection": "close", **headers}
        if self.address.api_key is not None:
            own["Authorization"] = f"Bearer {self.address.api_key}"
        return own


def _broken() -> tuple[type[Exception], ...]:
    from http.client import HTTPException  # noqa: PLC0415 - as in _connected

    return (OSError, HTTPException)


def _words(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return text or type(fault).__name__


def _refusal(response: HTTPResponse) -> Refusal:
    body = response.read()
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    known = problem if isinstance(problem, dict) else {}
    return Refusal(response.status, known, _seconds(response.headers.get("Retry-After")))


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    # readline() of a chunked answer takes a broken connection for its end; read1() does not.
    rest = b""
    while piece := response.read1(65536):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest or response.length:
        raise Unreachable("the export broke off", sent=True)


def _lowered(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
