"""A quick sandbox for every test, and clients of it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from tests.sandbox.clients import PROVIDER, Catapult, Dashboard, Listener, Received, until


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    return until


@pytest.fixture
def provider() -> dict[str, Any]:
    return json.loads(json.dumps(PROVIDER))


@pytest.fixture(scope="module")
def module_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def first_switches(module_sandbox: RunningSandbox) -> dict[str, Any]:
    return dict(module_sandbox.state("switches")["switches"])


@pytest.fixture
def sandbox(module_sandbox: RunningSandbox, first_switches: dict[str, Any]) -> RunningSandbox:
    module_sandbox.switch(**first_switches | {"order_delay": 0.02, "message_delay": 0, "slow_seconds": 0.3})
    module_sandbox.reset()
    return module_sandbox


@pytest.fixture
def dashboard(sandbox: RunningSandbox) -> Dashboard:
    return Dashboard(sandbox.url, "/api/accounts/9999999", "wileCoyote", "catchThatBird")


@pytest.fixture
def catapult(sandbox: RunningSandbox) -> Catapult:
    return Catapult(sandbox.url, "/v1/users/u-1", "t-1", "s-1")


@pytest.fixture
def other_catapult(sandbox: RunningSandbox) -> Catapult:
    return Catapult(sandbox.url, "/v1/users/u-2", "t-2", "s-2")


@pytest.fixture
def listener() -> Iterator[Listener]:
    notes = Listener()

    class Handler(BaseHTTPRequestHandler):
        def _note(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            notes.received.append(Received(self.command, self.path, self.headers, body))
            path = self.path.partition("?")[0]
            if path in notes.silent:
                notes.stopped.wait(10)
            told = notes.answers.get(path)
            status, headers = told.pop(0) if told else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _note  # noqa: N815 - http.server asks for these names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    notes.url = f"http://127.0.0.1:{server.server_port}"
    yield notes
    notes.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def raw(sandbox: RunningSandbox) -> Iterator[Callable[[bytes], bytes]]:
    """Send bytes on one connection and read until the sandbox is silent for a moment or ends it."""
    host, port = urlsplit(sandbox.url).netloc.split(":")
    with socket.create_connection((host, int(port))) as connection:

        def talk(data: bytes) -> bytes:
            connection.settimeout(60)
            connection.sendall(data)
            connection.settimeout(1)
            got = b""
            try:
                while piece := connection.recv(65536):
                    got += piece
            except TimeoutError:
                pass
            return got

        yield talk
