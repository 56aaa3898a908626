"""The systemd units: what systemd's own checker says of them, and that they run what the Procfile runs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from config.settings import Settings, load

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
COMMON = UNITS / "tnimport-.service.d" / "common.conf"
WITH_SECRETS = (COMMON, COMMON.with_name("account.conf"), UNITS / "accounts.conf")
STARTED = [
    *("tnimport-release.service", "tnimport-web.service", "tnimport-dispatcher.service"),
    *(
        "tnimport-worker@all.service",
        "tnimport-worker@numbers.service",
        "tnimport-flower.service",
        "tnimport.target",
        "tnimport-doctor.service",
    ),
]
COMMANDS = {"doctor"}  # looks once, when it is asked to
ALL = {path.stem.removeprefix("tnimport-").rstrip("@"): path for path in UNITS.glob("*.service")}
PROCESSES = {name: path for name, path in ALL.items() if name not in COMMANDS}
Read = Callable[..., dict[str, list[str]]]
CHECKER = shutil.which("systemd-analyze")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they are installed, with this checkout's programs for the checker to find."""
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").glob("*.service"):
        path.write_text(path.read_text().replace("/opt/tnimport/.venv/bin", str(Path(sys.executable).parent)))
    return tmp_path / "units"


def checked(units: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin", "SYSTEMD_COLORS": "0"}
    return subprocess.run(
        [str(CHECKER), *command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.skipif(CHECKER is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", STARTED)
def test_systemd_finds_nothing_wrong(installed: Path, unit: str) -> None:
    done = checked(installed, "verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(CHECKER is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", ["tnimport-web.service", "tnimport-worker@all.service"])
def test_what_all_units_share_reaches_each_of_them(installed: Path, unit: str) -> None:
    shared = installed / COMMON.relative_to(UNITS)
    shared.write_text(shared.read_text().replace("ProtectClock=", "ProtectClok="))
    assert "ProtectClok" in checked(installed, "verify", "--man=no", unit).stderr


def test_every_process_of_the_procfile_has_a_unit_that_runs_the_same(settings_of: Read) -> None:
    served = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert PROCESSES.keys() == served.keys()
    for name, line in served.items():
        (command,) = settings_of(PROCESSES[name])["ExecStart"]
        ran = command.removeprefix("/opt/tnimport/.venv/bin/").removesuffix(" -n %i@%%h")
        queues = settings_of(UNITS / "worker-all.env")
        threads = dict(pair.split("=") for pair in settings_of(PROCESSES[name]).get("Environment", []))
        ran = ran.replace("${THREADS}", threads.get("THREADS", "")).replace(
            "${QUEUES}", "".join(queues.get("QUEUES", []))
        )
        assert ran == line


def test_services_are_stopped_by_sigterm_with_more_patience_than_a_claim_has(settings_of: Read) -> None:
    shared = settings_of(COMMON)
    assert shared["KillSignal"] == ["SIGTERM"]
    assert float(shared["TimeoutStopSec"][0]) > load({}, accounts_needed=False).claim_seconds
    for name, path in PROCESSES.items():
        own = settings_of(path)
        assert own["Type"] == ["oneshot" if name == "release" else "exec"]
        assert own.get("Restart") == (None if name == "release" else ["always"])


def test_every_secret_is_a_credential_and_none_is_in_a_file_that_others_read(settings_of: Read) -> None:
    variables = {f"TNIMPORT_{field.upper()}" for field in {*Settings.secret_fields(), "accounts"}}
    for path in (*WITH_SECRETS, PROCESSES["flower"]):
        found = settings_of(path)
        credentials = {value.partition(":")[0] for value in found["LoadCredential"]}
        named = dict(value.split("=", 1) for value in found["Environment"] if value.startswith("TNIMPORT_"))
        assert {f"%d/{name}" for name in credentials} == set(named.values())
        assert {name.removesuffix("_FILE") for name in named} <= variables
    assert settings_of(UNITS / "tnimport.env").keys() & variables == set()


def test_the_example_of_settings_is_usable(tmp_path: Path, settings_of: Read) -> None:
    written = {name: value for name, (value,) in settings_of(UNITS / "tnimport.env").items()}
    secrets = {"TNIMPORT_DASHBOARD_PASSWORD": "p", "TNIMPORT_CATAPULT_TOKEN": "t", "TNIMPORT_CATAPULT_SECRET": "s"}
    given = written | secrets | {"TNIMPORT_API_KEYS_FILE": str(tmp_path / "keys.toml")}
    assert load(given).accounts["default"].account.site_id == "743"


def test_the_example_of_several_accounts_is_usable(settings_of: Read) -> None:
    loaded = load({"TNIMPORT_ACCOUNTS_FILE": str(UNITS / "accounts.toml")})
    assert {name: access.account.site_id for name, access in loaded.accounts.items()} == {
        "north": "743",
        "south": "843",
    }
    (file,) = settings_of(UNITS / "accounts.conf")["LoadCredential"]
    assert file.partition(":")[2] == "/etc/tnimport/secrets/accounts.toml"


def test_whoever_has_several_accounts_is_asked_for_no_secret_of_a_single_one(settings_of: Read) -> None:
    for path in (COMMON, UNITS / "accounts.conf"):
        assert not [value for value in settings_of(path)["Environment"] if "DASHBOARD" in value or "CATAPULT" in value]


@pytest.mark.parametrize(
    "kept", ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "PrivateDevices=yes"]
)
def test_a_process_may_do_little(kept: str) -> None:
    assert kept in COMMON.read_text().splitlines()
