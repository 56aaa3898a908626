"""A real HTTP server that plays the API from a script, and the real command line run against it."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

TNIMPORT = str(Path(sys.executable).with_name("tnimport"))
ID = "imp-1"


@pytest.fixture(autouse=True)
def _measured(measured_children: None) -> None:
    """The command line is tested by its real process alone, so what that executes counts."""


def view(state: str = "complete", **more: object) -> dict[str, Any]:
    counts = {"imported": 8, "failed": 0, "rejected": 0, "rows": 8} | cast("dict[str, int]", more.pop("counts", {}))
    return {
        "id": ID,
        "state": state,
        "action": "IMPORT",
        "account": "default",
        "customer_order_id": "ICPA123ABC",
        "client_ref": None,
        "counts": counts,
        "waiting_on": None,
        "eta": None,
        "created_at": "2026-11-23T10:00:00Z",
        "finished_at": "2026-11-23T10:01:05Z" if state in {"complete", "partial"} else None,
        "held": None,
        "orders": [],
        "links": {},
    } | more


def failed_row(code: str = "7518", line: int = 2, **more: object) -> dict[str, Any]:
    return {
        "number": "+19195551234",
        "line": line,
        "state": "failed",
        "stage": "order",
        "code": code,
        "description": "Telephone number is not active",
        "fix": "Activate it first.",
        "retryable": False,
        "attempts": 1,
    } | more


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


@dataclass
class PlayedApi:
    """The script: the views shown one after another (the last one stays), rows by state, faults."""

    views: list[dict[str, Any]] = field(default_factory=lambda: [view()])
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problem: tuple[int, dict[str, Any]] | None = None
    replayed: bool = False
    lost_answers: int = 0
    garbage: int = 0  # the status with which something that is not the API answers
    broken_export: bool = False
    asked: list[Asked] = field(default_factory=list)
    on_look: Callable[[int], None] = lambda _: None
    silent: threading.Event = field(default_factory=threading.Event)  # hears a request and does not answer
    silent_to: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)
    looks: int = 0
    url: str = ""

    def next_view(self) -> dict[str, Any]:
        self.looks += 1
        self.on_look(self.looks)
        return self.views.pop(0) if len(self.views) > 1 else self.views[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: PlayedApi

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        asked = self._note()
        if self.api.silent.is_set():
            self.api.silent_to.release()
            self.api.go_on.wait(20)
        if self.api.lost_answers:
            self.api.lost_answers -= 1
            self.close_connection = True
        elif self.api.garbage:
            self._send_bytes(self.api.garbage, b"<html>", "text/html", {})
        elif self.api.problem is not None:
            status, problem = self.api.problem
            self._send(status, problem, "application/problem+json", {"Retry-After": "1"} if status == 429 else {})
        elif asked.path.endswith("/numbers"):
            self._export(asked)
        elif asked.path == "/v1/imports":
            self._imports(asked)
        else:
            self._view(asked)

    def _note(self) -> Asked:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, body)
        self.api.asked.append(asked)
        return asked

    def _imports(self, asked: Asked) -> None:
        if asked.method == "GET":
            self._send(200, {"imports": self.api.views, "next_page_token": ""})
            return
        extra = {"Idempotent-Replayed": "true"} if self.api.replayed else {}
        self._send(202, self.api.next_view(), "application/json", {"Location": f"/v1/imports/{ID}"} | extra)

    def _view(self, asked: Asked) -> None:
        shown = self.api.next_view()
        etag = f'"{hash(json.dumps(shown))}"'
        if asked.headers.get("if-none-match") == etag:
            self._send(304, None)
        else:
            self._send(200, shown, "application/json", {"ETag": etag})

    def _export(self, asked: Asked) -> None:
        rows = self.api.rows.get(asked.query["state"][0], [])
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        as_csv = asked.headers["accept"] == "text/csv"
        head = ["number,line,code\r\n"] if as_csv else []
        body = [f"{row['number'][2:]},{row['line']},{row['code']}\r\n" for row in rows] if as_csv else rows
        for piece in [*head, *body]:
            data = piece.encode() if isinstance(piece, str) else json.dumps(piece).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if self.api.broken_export:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def _send(
        self,
        status: int,
        document: object,
        media: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self._send_bytes(status, body, media, headers or {})

    def _send_bytes(self, status: int, body: bytes, media: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class PlayedServer:
    """The API's process: can go away and come back at the same address."""

    def __init__(self, api: PlayedApi) -> None:
        self._handler = type("Handler", (_Handler,), {"api": api})
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()
        api.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def api() -> PlayedApi:
    return PlayedApi()


@pytest.fixture(autouse=True)
def server(api: PlayedApi) -> Iterator[PlayedServer]:
    played = PlayedServer(api)
    yield played
    api.go_on.set()
    played.stop()


@pytest.fixture
def environment(api: PlayedApi) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TNIMPORT_", "COLUMNS"))}
    return kept | {"TNIMPORT_URL": api.url, "TZ": "UTC", "TERM": "xterm", "PYTHONWARNINGS": "error"}


@pytest.fixture
def command() -> str:
    return TNIMPORT


Run = Callable[..., "subprocess.CompletedProcess[str]"]
Make = Callable[..., dict[str, Any]]


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run `tnimport ARGS` to its end without a terminal."""

    def _run(
        *args: str,
        stdin: bytes = b"",
        **more: str,
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [TNIMPORT, *args],
            input=stdin,
            capture_output=True,
            env=environment | more,
            timeout=30,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return _run


@pytest.fixture
def make_view() -> Make:
    return view


@pytest.fixture
def make_failed_row() -> Make:
    return failed_row


@pytest.fixture
def numbers_csv(tmp_path: Path) -> str:
    path = tmp_path / "numbers.csv"
    path.write_text("number\n9195551234\n9195551235\n")
    return str(path)
