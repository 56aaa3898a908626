"""The way to the network, with `connections` and `sockets`: sends a Request, returns the Reply or raises one error."""

import os
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from tnimport.bandwidth.answers import Answer
from tnimport.bandwidth.connections import TimedPool, TimedTlsPool
from tnimport.bandwidth.errors import CarrierError, Delivery, OutcomeUnknown, RetryLater
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.failures import BROKEN, TEXTS, TooLarge, code_of
from tnimport.bandwidth.sockets import Call, current

_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class _Adapter(HTTPAdapter):
    """requests' adapter with timed connections, and without what a machine's client never needs (cookies)."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": TimedPool, "https": TimedTlsPool}
        self._pools: dict[str, Any] = {}

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as in requests
        """Return the pool of the host, found once: working out its key costs as much as a send."""
        host = "/".join((request.url or "").split("/", 3)[:3])
        pool = self._pools.get(host)
        if pool is None:
            pool = self._pools[host] = super().get_connection_with_tls_context(request, *args, **kwargs)
        return pool

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        super().close()

    def build_response(self, _: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401 - urllib3's
        # Only `_exchange` sees it, so it needs no cookie jar, history and the like, which are half of its cost.
        response = requests.Response.__new__(requests.Response)
        response.status_code = resp.status
        response.raw = resp
        return response

    def request_url(self, request: requests.PreparedRequest, *_: object) -> str:
        """Return path and query; there is no proxy that would need the whole URL."""
        return "/" + "".join((request.url or "").split("/", 3)[3:])


class Transport:
    """Sends requests over kept connections. One serves any number of threads, and survives a fork.

    A call has one deadline in total. Nothing is retried and no redirect is followed: the first is for the ledger to
    decide, the second would carry credentials to wherever an answer points. Proxy variables, .netrc and other
    settings of the environment are not read. TLS certificates are always verified, against `ca_file` if given.
    """

    def __init__(self, *, connections: int = 32, ca_file: Path | None = None) -> None:
        self._connections = connections
        self._verify: bool | str = True if ca_file is None else str(ca_file)
        self._renew()

    def _renew(self) -> None:
        self._process = os.getpid()
        self._adapter = _Adapter(pool_connections=8, pool_maxsize=self._connections, max_retries=0)

    def close(self) -> None:
        """Close the idle connections; the transport stays usable."""
        self._adapter.close()
        self._renew()

    def send(self, request: Request, timeout: float) -> Reply:
        """Return the whole answer, whatever its status.

        Raises:
            RetryLater: delivery NOT_SENT, or UNANSWERED if the request creates nothing.
            OutcomeUnknown: the request creates something, part of it was sent, and no whole answer came.
        """
        if self._process != os.getpid():
            self._renew()  # sockets shared with a parent process would mix up answers
        if timeout <= 0:
            raise RetryLater("timeout", "no time was left for the call", delivery=Delivery.NOT_SENT)
        call = current.call = Call(timeout)
        try:
            return self._exchange(request, timeout)
        except BROKEN as problem:
            failure = _failure(problem, request, call)
        # Raised out here so that no exception of a library, which may hold the request, hangs on to it.
        raise failure

    def _exchange(self, request: Request, timeout: float) -> Reply:
        response = self._adapter.send(_prepared(request), stream=True, timeout=timeout, verify=self._verify, proxies={})
        raw = response.raw
        if isinstance(raw, Answer):
            raw.release_conn()
            if len(raw.body) > request.cap:
                raise TooLarge
            return Reply(raw.status, raw.headers, raw.body)
        if response.status_code < HTTPStatus.OK:
            raw.close()  # what follows would be taken for the answer to the next request
            raise ValueError("another protocol in place of an answer")
        whole = False
        try:
            headers = {name.lower(): value for name, value in raw.headers.items()}
            body = _body(raw, request.cap)
            whole = True
        finally:
            if not whole:
                raw.close()
            raw.release_conn()
        return Reply(response.status_code, headers, body)


def _body(raw: Any, cap: int) -> bytes:  # noqa: ANN401 - urllib3's response, or what a test puts in its place
    """Return the decoded body, reading no more than the cap: neither 20 MB nor a gzip bomb gets into memory."""
    stated = raw.headers.get("content-length", "")
    if stated == "0":
        raw.read()  # lets go of the connection
        return b""
    if _LENGTH.fullmatch(stated) and int(stated) > cap:
        raise TooLarge
    body: bytes = raw.read(cap + 1, decode_content=True)
    if len(body) > cap:
        raise TooLarge
    return body


def _prepared(request: Request) -> requests.PreparedRequest:
    """Return the request as requests' adapter wants it; requests' own preparing costs more than a send."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    prepared.headers = headers  # type: ignore[assignment]  # the adapter only reads them; a plain dict is faster
    prepared.body = request.body
    return prepared


def _failure(problem: Exception, request: Request, call: Call) -> CarrierError:
    """Return the error for a call that ended without an answer; its text is ours alone."""
    code = code_of(problem, sent=call.sent)
    if not call.sent:
        return RetryLater(code, TEXTS[code], delivery=Delivery.NOT_SENT)
    kind = OutcomeUnknown if request.effect else RetryLater
    return kind(code, TEXTS[code], delivery=Delivery.UNANSWERED)
