"""Several accounts and keys of their own, as real processes: what befalls one does not touch the other.

On the way it is looked at what operators see: metrics, heartbeats, and logs with ids and without numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import imports, upkeep
from tnimport.web.access.keys import Scope, make, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Stack

OF_THE_ENVIRONMENT = re.compile(
    r"TNIMPORT_(ACCOUNT_ID|DASHBOARD_(USERNAME|PASSWORD)|CATAPULT_(USER_ID|TOKEN|SECRET)|SI.*_ID)"
)
TABLE = """
[accounts.{name}]
account_id = "{account_id}"
dashboard_username = "{username}"
dashboard_password_file = "{name}-password"
catapult_user_id = "{user}"
catapult_token = "{token}"
catapult_secret = "{secret}"
site_id = "{site}"
numbers_per_minute = {pace}
numbers_burst = 1
"""
HEARTBEAT = "tnimport_heartbeat_age_seconds"
WISH = {"name": "tenants", "incoming_message_url": "https://example.com/inbound"}
SLOW = {"name": "north", "account_id": "9999999", "username": "wileCoyote", "user": "u-1", "site": "743", "pace": 60}
QUICK = {
    "name": "south",
    "account_id": "8888888",
    "username": "roadRunner",
    "user": "u-2",
    "site": "843",
    "pace": 0,
    "token": "t-2",
    "secret": "s-2",
}


class Tenants:
    """A stack with two accounts, and a key for each besides one for the operator."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        made = {
            "north": make("north", Scope.WRITE, accounts=["north"]),
            "south": make("south", Scope.WRITE, accounts=["south"]),
            "operator": make("operator", Scope.ADMIN),
        }
        self.tokens = {name: token for name, (_, token) in made.items()}
        (folder / "keys.toml").write_text(written([key for key, _ in made.values()]))
        own = {"token": stack.environ["SANDBOX_TOKEN"], "secret": stack.environ["SANDBOX_SECRET"]}
        tables = [SLOW | own, QUICK]
        (folder / "accounts.toml").write_text("".join(TABLE.format(**table) for table in tables))
        self.password("north", stack.environ["SANDBOX_PASSWORD"])
        for name in [name for name in stack.environ if OF_THE_ENVIRONMENT.fullmatch(name)]:
            del stack.environ[name]
        stack.environ |= {
            "TNIMPORT_ACCOUNTS_FILE": str(folder / "accounts.toml"),
            "TNIMPORT_API_KEYS_FILE": str(folder / "keys.toml"),
        }

    def password(self, account: str, password: str) -> None:
        (self.folder / f"{account}-password").write_text(password)

    def http(self, who: str, method: str, path: str, body: object = None) -> Any:
        return self.stack.http(method, path, body, Authorization=f"Bearer {self.tokens[who]}")

    def submit(self, who: str, numbers: list[str]) -> str:
        made = self.http(who, "POST", "/v1/imports", {"numbers": numbers, "application": WISH})
        assert made["account"] == who
        return str(made["id"])

    def state(self, import_id: str) -> str:
        return str(self.http("operator", "GET", f"/v1/imports/{import_id}")["state"])

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Every sample by its name and the values of its labels, in the order of the labels' names."""
        text = self.http("operator", "GET", "/metrics")
        families = text_string_to_metric_families(text)
        return {
            (one.name, *(one.labels[label] for label in sorted(one.labels))): one.value
            for family in families
            for one in family.samples
        }

    @contextmanager
    def ledger(self) -> Iterator[Tx]:
        """A transaction of our own in the ledger."""
        ledger = Ledger(self.stack.environ["TNIMPORT_DATABASE_URL"])
        with ledger.write() as tx:
            yield tx
        ledger.close()

    def alive(self) -> set[str]:
        """The kinds of process that live."""
        ages = {labels[-1]: age for labels, age in self.metrics().items() if labels[0] == HEARTBEAT}
        return {kind for kind, age in ages.items() if age < 35}


