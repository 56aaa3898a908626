"""docs/servers.md, one server: what the units start, with the example's settings and secrets as credentials, works.

systemd itself cannot run here; its part (variables, credentials, commands, SIGTERM) is played.
"""

import signal
import subprocess
import time
from collections.abc import Callable

import requests

from sandbox.testing import RunningSandbox
from tests.deploy.machine import Machine, blocks

SETTINGS = "etc/tnimport/tnimport.env"
STAYING = ("web", "dispatcher", "worker@all", "flower")


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
