"""The sandbox for tests of other programs: `with running_sandbox() as sandbox:`."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.server import Server
from sandbox.settings import Settings, read_settings

_START_SECONDS = 10.0


class RunningSandbox:
    """A sandbox that runs: where it is, whom it lets in, and its control endpoints as methods.

    The control methods raise ValueError with the sandbox's own words when it refuses.
    """

    account_id, username, password = "9999999", "wileCoyote", "catchThatBird"
    user_id, token, secret = "u-1", "t-1", "s-1"
    site_id, sip_peer_id = "743", "303716"

    def __init__(self, url: str) -> None:
        self.url = url
        self.dashboard_url = f"{url}/api"
        self.catapult_url = f"{url}/v1"

    def switch(self, **values: object) -> dict[str, Any]:
        """Set switches; all of them come back."""
        return self._object("PUT", "/control/switches", values)

    def fault(self, endpoint: str, kind: str, **more: object) -> None:
        """Put a fault in force, for example `fault("catapult.numbers.create", "cut-after", count=3)`."""
        self._control("POST", "/control/faults", {"endpoint": endpoint, "kind": kind, **more})

    def clear_faults(self) -> None:
        """Drop every fault."""
        self._control("DELETE", "/control/faults")

    def reset(self) -> None:
        """Forget everything but the switches."""
        self._control("POST", "/control/reset")

    def state(self, *parts: str) -> dict[str, Any]:
        """What the carrier holds: summary, dashboards, users, effects, callbacks, switches, faults."""
        return self._object("GET", "/control/state?" + urlencode({"parts": ",".join(parts)}))

    def calls(self, endpoint: str = "", status: int | None = None, after: int = 0) -> list[dict[str, Any]]:
        """The logged calls of endpoints that begin so, oldest first."""
        query = {"endpoint": endpoint, "after": after} | ({} if status is None else {"status": status})
        found = self._control("GET", "/control/calls?" + urlencode(query))
        return list(found)

    def put_in_service(self, numbers: Sequence[str], account: str | None = None) -> None:
        """Put numbers (10 digits) on the dashboard without an order."""
        more = {} if account is None else {"account": account}
        self._control("POST", "/control/in-service", {"numbers": list(numbers), **more})

    def release(self) -> int:
        """End every stuck order; how many there were."""
        return int(self._object("POST", "/control/release")["released"])

    def inbound(self, sender: str, recipient: str, text: str) -> str | None:
        """Let a message come in from outside; its id, or None where nobody has the number."""
        found = self._object("POST", "/control/inbound", {"from": sender, "to": recipient, "text": text})
        return None if found["id"] is None else str(found["id"])

    def _object(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return dict(self._control(method, path, body))

    def _control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON is of any type
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise ValueError(answer["error"])
        return answer


@contextmanager
def running_sandbox(settings: Settings | None = None, **switches: object) -> Iterator[RunningSandbox]:
    """A sandbox in a thread of this process on a free port, with rate limits off unless `switches` say otherwise.

    It ends with the block. Without `settings` it takes the documented defaults and not the environment.
    """
    chosen = settings or read_settings({"SANDBOX_PORT": "0", "SANDBOX_RATE_LIMITS": "0"})
    chosen.switches.change(switches)
    ready = threading.Event()
    thread = _Thread(chosen, ready)
    thread.start()
    if not ready.wait(_START_SECONDS) or thread.problem:
        raise RuntimeError("the sandbox did not start") from thread.problem
    try:
        yield RunningSandbox(thread.url)
    finally:
        thread.stop()
        thread.join()


class _Thread(threading.Thread):
    def __init__(self, settings: Settings, ready: threading.Event) -> None:
        super().__init__(name="sandbox", daemon=True)
        self._settings, self._ready = settings, ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self.problem: BaseException | None = None
        self.url = ""

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as problem:
            self.problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with Server(self._settings) as server:
            self.url = server.url
            self._ready.set()
            await self._ended.wait()

    def stop(self) -> None:
        if self._loop and self._ended:
            self._loop.call_soon_threadsafe(self._ended.set)
