"""The stack as processes: what it starts, and that nothing is left when it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.local import free_port
from workers import stack

READY_SECONDS = 180


def environment() -> dict[str, str]:
    return dict(os.environ) | {
        "SANDBOX_PORT": str(free_port()),
        "REDIS_PORT": str(free_port()),
        "TNIMPORT_WEB_BIND": f"127.0.0.1:{free_port()}",
        "TNIMPORT_FLOWER_BIND": f"127.0.0.1:{free_port()}",
    }


def until(holds: Callable[[], object], what: str, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # looking again, not guessing


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A stack whose processes have all started."""
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.stack", "--folder", str(tmp_path)],
            env=environment(),
            stdout=log,
            stderr=log,
        )
    try:
        started = ("web started", "worker started", "dispatcher started", "flower started")
        until(
            lambda: process.poll() is not None or all(name in (tmp_path / "log").read_text() for name in started),
            "the stack did not start",
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_stops_every_process_of_the_stack_and_a_second_one_in_its_folder_is_refused(
    running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """SIGTERM is seen to do so by the test of the demonstration."""
    second = [sys.executable, "-m", "workers.stack", "--folder", str(tmp_path)]
    refused = subprocess.run(second, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert "--folder" in refused.stderr
    family = psutil.Process(running.pid).children(recursive=True)
    assert len(family) >= 6
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    addresses = json.loads((tmp_path / "addresses.json").read_text())
    assert addresses.keys() == {"web", "flower", "sandbox"}
    joined = f". {tmp_path / stack.SHELL}; echo $TNIMPORT_URL $TNIMPORT_CATAPULT_USER_ID"
    said = subprocess.run(["sh", "-euc", joined], capture_output=True, text=True, check=True).stdout
    assert said.split() == [addresses["web"], "u-1"]


def test_a_stack_that_is_killed_leaves_nobody_behind(running: "subprocess.Popen[bytes]") -> None:
    family = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def test_a_stack_for_the_real_apis_has_no_sandbox_and_one_with_a_broker_no_redis() -> None:
    assert stack.commands({}).keys() == {"redis", "sandbox", "web", "worker", "dispatcher", "flower", "release"}
    assert "sandbox" not in stack.commands({"SANDBOX": "0"})
    assert "redis" not in stack.commands({"TNIMPORT_REDIS_URL": "redis://h:1/0"})
    assert "redis" not in stack.commands({"TNIMPORT_REDIS_URL_FILE": "broker"})


def test_what_a_shell_joins_in_with_is_what_the_stack_has_set_and_nothing_that_it_was_given() -> None:
    given = {"TNIMPORT_CATAPULT_SECRET": "canary", "PATH": "/bin"}
    made = given | {"TNIMPORT_DATABASE_URL": "sqlite:////a b.db", "PATH": "/else"}
    assert stack.exports(made, given) == "export TNIMPORT_DATABASE_URL='sqlite:////a b.db'\n"


def test_a_stack_for_the_real_apis_without_credentials_says_what_is_missing_and_stops(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.stack", "--folder", str(tmp_path)]
    environ = environment() | {"SANDBOX": "0"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "TNIMPORT_CATAPULT_SECRET" in done.stderr
    assert "Traceback" not in done.stderr
