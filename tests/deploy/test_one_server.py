"""docs/servers.md, one server: what the units start, with the example's settings and secrets as credentials, works.

systemd itself cannot run here; its part (variables, credentials, commands, SIGTERM) is played.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from config.local import SANDBOX_ACCOUNT, free_port
from sandbox.testing import RunningSandbox, running_sandbox
from tests.deploy.machine import Machine, blocks

if TYPE_CHECKING:
    from tests.deploy.conftest import Unit

ROOT = Path(__file__).parents[2]
SETTINGS = "etc/tnimport/tnimport.env"
SECRETS = "etc/tnimport/secrets"
STAYING = ("web", "dispatcher", "worker@all", "flower")


@pytest.fixture
def carrier() -> Iterator[RunningSandbox]:
    with running_sandbox(order_delay=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def server(tmp_path: Path, carrier: RunningSandbox, postgres_url: str, redis_url: str) -> Machine:
    """What the page's own commands put on a server: secrets, settings; and the addresses of this test."""
    machine = Machine(tmp_path)
    machine.run(blocks("One server")[2], ROOT)
    programs = tmp_path / "opt/tnimport/.venv"
    programs.parent.mkdir()
    programs.symlink_to(Path(sys.executable).parents[1])
    account = {name: SANDBOX_ACCOUNT[name.upper()] for name in ("dashboard_password", "catapult_token")}
    account["catapult_secret"] = SANDBOX_ACCOUNT["CATAPULT_SECRET"]
    for name, value in {"database_url": postgres_url, "redis_url": redis_url, **account}.items():
        (tmp_path / SECRETS / name).write_text(value)
    here = {
        "DASHBOARD_URL": carrier.dashboard_url,
        "CATAPULT_URL": carrier.catapult_url,
        "WEB_BIND": f"127.0.0.1:{free_port()}",
        "FLOWER_BIND": f"127.0.0.1:{free_port()}",
    }
    with (tmp_path / SETTINGS).open("a") as file:
        file.writelines(f"TNIMPORT_{name}={value}\n" for name, value in here.items())
    return machine


@pytest.fixture
def started(
    server: Machine, unit: "Callable[[str, Path, Path], Unit]"
) -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    """Start a unit by name, with nothing but what systemd would give it."""
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> "subprocess.Popen[bytes]":
        credentials = server.root / f"credentials-{name}"
        credentials.mkdir()
        service = unit(name, credentials, server.root / SETTINGS)
        for secret in service.credentials:
            shutil.copy(server.root / SECRETS / secret, credentials)
        environment = {key: server.here(value) for key, value in service.environment.items()}
        with (server.root / f"{name}.log").open("wb") as log:
            running.append(subprocess.Popen(service.command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def settings(server: Machine) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (server.root / SETTINGS).read_text().splitlines() if "=" in line)


def until(holds: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)  # looking again, not guessing


def ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def test_from_nothing_to_an_import_and_a_clean_stop(
    server: Machine, started: "Callable[[str], subprocess.Popen[bytes]]", carrier: RunningSandbox
) -> None:
    assert started("release").wait(60) == 0, (server.root / "release.log").read_text()
    processes = {name: started(name) for name in STAYING}
    given = settings(server)
    web, flower = (f"http://{given[f'TNIMPORT_{name}_BIND']}" for name in ("WEB", "FLOWER"))

    def logs() -> str:
        return "\n".join((server.root / f"{name}.log").read_text()[-2000:] for name in STAYING)

    until(lambda: ready(f"{web}/readyz") and ready(f"{flower}/healthcheck"), logs)
    until(lambda: sees_all(web), logs)
    assert started("doctor").wait(60) == 0, (server.root / "doctor.log").read_text()
    looked, first = (block.replace("http://127.0.0.1:8080", web) for block in blocks("One server")[4:])
    assert '"name":"redis","ok":true' in server.run(looked)
    assert requests.get(f"{web}/v1/imports", timeout=10).status_code == 401
    assert "imported" in server.run(first, TNIMPORT_URL=web)
    assert carrier.state("summary")["summary"]["numbers_imported_twice"] == 0
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    assert {name: process.wait(40) for name, process in processes.items()} == dict.fromkeys(STAYING, 0)


def sees_all(web: str) -> bool:
    """Whether every kind of process has shown itself."""
    checks = requests.get(f"{web}/readyz?verbose", timeout=10).json()["checks"]
    kinds = {check["name"].partition(" ")[0] for check in checks if check["ok"]}
    return kinds >= {"ledger", "redis", "web", "dispatcher", "worker"}
