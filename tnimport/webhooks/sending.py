"""One POST to an address that somebody else chose: one deadline in all, no redirect, nowhere that may not be reached.

The address that is checked is the one that is connected to; the name is not resolved a second time, so a name that
changes its mind in between gains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from tnimport.bandwidth.connections import TimedConnection, TimedTlsConnection
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.failures import BROKEN, TEXTS, code_of
from tnimport.bandwidth.sockets import Call, current
from tnimport.bandwidth.waiting import asked_for
from tnimport.domain.reach import Reach
from tnimport.webhooks import signing

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Answer:
    """What came of one POST: a status, or the code and the words for why there is none.

    `wait` is the seconds for which the receiver asked, as far as it said so in a way that can be read.
    """

    status: int | None
    code: str | None = None
    description: str | None = None
    wait: float | None = None


class Sender:
    """Signs and sends. One serves any number of threads; connections are not kept.

    Args:
        secrets: what is signed with, none = nothing can be sent.
        reach: which addresses may be called.
        ca_file: certificates to trust in place of the usual ones.
    """

    def __init__(self, secrets: Sequence[str], reach: Reach, *, ca_file: Path | None = None) -> None:
        self.secrets = tuple(secrets)
        self._reach = reach
        self._tls = create_urllib3_context()
        self._tls.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
        self._tls.check_hostname = True

    def post(self, url: str, webhook_id: str, body: str, *, at: float, timeout: float) -> Answer:
        """Send one webhook; `at` is the present time, `timeout` the seconds that all of it may take."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        call = current.call = Call(timeout, lambda address: self._reach.permits(host, address))
        connection = self._connection(parts, host)
        try:
            connection.request("POST", _target(parts), body.encode(), self._headers(webhook_id, at, body))
            return _answer(connection.getresponse())
        except BROKEN as problem:
            code = code_of(problem, sent=call.sent)
            return Answer(None, code, TEXTS[code])
        finally:
            connection.close()

    def _connection(self, parts: SplitResult, host: str) -> TimedConnection:
        port = parts.port or _PORTS[parts.scheme]
        secure = parts.scheme == "https"
        return TimedTlsConnection(host, port, ssl_context=self._tls) if secure else TimedConnection(host, port)

    def _headers(self, webhook_id: str, at: float, body: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Content-Length": str(len(body.encode())),
            "User-Agent": "tnimport",
            "Connection": "close",
            **signing.headers(self.secrets, webhook_id, at, body),
        }


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _answer(response: Any) -> Answer:  # noqa: ANN401 - urllib3's response, or what stands for it
    """Only the head counts: the body is neither waited for nor kept, however large it is or slow to come."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, wait=asked_for(Reply(response.status, headers, b"")))
