"""The same command line through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Make, PlayedApi


AtTerminal = Callable[..., tuple[int, str]]
ROOT = Path(__file__).parents[2]
HALF = {"imported": 3, "failed": 1, "requested": 4}


@pytest.fixture
def at_terminal(environment: dict[str, str], command: str) -> AtTerminal:
    """Run `tnimport ARGS` with a terminal on all sides; returns the exit code and what it showed."""

    def _run(*args: str, press: tuple[str, bytes] | None = None, **more: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [command, *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | {"COLUMNS": "100", "LINES": "30"} | more,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - only two system calls, no locks
        )
        os.close(theirs)
        seen = _seen(ours, press)
        os.close(ours)
        return process.wait(20), seen

    return _run


def _take_terminal() -> None:
    import fcntl  # noqa: PLC0415 - runs in the child only
    import termios  # noqa: PLC0415 - as above

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _seen(terminal: int, press: tuple[str, bytes] | None) -> str:
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the child has closed its side
            return shown.decode()
        if not piece:
            return shown.decode()
        shown += piece
        if press is not None and press[0].encode() in shown:
            os.write(terminal, press[1])
            press = None


def test_the_screen_has_a_bar_counts_causes_and_what_it_waits_for(
    at_terminal: AtTerminal, api: PlayedApi, make_view: Make, make_failed_row: Make
) -> None:
    api.views = [
        make_view("running", counts=HALF, waiting_on="Catapult limit 100/min", eta="2099-01-01T00:00:00Z"),
        make_view("running", counts=HALF | {"imported": 5, "requested": 2}),
        make_view("partial", counts={"imported": 7, "failed": 1}),
    ]
    api.rows = {"failed": [make_failed_row()]}
    code, shown = at_terminal("watch", "imp-1")
    assert code == 8
    for part in (
        "━",
        "4 of 8 rows (50 %)",
        "waits for: Catapult limit 100/min",
        "left",
        "/s",
        "1 x order 7518: Telephone number is not active",
        "fix: Activate it first.",
        "Ctrl-C stops watching",
        "= 8 rows",
    ):
        assert part in shown


def test_ctrl_c_leaves_the_terminal_clean_and_says_how_to_come_back(
    at_terminal: AtTerminal, api: PlayedApi, make_view: Make
) -> None:
    api.views = [make_view("running", counts=HALF)]
    code, shown = at_terminal("watch", "imp-1", press=("Ctrl-C stops", b"\x03"))
    assert code == 5
    assert "tnimport watch imp-1" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_an_outage_is_shown_and_outlived(at_terminal: AtTerminal, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running"), make_view("complete")]
    api.on_look = lambda look: setattr(api, "lost_answers", 1) if look == 1 else None
    code, shown = at_terminal("watch", "imp-1")
    assert code == 0
    assert "the API is away for" in shown


def test_no_color_means_no_colour(at_terminal: AtTerminal, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running", counts=HALF), make_view("complete")]
    _, shown = at_terminal("watch", "imp-1", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)
    _, shown = at_terminal("status", NO_COLOR="")
    assert "\x1b[" not in shown


def test_a_dumb_terminal_gets_plain_lines(at_terminal: AtTerminal, api: PlayedApi, make_view: Make) -> None:
    api.views = [make_view("running", counts=HALF), make_view("complete")]
    code, shown = at_terminal("watch", "imp-1", TERM="dumb")
    assert code == 0
    assert "\x1b" not in shown
    assert "running: 4 of 8 rows" in shown


def test_something_is_shown_while_the_file_is_sent(at_terminal: AtTerminal, numbers_csv: str) -> None:
    _, shown = at_terminal("import", numbers_csv)
    assert shown.startswith("Sending ")


def test_causes_that_cannot_be_read_now_do_not_end_the_watch(
    at_terminal: AtTerminal, api: PlayedApi, make_view: Make, make_failed_row: Make
) -> None:
    api.views = [make_view("running", counts=HALF), make_view("complete")]
    api.rows = {"failed": [make_failed_row()]}
    api.broken_export = True

    def mend(look: int) -> None:
        api.broken_export = look == 1

    api.on_look = mend
    assert at_terminal("watch", "imp-1")[0] == 0


AT_ONCE = 20  # times as long as Python itself takes to start; loading the service took 50 and more
COMMANDS = [("doctor",), ("keys", "list"), ("--help",), ("status",), ("import", "-")]


@pytest.fixture
def until_first_byte(environment: dict[str, str], command: str) -> Callable[..., float]:
    """Seconds until `tnimport ARGS` shows something on a terminal; then it is ended."""
    quiet = {name: value for name, value in environment.items() if not name.startswith("COV")}

    def _measured(*args: str) -> float:
        ours, theirs = pty.openpty()
        began = time.perf_counter()
        process = subprocess.Popen(
            [command, *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=quiet, cwd=ROOT
        )
        os.close(theirs)
        assert os.read(ours, 1)
        took = time.perf_counter() - began
        process.kill()
        process.wait()
        os.close(ours)
        return took

    return _measured


def bare_python() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_something_is_shown_at_once(until_first_byte: Callable[..., float], args: tuple[str, ...]) -> None:
    best, yardstick = float("inf"), float("inf")
    for _ in range(20):  # a busy machine is looked at again, until it had one quiet moment
        best, yardstick = min(best, until_first_byte(*args)), min(yardstick, bare_python())
        if best < AT_ONCE * yardstick:
            return
    pytest.fail(f"first byte after {best:.2f} s, {best / yardstick:.0f} times bare Python")
