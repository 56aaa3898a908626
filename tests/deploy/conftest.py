"""Units as systemd reads them."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local import SANDBOX_ACCOUNT, free_port
from sandbox.testing import RunningSandbox, running_sandbox
from tests.deploy.machine import ROOT, Machine, blocks

SETTINGS = "etc/tnimport/tnimport.env"
SECRETS = "etc/tnimport/secrets"
DROP_INS = "etc/systemd/system/tnimport-.service.d"
UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SHARED = UNITS / "tnimport-.service.d"


def settings_in(*paths: Path) -> dict[str, list[str]]:
    """Every setting of a unit, or of a file of variables, with all its values: systemd allows several."""
    found: dict[str, list[str]] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            if re.match(r"[A-Z]\w+=", line):
                name, value = line.split("=", 1)
                found.setdefault(name, []).append(value)
    return found


class Unit:
    """A service as systemd would start it, with this checkout for /opt/tnimport."""

    def __init__(self, name: str, credentials: Path, variables: Path, shared: Path = SHARED) -> None:
        prefix, _, instance = name.partition("@")
        file = UNITS / f"tnimport-{prefix}{'@' if instance else ''}.service"
        self._settings = settings_in(*sorted(shared.glob("*.conf")), file)
        given = dict(value.split("=", 1) for value in self._settings["Environment"])
        group = UNITS / f"worker-{instance}.env"
        files = [variables, *([group] if group.exists() else [])]
        given |= {key: values[-1] for key, values in settings_in(*files).items()}
        names = {"%d": str(credentials), "%i": instance, "%%": "%", "/opt/tnimport/.venv/bin": str(_programs())}
        self.environment = {key: _replaced(value, names) for key, value in given.items()}
        command = re.sub(r"\$\{(\w+)\}", lambda found: self.environment[found[1]], self._settings["ExecStart"][0])
        self.command = shlex.split(_replaced(command, names))

    @property
    def credentials(self) -> set[str]:
        """The names under which secrets are handed over."""
        return {value.partition(":")[0] for value in self._settings["LoadCredential"]}


def _programs() -> Path:
    return Path(sys.executable).parent


def _replaced(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], text)


@pytest.fixture
def settings_of() -> Callable[..., dict[str, list[str]]]:
    """Read settings of units and files of variables."""
    return settings_in


@pytest.fixture
def unit() -> Callable[[str, Path, Path], Unit]:
    """A service by name, as systemd starts it with these folders of credentials and this file of variables."""
    return Unit


@pytest.fixture
def carrier() -> Iterator[RunningSandbox]:
    """Both APIs of Bandwidth."""
    with running_sandbox(order_delay=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def server(tmp_path: Path, carrier: RunningSandbox, postgres_url: str, redis_url: str) -> Machine:
    """What the page's own commands put on a server: settings, drop-ins, secrets; and the addresses of this test."""
    machine = Machine(tmp_path)
    machine.run(blocks("One server")[2], ROOT)
    shutil.copytree(SHARED, tmp_path / DROP_INS)
    checkout = tmp_path / "opt/tnimport"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    (checkout / "deploy").symlink_to(ROOT / "deploy")
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
def started(server: Machine) -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    """Start a unit by name, with nothing but what systemd would give it."""
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> "subprocess.Popen[bytes]":
        credentials = server.root / f"credentials-{name}"
        credentials.mkdir()
        service = Unit(name, credentials, server.root / SETTINGS, server.root / DROP_INS)
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
