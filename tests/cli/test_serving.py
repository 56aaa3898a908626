"""The commands that belong to the service: where they are started, and what is said where they cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tnimport.cli import serving
from tnimport.cli.failure import Failure

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("command", ["keys", "doctor"])
def test_the_service_speaks_for_itself(run: Run, command: str) -> None:
    told = run(command, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"Usage: tnimport {command}")
    assert run(command, "--nonsense").returncode == 2


def test_a_folder_that_we_may_not_enter_is_not_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    def forbidden(path: Path) -> bool:
        if path.is_relative_to(tmp_path):
            raise PermissionError(path)
        return ROOT in path.parents

    monkeypatch.setattr(Path, "is_file", forbidden)
    assert serving._checkout("workers.keys") == ROOT


def test_a_folder_that_is_gone_is_not_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    assert serving._checkout("workers.keys") == ROOT


@pytest.mark.parametrize(("terminal", "said"), [(True, "Looking …\n"), (False, "")])
def test_at_a_terminal_something_is_said_before_the_service_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal: bool, said: str
) -> None:
    became: list[list[str]] = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("os.execv", lambda _, arguments: became.append([*arguments[1:], capsys.readouterr().err]))
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    serving._become("workers.doctor", ("--json",))
    assert became == [["-m", "workers.doctor", "--json", said]]


def test_a_checkout_is_found_from_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")
    monkeypatch.setattr(serving, "__file__", "/nowhere/tnimport/cli/serving.py")
    assert serving._checkout("workers.keys") == ROOT


def test_without_a_checkout_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving, "__file__", str(tmp_path / "site" / "tnimport" / "cli" / "serving.py"))
    with pytest.raises(Failure) as caught:
        serving._checkout("workers.keys")
    assert caught.value.exit_code == 2
    assert "checkout" in caught.value.message
