"""The health check of a container: by the heartbeat of a process of this machine, and nothing else."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.schema import heartbeats as table
from workers import health

if TYPE_CHECKING:
    from tnimport.ledger.engine import Ledger


@pytest.fixture(autouse=True)
def _settings(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TNIMPORT_DATABASE_URL", ledger.url.render_as_string(hide_password=False))


def beat(ledger: Ledger, host: str, *, kind: str = "worker", silent: float = 0) -> None:
    heartbeats.beat(ledger, Process(kind=kind, host=host, pid=7, version="1"), first=True)
    with ledger.write() as tx:
        tx.run(sa.update(table).where(table.c.host == host).values(seen_at=tx.now - silent))


def test_a_process_of_this_machine_that_beats_is_well(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    beat(ledger, socket.gethostname())
    assert health.main(["worker"]) == 0
    assert re.fullmatch(r"worker 7 showed itself \d+ s ago\.\n", capsys.readouterr().out)
    assert health.main(["dispatcher"]) == 1


@pytest.mark.parametrize(("host", "silent"), [("elsewhere", 0), (socket.gethostname(), 60)])
def test_one_of_another_machine_or_one_that_is_silent_is_not(ledger: Ledger, host: str, silent: float) -> None:
    beat(ledger, host, silent=silent)
    assert health.main(["worker"]) == 1


def test_a_ledger_that_is_away_is_said_without_its_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TNIMPORT_DATABASE_URL", "postgresql+psycopg://u:canary@127.0.0.1:1/n")
    assert health.main(["worker"]) == 1
    assert capsys.readouterr().out == "The ledger cannot be read (OperationalError).\n"


@pytest.mark.parametrize("arguments", [[], ["wrker"], ["worker", "web"]])
def test_anything_else_is_wrong_usage(arguments: list[str]) -> None:
    assert health.main(arguments) == 2
