"""Listens, and stops cleanly."""

import asyncio
from typing import Self

from sandbox.app import Sandbox
from sandbox.building import build
from sandbox.settings import Settings
from sandbox.wire.protocol import Connection


class Server:
    """A listening sandbox; used as an async context manager, `url` tells where it is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections: set[Connection] = set()
        self.carrier = build(settings.accounts, settings.switches)
        self._listener: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen."""
        sandbox = Sandbox(self.carrier)
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(sandbox.answer, self._connections),
            self._settings.host,
            self._settings.port,
            backlog=1024,
        )
        host, port = self._listener.sockets[0].getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop listening, end every connection, call off what was to come."""
        self.carrier.timers.clear()
        if self._listener:
            self._listener.close()
        for connection in list(self._connections):
            connection.hang_up()
        await asyncio.sleep(0)  # lets the connections notice