@pytest.fixture
def tenants(make_stack: Callable[[Path, str], Stack], tmp_path: Path) -> Iterator[Tenants]:
    stack = make_stack(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
    tenants = Tenants(stack, tmp_path)
    tenants.password("south", "wrong")
    try:
        for name in ("redis", "sandbox"):
            stack.start(name)
        stack.migrate()
        for name in ("web", "worker", "dispatcher"):
            stack.start(name)
        for name in ("sandbox", "web", "worker", "dispatcher"):
            stack.started(name)
        yield tenants
    finally:
        stack.close()


def test_fault_and_backlog_of_one_account_do_not_touch_the_other(
    tenants: Tenants, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack = tenants.stack
    # South has a wrong password and is held, while north goes on at its slow pace.
    many, few = numbers(120), numbers(20)
    slow, held = tenants.submit("north", many), tenants.submit("south", few)
    until(lambda: tenants.state(held) == "held", "the import with the wrong password is held")
    stack_view = lambda: tenants.http("north", "GET", f"/v1/imports/{slow}")["counts"]["imported"]  # noqa: E731 - said once, used twice
    before = until(stack_view, "the other account imports")
    until(lambda: stack_view() > before, "it goes on")

    # Each sees its own.
    for who, own in (("north", slow), ("south", held)):
        assert [one["id"] for one in tenants.http(who, "GET", "/v1/imports")["imports"]] == [own]
    assert tenants.http("north", "GET", f"/v1/imports/{held}")["status_code"] == 404
    assert tenants.http("north", "POST", f"/v1/imports/{held}/cancel")["status_code"] == 404
    assert stack.http("GET", "/v1/imports")["status_code"] == 401

    # What the operator sees.
    def seen() -> dict[tuple[str, ...], float]:
        found = tenants.metrics()
        return found if ("tnimport_calls_total", "south", "dashboard", "401") in found else {}

    metrics = until(seen, "the calls are handed in")
    assert metrics["tnimport_imports", "south", "held"] == 1
    assert metrics["tnimport_imports", "north", "running"] == 1
    assert metrics["tnimport_calls_total", "north", "catapult", "201"] >= 1
    assert metrics["tnimport_conservation_gap",] == 0
    assert tenants.alive() == {"web", "worker", "dispatcher"}
    checks = stack.http("GET", "/readyz?verbose")["checks"]
    assert {check["name"].partition(" ")[0] for check in checks if check["ok"]} == {"ledger", "redis", *tenants.alive()}

    # The password is mended: south goes through while north's backlog still waits for its pace.
    tenants.password("south", "beepBeep!")
    assert stack.stop("worker") == 0
    assert tenants.alive() == {"web", "dispatcher"}
    stack.start("worker")
    stack.started("worker")
    tenants.http("south", "POST", f"/v1/imports/{held}/resume")
    until(lambda: tenants.state(held) == "complete", "the mended account is through")
    assert tenants.state(slow) == "running"

    # Later the finished import is pruned, and the other one goes on.
    with tenants.ledger() as tx:
        tx.run(sa.update(imports).where(imports.c.id == held).values(finished_at=tx.now - 31 * 86_400))
        tx.run(sa.update(upkeep).values(due_at=tx.now))
    stack.restart("dispatcher")
    until(lambda: tenants.http("south", "GET", f"/v1/imports/{held}").get("status_code") == 404, "it is pruned")
    assert tenants.state(slow) == "running"
    assert tenants.metrics()["tnimport_conservation_gap",] == 0

    logs_name_ids_and_no_number(stack, [*many, *few], {slow, held})
    for name in ("dispatcher", "web", "worker"):
        assert stack.stop(name) == 0


def logs_name_ids_and_no_number(stack: Stack, numbers: list[str], ids: set[str]) -> None:
    named: set[str] = set()
    for name in ("web", "worker", "dispatcher"):
        text = stack.log(name)
        assert [number for number in numbers if number in text] == []
        assert [secret for secret in ("beepBeep!", "t-2:", "canary-") if secret in text] == []
        events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        assert all(event["process"] == name for event in events)
        for event in events:
            if event["event"] in {"step_done", "step_waits"}:
                assert {"import_id", "work", "serial"} <= event.keys()
                named.add(event["import_id"])
        if name == "worker":
            assert any(event.get("order_id") for event in events)
    assert named - {""} == ids  # several imports share the step that makes their application
    acted = [json.loads(line) for line in stack.log("web").splitlines() if "import_" in line]
    assert {event["import_id"] for event in acted if event["event"] == "import_accepted"} == ids
    assert [event["account"] for event in acted if event["event"] == "import_resumed"] == ["south"]
