"""`tnimport keys` as a person runs it: its own process, with the settings of the service in the environment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import matching

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = str(Path(sys.executable).with_name("tnimport"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


@pytest.fixture
def keys(path: Path, tmp_path: Path) -> Run:
    def _run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"TNIMPORT_API_KEYS_FILE": str(path)} | settings
        command = [COMMAND, "keys", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    return _run


def test_a_key_is_made_shown_once_listed_and_revoked(keys: Run, path: Path) -> None:
    made = keys("create", "billing", "--scope", "read", "--days", "30")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    key = matching(Keyring(path).keys(), token)
    assert key is not None
    assert (key.name, key.scope, path.stat().st_mode & 0o777) == ("billing", "read", 0o600)
    listed = keys("list").stdout
    assert key.id in listed
    assert token.rpartition("_")[2] not in listed + path.read_text()
    assert keys("revoke", key.id).returncode == 0
    assert matching(Keyring(path).keys(), token) is None
    assert keys("revoke", key.id).returncode == 3


def test_programs_get_json(keys: Run) -> None:
    made = json.loads(keys("create", "one", "--json").stdout)
    listed = json.loads(keys("list", "--json").stdout)
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert listed[0] | {"id": "", "created": ""} == {
        "id": "",
        "name": "one",
        "scope": "write",
        "accounts": None,
        "created": "",
        "expires": None,
        "expired": False,
    }
    assert json.loads(keys("revoke", listed[0]["id"], "--json").stdout)["id"] == listed[0]["id"]
    assert json.loads(keys("list", "--json").stdout) == []


def test_an_account_that_does_not_exist_is_no_account_to_bind_to(keys: Run, path: Path, tmp_path: Path) -> None:
    table = "\n".join(
        f'{name} = "x"'
        for name in (
            *("account_id", "dashboard_username", "dashboard_password"),
            *("catapult_user_id", "catapult_token", "catapult_secret"),
        )
    )
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(f"[accounts.north]\n{table}\n")
    refused = keys("create", "x", "--account", "south", TNIMPORT_ACCOUNTS_FILE=str(accounts))
    assert (refused.returncode, path.exists()) == (2, False)
    assert "north" in refused.stderr
    made = keys("create", "x", "--account", "north", "--json", TNIMPORT_ACCOUNTS_FILE=str(accounts))
    assert json.loads(made.stdout)["accounts"] == ["north"]


@pytest.mark.parametrize("arguments", [("create",), ("create", ""), ("create", "x", "--scope", "all"), ("nonsense",)])
def test_a_wrong_use_is_told_with_code_2_and_changes_nothing(keys: Run, path: Path, arguments: tuple[str]) -> None:
    assert keys(*arguments).returncode == 2
    assert not path.exists()


def test_a_file_that_is_not_ours_is_left_as_it_is(keys: Run, path: Path) -> None:
    path.write_text("[keys")
    refused = keys("create", "x")
    assert (refused.returncode, path.read_text()) == (4, "[keys")
    assert "Traceback" not in refused.stderr


def test_the_readers_of_the_file_stay_its_readers(keys: Run, path: Path) -> None:
    keys("create", "one")
    path.chmod(0o640)
    keys("create", "two")
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(Keyring(path).keys()) == 2


def test_many_at_once_lose_no_key(path: Path) -> None:
    environment = os.environ | {"TNIMPORT_API_KEYS_FILE": str(path)}
    command = [sys.executable, "-m", "workers.keys", "create", "x"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    assert len(Keyring(path).keys()) == 4


def test_without_a_place_for_keys_the_setting_is_named(keys: Run) -> None:
    refused = keys("list", TNIMPORT_API_KEYS_FILE="")
    assert refused.returncode == 4
    assert "TNIMPORT_API_KEYS_FILE" in refused.stderr
