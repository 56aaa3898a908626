"""The whole system as real processes on loopback: Redis, sandbox, web, workers, dispatchers, Flower.

One stack serves the whole session; each test works with numbers of its own. Nothing sleeps to synchronise: `until`
looks again and again, with a deadline.
"""

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

import pytest
import redis
from honcho.environ import parse_procfile

from config.local import free_port
from sandbox.switches import Switches
from sandbox.testing import RunningSandbox
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger
from workers import embedded

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
CANARIES = {
    "SANDBOX_PASSWORD": "canary-dashboard-password",
    "SANDBOX_TOKEN": "t-canary-token",
    "SANDBOX_SECRET": "canary-catapult-secret",
}
FLOWER_PASSWORD = "canary-flower-password"
QUICK = {"rate_limits": False, "order_delay": 0.3, "message_delay": 0}
SETTINGS = {
    "TNIMPORT_ACCOUNT_ID": "9999999",
    "TNIMPORT_DASHBOARD_USERNAME": "wileCoyote",
    "TNIMPORT_DASHBOARD_PASSWORD": CANARIES["SANDBOX_PASSWORD"],
    "TNIMPORT_CATAPULT_USER_ID": "u-1",
    "TNIMPORT_CATAPULT_TOKEN": CANARIES["SANDBOX_TOKEN"],
    "TNIMPORT_CATAPULT_SECRET": CANARIES["SANDBOX_SECRET"],
    "TNIMPORT_FLOWER_AUTH": f"ops:{FLOWER_PASSWORD}",
    "TNIMPORT_SITE_ID": "743",
    "TNIMPORT_SIP_PEER_ID": "303716",
    "TNIMPORT_NUMBERS_PER_MINUTE": "0",
    "TNIMPORT_APPLICATIONS_PER_SECOND": "0",
    "TNIMPORT_LOOKUPS_PER_SECOND": "0",
    "TNIMPORT_DASHBOARD_PER_SECOND": "0",
    "TNIMPORT_POLL_FIRST": "0.2",
    "TNIMPORT_POLL_MAX": "1",
    # A run that was killed is missed for so long.
    "TNIMPORT_HTTP_TIMEOUT": "2",
    "TNIMPORT_CLAIM_SECONDS": "5",
    "TNIMPORT_ORDER_SETTLE": "5",
    "TNIMPORT_ORDER_SIZE": "500",
}
WISH = {"name": "system", "incoming_message_url": "https://example.com/inbound"}


class SlowerThanExpected(AssertionError):
    """What a test waited for has not happened in time."""


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Look again until it is true; returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise SlowerThanExpected(f"after {seconds:g} s not yet: {what}")
        time.sleep(0.1)  # looking again, not guessing; each look is work for the stack
    return found


