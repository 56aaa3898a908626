"""Calls others by HTTP: callbacks and order notifications."""

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

_HEAD_LIMIT: Final = 64 * 1024


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """A request to be made; user-info in the URL is left to `basic_of`."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Reply:
    """What came back: the status and the headers, names in lower case."""

    status: int
    headers: dict[str, str]


def basic_of(url: str) -> dict[str, str]:
    """The Authorization header for the user-info of the URL, if it has any."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    return basic_header(unquote(parts.username), unquote(parts.password or ""))


def basic_header(username: str, password: str) -> dict[str, str]:
    """The Authorization header for these credentials."""
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


async def send(outgoing: Outgoing, seconds: float) -> Reply:
    """Make the request; OSError or TimeoutError when no answer came within so many seconds in all."""
    async with asyncio.timeout(seconds):
        parts = urlsplit(outgoing.url)
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        try:
            port = parts.port or (443 if secure else 80)
        except ValueError as problem:
            raise ConnectionError("the port is not a number up to 65535") from problem
        reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=secure, limit=_HEAD_LIMIT)
        try:
            writer.write(_head_of(outgoing) + outgoing.body)
            await writer.drain()
            return _read_head(await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as problem:
            raise ConnectionError("the answer is not HTTP") from problem
        finally:
            writer.close()


def _head_of(outgoing: Outgoing) -> bytes:
    parts = urlsplit(outgoing.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    headers = {"Host": host, "Connection": "close", "Content-Length": str(len(outgoing.body))} | outgoing.headers
    lines = [f"{outgoing.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _read_head(head: bytes) -> Reply:
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest if line)
    return Reply(int(first.split()[1]), {name.strip().lower(): value.strip() for name, _, value in pairs})
