"""Flower's options, as Flower reads them."""

import runpy
from pathlib import Path

import pytest
from flower.options import default_options

FILE = str(Path(__file__).resolve().parent.parent.parent / "config" / "flower.py")


def options(monkeypatch: pytest.MonkeyPatch, **settings: str) -> dict[str, object]:
    for name, value in settings.items():
        monkeypatch.setenv(f"TNIMPORT_{name}", value)
    return runpy.run_path(FILE)


def test_it_listens_on_loopback_and_only_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    read = options(monkeypatch)
    assert (read["address"], read["port"]) == ("127.0.0.1", 5555)
    assert read["read_only"] is True
    assert read["persistent"] is False
    assert read["basic_auth"] == []


def test_with_a_password_it_may_be_reached_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    read = options(monkeypatch, FLOWER_AUTH="someone:canary", FLOWER_BIND="0.0.0.0:80")
    assert (read["address"], read["port"]) == ("0.0.0.0", 80)
    assert read["basic_auth"] == ["someone:canary"]


def test_every_option_is_one_that_flower_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ("address", "port", "basic_auth", "read_only", "tasks_columns", "max_tasks", "persistent")
    assert set(ours) <= options(monkeypatch).keys()
    assert all(name in default_options for name in ours)
