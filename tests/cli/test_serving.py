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
