"""docs/servers.md, several accounts: its commands are run as they stand, and the units start with what they leave.

systemd's part is played, as in test_one_server.py.
"""

import subprocess
import time
from collections.abc import Callable
from typing import Any

import requests

from config.local import SANDBOX_ACCOUNT
from sandbox.testing import RunningSandbox
from tests.deploy.machine import Machine, blocks

SETTINGS = "etc/tnimport/tnimport.env"
ACCOUNTS = "etc/tnimport/secrets/accounts.toml"
SECRETS_OF = {
    "north": [SANDBOX_ACCOUNT[name] for name in ("DASHBOARD_PASSWORD", "CATAPULT_TOKEN", "CATAPULT_SECRET")],
    "south": ["beepBeep!", "t-2", "s-2"],
}
NUMBERS = {"north": "9195552001", "south": "9195552002"}
STAYING = ("web", "dispatcher", "worker@all")


def until(holds: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)  # looking again, not guessing


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def submitted(web: str, account: str) -> dict[str, Any]:
    wish = {"name": account, "incoming_message_url": "https://example.com/messages"}
    numbers = [NUMBERS.get(account, "9195552001")]
    body = {"numbers": numbers, "account": account, "application": wish}
    return dict(requests.post(f"{web}/v1/imports", json=body, timeout=20).json())


def ended(web: str, import_id: str) -> dict[str, Any] | None:
    view = requests.get(f"{web}/v1/imports/{import_id}", timeout=20).json()
    return view if view["finished_at"] else None


def test_both_accounts_of_the_file_import_and_there_is_no_other(
    server: Machine, started: "Callable[[str], subprocess.Popen[bytes]]", carrier: RunningSandbox
) -> None:
    for name in ("dashboard_password", "catapult_token", "catapult_secret"):
        (server.root / "etc/tnimport/secrets" / name).unlink()
    server.run(blocks("Several accounts")[0])
    assert server.calls[-1] == "systemctl restart tnimport-web tnimport-dispatcher tnimport-worker@* tnimport-flower"
    accounts = (server.root / ACCOUNTS).read_text()
    for secret in (secret for secrets in SECRETS_OF.values() for secret in secrets):
        accounts = accounts.replace("CHANGE-ME", secret, 1)
    (server.root / ACCOUNTS).write_text(accounts)
    # Without keys: who may come in is another test's.
    given = [line for line in (server.root / SETTINGS).read_text().splitlines() if "API_KEYS" not in line]
    (server.root / SETTINGS).write_text("\n".join(given))
    web = "http://" + next(line for line in given if line.startswith("TNIMPORT_WEB_BIND=")).partition("=")[2]

    def logs() -> str:
        return "\n".join((server.root / f"{name}.log").read_text()[-2000:] for name in STAYING)

    assert started("release").wait(60) == 0, (server.root / "release.log").read_text()
    running = [started(name) for name in STAYING]
    until(lambda: answers(f"{web}/readyz"), logs)
    made = {name: submitted(web, name) for name in SECRETS_OF}
    assert "unknown_account" in str(submitted(web, "default"))
    until(lambda: all(ended(web, one["id"]) for one in made.values()), logs)
    assert {name: ended(web, one["id"])["counts"]["imported"] for name, one in made.items()} == {"north": 1, "south": 1}
    assert carrier.state("summary")["summary"]["numbers_imported_twice"] == 0
    assert all(process.poll() is None for process in running)
