"""The demonstration: what it shows when all is well, and what it calls wrong."""

import os
import subprocess
import sys
import uuid
from contextlib import suppress

import psutil
import pytest

from workers.demo import judge

COUNTS = {"imported": 5, "failed": 1, "unaccounted": 1, "present": 1, "rejected": 1, "duplicate": 1, "blank": 1}


def view(state: str = "partial", **counts: int) -> dict[str, object]:
    return {"state": state, "counts": COUNTS | {"rows": 11} | counts}


def test_books_that_balance_are_accepted() -> None:
    assert judge(view(), 11) == []


@pytest.mark.parametrize(
    ("seen", "shipped", "problem"),
    [
        (view(imported=6), 11, "do not balance"),
        (view(rows=12), 11, "do not balance"),
        (view(), 12, "do not balance"),
        (view("running"), 11, "running, not partial"),
        (view(failed=0, imported=6), 11, "no row is failed"),
    ],
)
def test_anything_off_is_a_problem(seen: dict[str, object], shipped: int, problem: str) -> None:
    assert problem in "\n".join(judge(seen, shipped))


def alive(mark: str) -> list[psutil.Process]:
    """Processes that were started by whoever had this mark in the environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found += [process] if process.environ().get("MARK") == mark else []
    return found


def test_the_demonstration_ends_well_and_prints_the_report() -> None:
    mark = f"demonstration-{uuid.uuid4().hex}"
    done = subprocess.run(
        [sys.executable, "-m", "workers.demo"],
        env=os.environ | {"MARK": mark},
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert alive(mark) == []  # SIGTERM has stopped every process of the stack
    assert "= 1,0" in done.stdout
    assert "order 25060" in done.stdout
    assert "The books balance. Everything is stopped." in done.stdout