class Stack:
    """Processes by name, each with its log; and what a person would do with them."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("redis", "sandbox", "web", "web2", "flower")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.unusual: set[str] = set()
        self.homes: dict[str, Path] = {}  # checkouts of processes that run other code than this one
        self.offset: dict[str, int] = {}
        self.answers: list[str] = []
        self.monitored: list[str] = []
        at = "http://127.0.0.1"
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("TNIMPORT_")}
        self.environ |= SETTINGS | CANARIES
        self.environ |= {f"SANDBOX_{name.upper()}": str(value) for name, value in QUICK.items()}
        self.environ |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "TNIMPORT_DATABASE_URL": database_url,
            "TNIMPORT_REDIS_URL": self.redis_url,
            "TNIMPORT_DASHBOARD_URL": f"{at}:{self.ports['sandbox']}/api",
            "TNIMPORT_CATAPULT_URL": f"{at}:{self.ports['sandbox']}/v1",
            "TNIMPORT_WEB_BIND": f"127.0.0.1:{self.ports['web']}",
            "TNIMPORT_FLOWER_BIND": f"127.0.0.1:{self.ports['flower']}",
        }
        self.sandbox = RunningSandbox(f"{at}:{self.ports['sandbox']}")
        self.lines = dict(parse_procfile((ROOT / "Procfile").read_text()).processes, sandbox="python -m sandbox")

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.ports['redis']}/0"

    @property
    def redis(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis(port=self.ports["redis"])

    def start(self, name: str, **environ: str) -> None:
        """Start a process of the Procfile; `worker2` is a second worker."""
        if name == "redis":
            self.unusual.discard(name)
            self.processes[name] = embedded.start(self.ports["redis"], self.folder / "redis")
            self.monitor()
            return
        (self.unusual.add if environ else self.unusual.discard)(name)
        command = shlex.split(self.lines[name.rstrip("2")])
        if name.startswith("worker"):
            command.append(f"--hostname={name}@%h")
        home = self.homes.get(name, ROOT)
        values = self.environ | environ | {"PYTHONPATH": str(home)}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.offset[name] = log.tell()
            self.processes[name] = subprocess.Popen(
                command, cwd=home, env=values, stdout=log, stderr=log, start_new_session=True
            )

    def migrate(self) -> None:
        """Bring the ledger to the version of this checkout, or of the one that is the home of `release`."""
        if "release" not in self.homes:
            ledger = Ledger(self.environ["TNIMPORT_DATABASE_URL"])
            migrate.upgrade(ledger)
            ledger.close()
            return
        command = shlex.split(self.lines["release"])
        home = self.homes["release"]
        values = self.environ | {"PYTHONPATH": str(home)}
        subprocess.run(command, cwd=home, env=values, check=True, capture_output=True, timeout=180)

    def stop(self, name: str) -> int:
        """SIGTERM; returns the exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(40)

    def kill(self, name: str) -> None:
        """kill -9, with everything it has started."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def log(self, name: str, *, new: bool = False) -> str:
        """What a process has logged: all of it, or since its last start."""
        return (self.folder / f"{name}.log").read_bytes()[self.offset[name] if new else 0 :].decode()

    def restart(self, *names: str, **environ: str) -> None:
        """kill -9 and new processes, with other settings if wanted."""
        for name in names:
            if name in self.processes:
                self.kill(name)
            self.start(name, **environ)
        for name in names:
            self.started(name)

    def started(self, name: str) -> None:
        """Wait until a process is at work."""
        if name in self.ports:
            until(lambda: listens(self.ports[name]) or self._ended(name), f"{name} listens")
            return
        tells = {"worker": " ready", "dispatcher": "dispatcher_ready"}[name.rstrip("2")]
        until(lambda: tells in self.log(name, new=True) or self._ended(name), f"{name} is ready")

    def _ended(self, name: str) -> bool:
        code = self.processes[name].poll()
        if code is not None:
            raise AssertionError(f"{name} ended with {code}: {self.log(name)[-2000:]}")
        return False

    def monitor(self) -> None:
        """Write down every command that Redis gets from now on, until it ends."""
        connection = socket.create_connection(("127.0.0.1", self.ports["redis"]))
        connection.sendall(b"MONITOR\r\n")
        threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                self.monitored.append(data.decode(errors="replace"))

    def http(self, method: str, path: str, body: object = None, *, web: str = "web", **headers: str) -> Any:
        """One call with JSON or bytes; its decoded answer, with the status under `status_code` if it is an error."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[web]}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                text = answer.read().decode()
        except HTTPError as error:
            text = error.read().decode()
            self.answers.append(text)
            return {"status_code": error.code} | json.loads(text)
        self.answers.append(text)
        return json.loads(text) if answer.headers.get_content_subtype() == "json" else text

    def submit(self, numbers: list[str], **options: Any) -> str:
        """Import numbers; the id of the import."""
        made = self.http("POST", "/v1/imports", {"numbers": numbers, "application": WISH} | options)
        assert "id" in made, made
        return str(made["id"])

    def submit_csv(self, text: str) -> str:
        """Import a file as the command line does; the id of the import."""
        options = urlencode({f"application_{name}": value for name, value in WISH.items()})
        made = self.http("POST", f"/v1/imports?{options}", text.encode(), Content_Type="text/csv")
        assert "id" in made, made
        return str(made["id"])

    def view(self, import_id: str) -> dict[str, Any]:
        return dict(self.http("GET", f"/v1/imports/{import_id}"))

    def finished(self, import_id: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for the end of an import."""

        def ended() -> dict[str, Any] | None:
            view = self.view(import_id)
            return view if view["finished_at"] else None

        try:
            return dict(until(ended, f"{import_id} has ended", seconds))
        except SlowerThanExpected as error:
            raise SlowerThanExpected(f"{error}; {self.view(import_id)}") from None

    def reaches(self, import_id: str, state: str, least: int = 1) -> None:
        """Wait until so many numbers of an import are in this state or have left it for `imported`."""
        until(lambda: self.view(import_id)["counts"][state] >= least, f"{least} {state} of {import_id}")

    def numbers(self, import_id: str) -> dict[str, dict[str, Any]]:
        """Every row that is a number, by its ten digits."""
        text = self.http("GET", f"/v1/imports/{import_id}/numbers", Accept="application/x-ndjson")
        rows = [json.loads(line) for line in text.splitlines()]
        return {row["number"][-10:]: row for row in rows if row["state"] not in {"rejected", "duplicate", "blank"}}

    def flower(self, path: str) -> Any:
        """One page of Flower."""
        secret = base64.b64encode(f"ops:{FLOWER_PASSWORD}".encode()).decode()
        url = f"http://127.0.0.1:{self.ports['flower']}{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {secret}"})
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            text = answer.read().decode()
            self.answers.append(text)
            return json.loads(text) if answer.headers.get_content_subtype() == "json" else text

    def effects(self) -> dict[str, dict[str, int]]:
        return dict(self.sandbox.state("effects")["effects"])

    def at_catapult(self) -> dict[str, dict[str, Any]]:
        held = self.sandbox.state("users")["users"]["u-1"]["numbers"]
        return {one["number"][-10:]: one for one in held}

    def books(self, import_id: str, *, orders: int = 1) -> dict[str, dict[str, Any]]:
        """Hold an ended import against what the carrier has; returns its numbers."""
        view, numbers = self.view(import_id), self.numbers(import_id)
        counts = dict(view["counts"])
        rows = counts.pop("rows")
        assert sum(counts.values()) == rows
        for state in {one["state"] for one in numbers.values()}:
            assert counts[state] == sum(one["state"] == state for one in numbers.values())
        held, effects = self.at_catapult(), self.effects()
        wrong = [
            (number, one["state"], held.get(number))
            for number, one in numbers.items()
            if (one["number_id"] if one["state"] in {"imported", "present"} else None)
            != (held[number]["id"] if number in held else None)
        ]
        assert wrong == [], "imported here is not what exists there"
        done = [effects[number] for number in numbers if number in effects]
        assert max((one["most_resources"] for one in done), default=0) <= 1
        assert max((one["imports"] for one in done), default=0) <= 1
        assert max((one["orders"] for one in done), default=0) <= orders
        return numbers

    def messages(self) -> str:
        """Everything that went through Redis, with the bodies of messages decoded."""
        text = "".join(self.monitored)
        bodies = re.findall(r'body\\?": \\?"([A-Za-z0-9+/=]+)', text)
        return text + "".join(base64.b64decode(body).decode(errors="replace") for body in bodies)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


# Exchanges that exist: none ends in 11.
_EXCHANGES = (exchange for exchange in count(200) if exchange % 100 != 11)


def fresh(size: int, *special: str) -> list[str]:
    """Numbers that no other test of this session uses: ordinary ones, then those ending in `special`."""
    exchanges = [next(_EXCHANGES) for _ in range(-(-max(size, 1) // 8000))]
    ordinary = [f"919{exchanges[index // 8000]}{2000 + index % 8000}" for index in range(size)]
    return ordinary + [f"919{exchanges[0]}{last_four}" for last_four in special]


@pytest.fixture
def numbers() -> Callable[..., list[str]]:
    """Make numbers that no other test uses: so many ordinary ones, then ones that end in the given digits."""
    return fresh


@pytest.fixture
def make_stack() -> type[Stack]:
    """Make a stack in a folder, on the database of that URL; nothing of it runs yet."""
    return Stack


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    """Look again until something holds."""
    return until


@pytest.fixture(scope="session")
def session_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """SQLite, Redis, the sandbox, and one process of each kind."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder, f"sqlite:///{folder / 'ledger.db'}")
    try:
        stack.start("redis")
        stack.start("sandbox")
        stack.migrate()
        names = ("web", "worker", "dispatcher", "flower")
        for name in names:
            stack.start(name)
        for name in ("sandbox", *names):
            stack.started(name)
        yield stack
    finally:
        stack.close()


@pytest.fixture
def stack(session_stack: Stack) -> Iterator[Stack]:
    """The session's stack, with every process running and the sandbox as at the start."""
    names = ("redis", "sandbox", "web", "worker", "dispatcher", "flower")
    missing = [name for name in names if name not in session_stack.processes or name in session_stack.unusual]
    session_stack.restart(*missing)
    session_stack.sandbox.switch(**(Switches().as_json() | QUICK))
    session_stack.sandbox.clear_faults()
    yield session_stack
    with suppress(URLError):
        for view in session_stack.http("GET", "/v1/imports?page_size=100")["imports"]:
            if not view["finished_at"]:
                session_stack.http("POST", f"/v1/imports/{view['id']}/cancel")
