"""A process either starts with everything it needs, or says all that is wrong and does not start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.workers.conftest import Process
    from tnimport.ledger.engine import Ledger

PROCESSES = {
    "web": [sys.executable, "-m", "workers.web"],
    "dispatcher": [sys.executable, "-m", "workers.dispatcher"],
    "worker": [sys.executable, "-m", "celery", "-A", "workers.app", "worker"],
    "migrate": [sys.executable, "-m", "workers.migrate"],
}
TEXT = {"Content-Type": "text/plain"}
WISH = "site_id=743&application_id=a-1"
WRONG = {
    "TNIMPORT_POLL_FIRST": "soon",
    "TNIMPORT_HTTP_TIMEOUT": "500",
    "TNIMPORT_REDIS_URL": "http://canary-host",
    "TNIMPORT_SIGHT_ID": "743",
    "TNIMPORT_CATAPULT_SECRET": "",
}
LIBRARIES = ("celery", "redis", "requests", "sqlalchemy", "fastapi", "uvicorn", "pydantic_settings")
NAMED = ("TNIMPORT_POLL_FIRST", "TNIMPORT_HTTP_TIMEOUT", "TNIMPORT_REDIS_URL", "TNIMPORT_SIGHT_ID")


def cpu_of_loading(*libraries: str) -> float:
    """Seconds of CPU that a Python takes to load these, on this machine and now."""
    program = f"import time, {', '.join(libraries)}; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def run(name: str, environ: dict[str, str]) -> tuple[int, str]:
    """Run a process that ends by itself: its exit code, and what it said."""
    done = subprocess.run(PROCESSES[name], env=environ, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def refusals(environ: dict[str, str], *names: str) -> dict[str, str]:
    """Start several processes at once, none of which may start to work: what each of them says."""
    running = {
        name: subprocess.Popen(PROCESSES[name], env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for name in names
    }
    said = {name: process.communicate(timeout=60)[1].decode() for name, process in running.items()}
    assert {name: process.returncode for name, process in running.items()} == dict.fromkeys(names, 4), said
    assert not any("Traceback" in text for text in said.values())
    return said


def test_wrong_settings_are_all_told_at_once_and_no_process_starts(environ: dict[str, str]) -> None:
    for text in refusals(environ | WRONG, *PROCESSES).values():
        assert all(variable in text for variable in (*NAMED, "TNIMPORT_CATAPULT_SECRET")), text
        assert "canary" not in text


def test_no_process_that_works_starts_without_an_account(environ: dict[str, str]) -> None:
    # The web process begins as the dispatcher does; the worker begins in Celery.
    bare = {key: value for key, value in environ.items() if not key.startswith("TNIMPORT_")}
    for text in refusals(bare | {"TNIMPORT_POLL_FIRST": "soon"}, "dispatcher", "worker").values():
        assert "TNIMPORT_CATAPULT_TOKEN" in text
        assert "TNIMPORT_POLL_FIRST" in text


def test_a_ledger_that_was_not_migrated_is_refused_with_what_to_do(environ: dict[str, str], sqlite_url: str) -> None:
    for text in refusals(environ | {"TNIMPORT_DATABASE_URL": sqlite_url}, "web", "worker").values():
        assert "python -m workers.migrate" in text


def test_migrating_may_be_repeated_and_makes_the_folder(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "ledger.db"
    environ["TNIMPORT_DATABASE_URL"] = f"sqlite:///{path}"
    assert [run("migrate", environ)[0] for _ in range(2)] == [0, 0]
    assert path.exists()


@pytest.mark.parametrize("migrated_url", ["postgres"], indirect=True)  # most others of processes are on SQLite
def test_processes_keep_to_their_settings_and_sigterm_stops_every_one_with_exit_code_0(  # noqa: PLR0917 - fixtures
    environ: dict[str, str],
    ledger: Ledger,
    redis_url: str,
    free_port: int,
    process: Callable[..., Process],
    until: Callable[..., None],
) -> None:
    environ |= {
        "TNIMPORT_DATABASE_URL": ledger.url.render_as_string(hide_password=False),
        "TNIMPORT_REDIS_URL": redis_url,
        "TNIMPORT_WEB_BIND": f"127.0.0.1:{free_port}",
        "TNIMPORT_MAX_BODY": "2000",
        "TNIMPORT_MAX_ROWS": "1",
    }
    started = {name: process(name, environ) for name in ("web", "dispatcher", "worker")}
    until(lambda: started["web"].says("started") and listens(free_port), "the web process listens")
    until(lambda: started["dispatcher"].says("dispatcher_ready"), "the dispatcher is ready")
    until(lambda: started["worker"].says(" ready"), "the worker is ready")
    loading = cpu_of_loading(*LIBRARIES)
    for name, one in started.items():
        used = psutil.Process(one.popen.pid).cpu_times()
        # `make bench` measures the seconds; here only that a start costs little beyond its libraries.
        assert used.user + used.system < 3 * loading + 1, f"{name} starts for {loading:.1f} s of loading"
    for body, limit in (("9195550001\n9195550002\n", "rows"), ("9" * 3000, "body_bytes")):
        answer = requests.post(f"http://127.0.0.1:{free_port}/v1/imports?{WISH}", body, headers=TEXT, timeout=20)
        assert (answer.status_code, answer.json()["limit"]) == (413, limit)
    for one in started.values():
        one.popen.send_signal(signal.SIGTERM)
    assert {name: one.popen.wait(30) for name, one in started.items()} == dict.fromkeys(started, 0)
    assert not any("Traceback" in one.log.read_text() for one in started.values())


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
