"""Processes as an operator starts them, in an environment of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local import SANDBOX_ACCOUNT
from tnimport.ledger.engine import Ledger

COMMANDS = {
    "web": [sys.executable, "-m", "workers.web"],
    "dispatcher": [sys.executable, "-m", "workers.dispatcher"],
    "worker": [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-P", "threads", "-c", "2"],
}


def until(holds: Callable[[], object], what: str, seconds: float = 180) -> None:
    """Look again until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)  # looking again, not guessing


@pytest.fixture(name="until")
def _until() -> Callable[..., None]:
    """Look again until something holds."""
    return until


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of a process: no setting of ours, and one whole account."""
    account = {f"TNIMPORT_{name}": value for name, value in SANDBOX_ACCOUNT.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TNIMPORT_")}
    return kept | account | {"PYTHONUNBUFFERED": "1"}


@pytest.fixture
def ledger(migrated_url: str) -> Iterator[Ledger]:
    """A migrated ledger, once on each kind of database."""
    ledger = Ledger(migrated_url)
    yield ledger
    ledger.close()


class Process:
    """A process with its log."""

    def __init__(self, name: str, environ: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.popen = subprocess.Popen(COMMANDS[name], env=environ, stdout=out, stderr=out)

    def says(self, text: str) -> bool:
        """Whether its log holds a text by now; an end before that is an error."""
        said = self.log.read_text()
        assert text in said or self.popen.poll() is None, said
        return text in said


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a process by name; it is gone at the end of the test."""
    made: list[Process] = []

    def start(name: str, environ: dict[str, str]) -> Process:
        made.append(Process(name, environ, tmp_path / f"{name}.log"))
        return made[-1]

    yield start
    for one in made:
        one.popen.kill()
        one.popen.wait()
