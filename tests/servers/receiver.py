"""Somebody who is told by webhook: a real HTTP server that remembers what came and answers as it is told to."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

OURS = Path(__file__).parents[1] / "bandwidth" / "tls" / "server.pem"  # for the address 127.0.0.1


@dataclass(frozen=True)
class Told:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with each of `answers` in turn, the last one again and again; hangs while `awake` is not set."""

    url: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    body: bytes = b""
    told: list[Told] = field(default_factory=list)
    awake: Event = field(default_factory=Event)
    asked: int = 0
    _news: Condition = field(default_factory=Condition)

    def hear(self, told: Told) -> tuple[int, dict[str, str]]:
        """Remember a request; returns what to answer."""
        with self._news:
            self.told.append(told)
            self._news.notify_all()
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait_for(self, count: int, seconds: float = 60) -> list[Told]:
        """Return when it was told so often."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.told) >= count, seconds), f"told {len(self.told)} times"
            return list(self.told)


@contextmanager
def receiver(host: str = "127.0.0.1", *, tls: bool = False) -> Iterator[Receiver]:
    """A receiver that listens on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # http.server's name for it
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = mine.hear(Told(self.path, headers, body))
            mine.awake.wait(30)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(mine.body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(mine.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[Any, Any]:
            mine.asked += 1
            return super().get_request()

        def handle_error(self, *_: Any) -> None:
            """Whoever hung up has done so on purpose."""

    server = Server((host, 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(OURS)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    mine = Receiver(f"http{'s' if tls else ''}://{host}:{server.server_address[1]}/hook")
    mine.awake.set()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield mine
    mine.awake.set()
    server.shutdown()
    server.server_close()
    thread.join(5)
