"""Reads an ordinary answer at a fraction of the usual cost; any other is left to http.client and urllib3.

Ordinary is what came as a whole in one piece, states its length, and holds nothing that changes how the body is read or
whether the connection is kept. http.client reads the head by the parser for e-mail, and urllib3 wraps what it reads:
together half of what a call costs us.
"""

import re
from typing import Any, Final

_STATUS: Final = re.compile(rb"HTTP/1\.1 ([2-9][0-9]{2})(?: [^\r\n]*)?")
_LINE: Final = re.compile(rb"([!-9;-~]+):[ \t]*([^\r\n\0]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_UNUSUAL: Final = frozenset(
    {b"transfer-encoding", b"content-encoding", b"connection", b"proxy-connection", b"keep-alive", b"trailer"}
)
_MOST_LINES: Final = 90  # http.client refuses more than a hundred
_BODILESS: Final = frozenset({b"204", b"304"})


class Answer:
    """A whole answer, in the place of urllib3's response: headers by name in lower case, and the body."""

    version_string = "HTTP/1.1"
    length_remaining = 0
    retries: Any = None
    _connection: Any = None  # which connection to give back to which pool: urllib3 sets them on its responses
    _pool: Any = None

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def release_conn(self) -> None:
        """Let the pool have the connection for the next call."""
        pool, connection = self._pool, self._connection
        self._pool = self._connection = None
        if pool is not None and connection is not None:
            pool._put_conn(connection)  # noqa: SLF001 - as urllib3's own response does


def ordinary(seen: bytes) -> Answer | None:
    """The answer in these bytes, or None if it is not there as a whole, is followed by more, or is unusual."""
    head, end, body = seen.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if not end or status is None or status[1] in _BODILESS or len(lines) > _MOST_LINES:
        return None
    headers: dict[str, str] = {}
    length = b""
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        name, value = found[1].lower(), found[2]
        if name in _UNUSUAL or (name == b"content-length" and length):
            return None
        if name == b"content-length":
            length = value.strip()
        key, text = name.decode("ascii"), value.decode("latin-1").strip(" \t")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if not _LENGTH.fullmatch(length) or int(length) != len(body):
        return None
    return Answer(int(status[1]), headers, body)
