"""HEAD wherever a GET changes nothing: the same headers, and nothing of the body."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """ASGI middleware that asks the app with GET; an export is not read further than its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a HEAD; pass on everything else."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or not has_head(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body"):
                raise _Enough

        try:
            await self._app({**scope, "method": "GET"}, receive, headers_only)
        except (_Enough, ClientDisconnect):
            return


def has_head(path: str) -> bool:
    """Whether a GET of this address only reads; a message may come in by GET, and is stored."""
    return not path.startswith("/callbacks/")


class _Enough(OSError):
    """Nobody wants the rest; an error of a connection, which is how a streamed answer learns that."""
