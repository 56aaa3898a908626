"""docs/servers.md, one server: what the units start, with the example's settings and secrets as credentials, works.

systemd itself cannot run here; its part (variables, credentials, commands, SIGTERM) is played.
"""

import os
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

if TYPE_CHECKING:
    from tests.deploy.conftest import Unit

ROOT = Path(__file__).parents[2]
STAYING = ("web", "dispatcher", "worker@all", "flower")


@pytest.fixture
def carrier() -> Iterator[RunningSandbox]:
    with running_sandbox(order_delay=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def server(tmp_path: Path, carrier: RunningSandbox, postgres_url: str, redis_url: str) -> Path:
    """What the page puts on a server: secrets, settings, a state folder; and the addresses of this test."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    account = {name: SANDBOX_ACCOUNT[name.upper()] for name in ("dashboard_password", "catapult_token")}
    account["catapult_secret"] = SANDBOX_ACCOUNT["CATAPULT_SECRET"]
    own = {"database_url": postgres_url, "redis_url": redis_url, "flower_auth": "ops:secret", **account}
    for name, value in own.items():
        (secrets / name).write_text(value)
    settings = (ROOT / "deploy" / "systemd" / "tnimport.env").read_text().replace("/var/lib/tnimport", str(tmp_path))
    here = {
        "DASHBOARD_URL": carrier.dashboard_url,
        "CATAPULT_URL": carrier.catapult_url,
        "WEB_BIND": f"127.0.0.1:{free_port()}",
        "FLOWER_BIND": f"127.0.0.1:{free_port()}",
    }
    lines = [f"TNIMPORT_{name}={value}" for name, value in here.items()]
    (tmp_path / "tnimport.env").write_text("\n".join([settings, *lines]))
    return tmp_path


@pytest.fixture
def started(
    server: Path, unit: "Callable[[str, Path, Path], Unit]"
) -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    """Start a unit by name, with nothing but what systemd would give it."""
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> "subprocess.Popen[bytes]":
        credentials = server / f"credentials-{name}"
        credentials.mkdir()
        service = unit(name, credentials, server / "tnimport.env")
        for secret in service.credentials:
            shutil.copy(server / "secrets" / secret, credentials)
        with (server / f"{name}.log").open("wb") as log:
            running.append(subprocess.Popen(service.command, cwd=ROOT, env=service.environment, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def settings(server: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (server / "tnimport.env").read_text().splitlines() if "=" in line)


def until(holds: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)  # looking again, not guessing


def ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def test_from_nothing_to_an_import_and_a_clean_stop(
    server: Path, started: "Callable[[str], subprocess.Popen[bytes]]", carrier: RunningSandbox
) -> None:
    assert started("release").wait(60) == 0, (server / "release.log").read_text()
    processes = {name: started(name) for name in STAYING}
    given = settings(server)
    web, flower = (f"http://{given[f'TNIMPORT_{name}_BIND']}" for name in ("WEB", "FLOWER"))
    logs = lambda: "\n".join((server / f"{name}.log").read_text()[-2000:] for name in STAYING)  # noqa: E731 - for messages
    until(lambda: ready(f"{web}/readyz") and ready(f"{flower}/healthcheck"), logs)
    tnimport = [str(Path(sys.executable).with_name("tnimport"))]
    keys = os.environ | {"TNIMPORT_API_KEYS_FILE": given["TNIMPORT_API_KEYS_FILE"]}
    made = subprocess.run([*tnimport, "keys", "create", "first"], env=keys, capture_output=True, text=True, check=True)
    assert requests.get(f"{web}/v1/imports", timeout=10).status_code == 401
    (server / "numbers.csv").write_text("phone\n919-555-2001\n919-555-2002\n")
    client = os.environ | {"TNIMPORT_URL": web, "TNIMPORT_API_KEY": made.stdout.strip()}
    wish = ["--application-name", "one", "--application-incoming-message-url", "https://example.com/m"]
    arguments = ["import", str(server / "numbers.csv"), *wish, "--wait", "--timeout", "60"]
    done = subprocess.run([*tnimport, *arguments], env=client, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + logs()
    assert carrier.state("summary")["summary"]["numbers_imported_twice"] == 0
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    assert {name: process.wait(40) for name, process in processes.items()} == dict.fromkeys(STAYING, 0)
