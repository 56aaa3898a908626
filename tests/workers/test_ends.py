"""A process that fails after its start is missed by nobody: its heartbeat goes with it."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import version
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import pytest

from config.local import SANDBOX_ACCOUNT
from config.settings import load
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from workers import dispatcher, web
from workers.boot import Booted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACCOUNT = {f"TNIMPORT_{name}": value for name, value in SANDBOX_ACCOUNT.items()}


@pytest.fixture
def booted(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Booted]:
    """What both processes start with, in a process that keeps its signals."""
    ledger = Ledger(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}")
    booted = Booted(load(ACCOUNT), ledger)
    for process in (web, dispatcher):
        monkeypatch.setattr(process, "boot", lambda *_, **__: booted)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    yield booted
    ledger.close()


@pytest.fixture
def fail(booted: Booted) -> Callable[..., NoReturn]:
    """Fail as soon as the process has shown itself."""

    def fail(*_: object, **__: object) -> NoReturn:
        tick = Event()
        while not heartbeats.heard(booted.ledger):
            tick.wait(0.005)
        raise SystemExit(3)

    return fail


def test_a_web_process_that_cannot_listen_leaves_no_heartbeat(
    booted: Booted, fail: Callable[..., NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.uvicorn, "run", fail)
    with pytest.raises(SystemExit):
        web.main()
    assert heartbeats.heard(booted.ledger) == []


def test_a_dispatcher_that_fails_leaves_no_heartbeat(
    booted: Booted, fail: Callable[..., NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "workers.app", SimpleNamespace(app=None))
    monkeypatch.setattr(dispatcher, "Publisher", lambda _: SimpleNamespace(answers=lambda: heartbeats.ANSWERS))
    monkeypatch.setattr(dispatcher, "work", fail)
    with pytest.raises(SystemExit):
        dispatcher.main()
    assert heartbeats.heard(booted.ledger) == []


def test_the_api_says_of_which_version_it_is(booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr(web.uvicorn, "run", lambda application, **_: served.append(application.openapi()))
    web.main()
    assert [document["info"]["version"] for document in served] == [version("tnimport")]
