from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Run


HEAVY = ("rich", "requests", "http.client", "hashlib", "sqlalchemy", "celery", "pydantic")


def test_help_loads_nothing_heavy(environment: dict[str, str], command: str) -> None:
    listing = subprocess.run(
        [command, "--help"],
        env=_unmeasured(environment) | {"PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    loaded = {line.rsplit("|", 1)[-1].strip() for line in listing.splitlines()}
    assert "tnimport.cli.main" in loaded
    assert not loaded & set(HEAVY)


def _unmeasured(environment: dict[str, str]) -> dict[str, str]:
    """Without coverage, which loads much itself."""
    return {name: value for name, value in environment.items() if not name.startswith("COV")}


def test_help_comes_at_once(environment: dict[str, str], command: str) -> None:
    best = min(_seconds(command, _unmeasured(environment)) for _ in range(5))
    assert best < 3  # measured 0.07 s; the wide margin is for a busy machine


def _seconds(command: str, environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([command, "--help"], env=environment, capture_output=True, check=True)
    return time.perf_counter() - began


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    told = run("--help").stdout
    for word in ("import", "remove", "watch", "status", "failures", "pause", "resume", "cancel", "completion"):
        assert f"  {word}" in told
    assert "Exit codes" in told
    assert run("--version").stdout.startswith("tnimport")
