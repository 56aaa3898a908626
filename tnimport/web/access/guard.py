"""What every request passes: browsers of other web sites stay out, and every answer is safe to show."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tnimport.web.wire.problems import ProblemError

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SAFETY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Guard:
    """ASGI middleware around the whole app; `hosts` are the names it may be addressed by, None = any.

    Without keys, being on this machine is what lets a caller in, and a page of another site that is open on this
    machine must not borrow that: its text bodies need no preflight, and its host name may point here.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is foreign."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFETY.items():
                    headers.setdefault(name, value)
            await send(message)

        # The carrier calls under our public name, with a secret that no browser has.
        hosts = None if scope["path"].startswith("/callbacks/") else self._hosts
        foreign = is_foreign(scope["method"], Headers(scope=scope), hosts)
        answer = ProblemError("foreign-origin").response(scope["path"]) if foreign else self._app
        await answer(scope, receive, safely)


def is_foreign(method: str, headers: Headers, hosts: frozenset[str] | None) -> bool:
    """Whether a browser asks on behalf of a page that is not ours."""
    host = headers.get("host", "")
    if hosts is not None and not _is_ours(_part(f"//{host}", "hostname"), hosts):
        return True
    if method in _SAFE:
        return False
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return True
    origin = headers.get("origin")
    return origin is not None and _part(origin, "netloc") != host


def _is_ours(name: str | None, hosts: frozenset[str]) -> bool:
    """Whether this is a name of ours, or an address of this machine, which no foreign name service can hand out."""
    try:
        return name in hosts or ip_address(name or "").is_loopback
    except ValueError:
        return False


def _part(url: str, name: str) -> str | None:
    try:
        part = getattr(urlsplit(url), name)
    except ValueError:
        return None
    return part or None
