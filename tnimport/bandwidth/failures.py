"""Why a call ended without an answer, as one code: the libraries below keep the reason in four different places."""

import http.client
import socket
import ssl
from typing import Final

import urllib3
from urllib3.exceptions import DecodeError, IncompleteRead

from tnimport.bandwidth.sockets import AddressRefused

_MOST_CAUSES: Final = 50  # exceptions can refer to one another in circles
BROKEN: Final = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException, ValueError)


class TooLarge(ValueError):
    """The answer is larger than whoever asked will have it."""


def code_of(problem: Exception, *, sent: bool) -> str:
    """The code of such a problem, which is one of `BROKEN`; `sent` tells whether any of the request had left."""
    causes = _causes(problem)
    return (
        _first_match(causes, _SENT, "connection_lost") if sent else _first_match(causes, _UNSENT, "connection_failed")
    )


_UNSENT: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (AddressRefused, "address_refused"),
    (socket.gaierror, "dns_failure"),
    (ssl.SSLError, "tls_failure"),
    (ssl.CertificateError, "tls_failure"),
    (TimeoutError, "connect_timeout"),
    (ConnectionRefusedError, "connection_refused"),
)
_SENT: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (TooLarge, "answer_too_large"),
    (TimeoutError, "timeout"),
    (urllib3.exceptions.TimeoutError, "timeout"),
    (IncompleteRead, "truncated_answer"),
    (http.client.IncompleteRead, "truncated_answer"),
    (ConnectionError, "connection_lost"),
    (DecodeError, "unreadable_answer"),
    (http.client.HTTPException, "unreadable_answer"),
    (ValueError, "unreadable_answer"),
)
TEXTS: Final = {
    "address_refused": "the host has no address that may be called",
    "dns_failure": "the name of the host could not be resolved",
    "tls_failure": "no trusted TLS connection could be made",
    "connect_timeout": "no connection could be made in time",
    "connection_refused": "the host refuses connections",
    "connection_failed": "no connection could be made",
    "answer_too_large": "the answer is larger than any that is expected",
    "timeout": "no whole answer came in time",
    "truncated_answer": "the answer breaks off",
    "connection_lost": "the connection broke before the whole answer came",
    "unreadable_answer": "what came back is no HTTP answer",
}


def _first_match(
    causes: list[BaseException], table: tuple[tuple[type[BaseException], str], ...], otherwise: str
) -> str:
    return next((code for kind, code in table if any(isinstance(cause, kind) for cause in causes)), otherwise)


def _causes(problem: BaseException) -> list[BaseException]:
    """Return the exception and every one that it wraps: requests and urllib3 keep them in four different places."""
    found: list[BaseException] = []
    waiting: list[object] = [problem]
    while waiting and len(found) < _MOST_CAUSES:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and not any(cause is known for known in found):
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return found
