"""The doctor, against real servers and the sandbox: what it finds, and how it says to mend it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import requests
import sqlalchemy as sa
import uvicorn

from config.settings import load
from sandbox.pytest_plugin import sandbox, sandbox_server  # noqa: F401 - fixtures
from tnimport.bandwidth.transport import Transport
from tnimport.domain.accounts import Account
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.schema import heartbeats as table
from tnimport.ledger.schema import subscriptions
from tnimport.web.access.keys import Scope, make, written
from tnimport.web.app import WebDeps, create_app
from workers.checkups import access, broker, callbacks, carrier, notified, processes
from workers.checkups import ledger as ledger_checkup
from workers.checkups.finding import Finding, Grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.testing import RunningSandbox

COMMAND = str(Path(sys.executable).with_name("tnimport"))
ALIVE = tuple(Process(kind=kind, host="here", pid=1, version="1") for kind in ("worker", "dispatcher", "web"))


@pytest.fixture
def environment(sandbox: RunningSandbox, sqlite_url: str, redis_url: str) -> dict[str, str]:  # noqa: F811 - the fixture
    """A deployment in which all is well."""
    return {
        "TNIMPORT_DATABASE_URL": sqlite_url,
        "TNIMPORT_REDIS_URL": redis_url,
        "TNIMPORT_DASHBOARD_URL": sandbox.dashboard_url,
        "TNIMPORT_CATAPULT_URL": sandbox.catapult_url,
        "TNIMPORT_ACCOUNT_ID": sandbox.account_id,
        "TNIMPORT_DASHBOARD_USERNAME": sandbox.username,
        "TNIMPORT_DASHBOARD_PASSWORD": sandbox.password,
        "TNIMPORT_CATAPULT_USER_ID": sandbox.user_id,
        "TNIMPORT_CATAPULT_TOKEN": sandbox.token,
        "TNIMPORT_CATAPULT_SECRET": sandbox.secret,
        "TNIMPORT_SITE_ID": sandbox.site_id,
        "TNIMPORT_SIP_PEER_ID": sandbox.sip_peer_id,
    }


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    opened = Ledger(sqlite_url)
    migrate.upgrade(opened)
    yield opened
    opened.close()


def doctor(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "doctor", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def graded(found: Iterable[Finding]) -> dict[str, Grade]:
    """Each text with its grade; whatever is not well says how to mend it."""
    found = list(found)
    assert all((finding.fix is None) is (finding.grade is Grade.OK) for finding in found)
    return {finding.text: finding.grade for finding in found}


def grade_of(found: Iterable[Finding], words: str) -> Grade:
    (grade,) = [grade for text, grade in graded(found).items() if words in text]
    return grade


def at_bandwidth(environment: dict[str, str], **changes: str) -> list[Finding]:
    transport = Transport()
    settings = load(environment | {f"TNIMPORT_{name.upper()}": value for name, value in changes.items()})
    try:
        return list(carrier.check(settings, transport))
    finally:
        transport.close()


def test_a_deployment_in_which_all_is_well(environment: dict[str, str], ledger: Ledger) -> None:
    for process in ALIVE:
        heartbeats.beat(ledger, process, first=True)
    done = doctor(environment, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    assert document["ok"]
    bad = [finding for finding in document["findings"] if finding["grade"] not in {"ok", "warning"}]
    assert bad == []
    areas = {finding["area"] for finding in document["findings"]}
    assert areas == {"settings", "keys", "ledger", "redis", "processes", "callbacks", "account default"}
    for secret in ("TNIMPORT_DASHBOARD_PASSWORD", "TNIMPORT_CATAPULT_SECRET"):
        assert environment[secret] not in done.stdout + done.stderr


def test_a_person_reads_lines_with_the_fix_below_each_fault(environment: dict[str, str], free_port: int) -> None:
    dead = {"TNIMPORT_REDIS_URL": f"redis://127.0.0.1:{free_port}/0"}
    done = doctor(environment | dead)
    assert done.returncode == 1
    assert "FAULT  redis: cannot be reached" in done.stdout
    assert "FAULT  ledger: the file" in done.stdout
    assert "       fix: python -m workers.migrate" in done.stdout
    assert "Traceback" not in done.stderr
    assert not Path(environment["TNIMPORT_DATABASE_URL"].removeprefix("sqlite:///")).exists()


def test_wrong_settings_are_all_told_and_end_it_with_code_4(environment: dict[str, str]) -> None:
    wrong = {"TNIMPORT_POLL_FIRST": "x", "TNIMPORT_CATAPULT_TOKEN": ""}
    done = doctor(environment | wrong, "--json")
    assert done.returncode == 4
    assert [finding["grade"] for finding in json.loads(done.stdout)["findings"]] == ["misset", "misset"]


def test_a_wrong_password_is_a_matter_of_settings(environment: dict[str, str]) -> None:
    found = at_bandwidth(environment, dashboard_password="canary-wrong")
    assert grade_of(found, "the Dashboard refuses it (http_401)") is Grade.MISSET
    assert grade_of(found, "Catapult lets it in") is Grade.OK
    assert "canary" not in str(found)
    found = at_bandwidth(environment, catapult_token="canary-wrong")
    assert grade_of(found, "Catapult refuses it") is Grade.MISSET


@pytest.mark.parametrize(
    ("changes", "words", "grade"),
    [
        ({"site_id": "999"}, "no site 999; there are: 743", Grade.MISSET),
        ({"sip_peer_id": "1"}, "no SIP peer 1; there are: 303716", Grade.MISSET),
        ({"site_id": "745", "sip_peer_id": ""}, "no SIP peer at all", Grade.MISSET),
        ({"site_id": "744", "sip_peer_id": ""}, "site 744 has a SIP peer", Grade.OK),
        ({"site_id": "", "sip_peer_id": ""}, "no default site", Grade.WARNING),
        ({"application_id": "a-none"}, "no application a-none", Grade.MISSET),
    ],
)
def test_the_defaults_of_an_account_are_looked_for_at_bandwidth(
    environment: dict[str, str], changes: dict[str, str], words: str, grade: Grade
) -> None:
    assert grade_of(at_bandwidth(environment, **changes), words) is grade


def test_bandwidth_not_answering_is_no_matter_of_settings(environment: dict[str, str], free_port: int) -> None:
    nowhere = f"http://127.0.0.1:{free_port}"
    found = at_bandwidth(environment, dashboard_url=nowhere, catapult_url=nowhere)
    assert {finding.grade for finding in found} == {Grade.FAULT}


def test_redis_that_forgets_and_does_not_write_down_is_told(environment: dict[str, str], ledger: Ledger) -> None:
    settings = load(environment)
    with redis.Redis.from_url(environment["TNIMPORT_REDIS_URL"]) as client:
        client.rpush("orders", "x")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found, waiting = broker.check(settings, ledger)
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert grade_of(found, "allkeys-lru") is Grade.MISSET
    assert grade_of(found, "AOF is off") is Grade.WARNING
    assert grade_of(found, "clock agrees") is Grade.OK
    assert waiting["orders"] == 1
    found, _ = broker.check(settings, None)
    assert grade_of(found, "noeviction") is Grade.OK


def test_a_ledger_of_an_older_version_is_to_be_migrated(sqlite_url: str) -> None:
    opened = Ledger(sqlite_url)
    migrate.upgrade(opened, "20261123_first")
    (found,) = ledger_checkup.check(opened)
    opened.close()
    assert (found.grade, found.fix) == (Grade.FAULT, "python -m workers.migrate")


def test_a_database_that_is_away_is_told_without_its_address(free_port: int) -> None:
    opened = Ledger(f"postgresql+psycopg://me:canary@127.0.0.1:{free_port}/x")
    (found,) = ledger_checkup.check(opened)
    opened.close()
    assert found.grade is Grade.FAULT
    assert "canary" not in str(found)


def test_processes_that_are_missing_dead_or_of_another_version_are_told(ledger: Ledger) -> None:
    found = list(processes.check(ledger, {"numbers": 3, "orders": 0}))
    assert grade_of(found, "no worker lives") is Grade.FAULT
    assert grade_of(found, "no web lives") is Grade.WARNING
    assert grade_of(found, "messages wait and no worker takes them: 3 in numbers") is Grade.FAULT
    for process in (*ALIVE, Process(kind="worker", host="there", pid=2, version="2")):
        heartbeats.beat(ledger, process, first=True)
    found = list(processes.check(ledger, {"numbers": 3}))
    assert grade_of(found, "several versions run: 1, 2") is Grade.WARNING
    assert len(graded(found)) == 4
    with ledger.write() as tx:
        tx.run(sa.update(table).where(table.c.host == "there").values(seen_at=tx.now - 99))
    assert grade_of(processes.check(ledger, {}), "worker there/2 ended without a word") is Grade.WARNING


def test_a_file_of_keys_that_lets_nobody_in_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    assert grade_of(access.check(None), "loopback only") is Grade.OK
    assert grade_of(access.check(path), "nobody is let in") is Grade.WARNING
    old, _ = make("old", Scope.READ, expires=datetime(2020, 1, 1, tzinfo=UTC))
    path.write_text(written([old]))
    assert grade_of(access.check(path), "nobody is let in") is Grade.WARNING
    path.write_text(written([old, make("new", Scope.READ)[0]]))
    assert grade_of(access.check(path), "1 valid, 1 expired") is Grade.OK
    path.write_text("[keys")
    assert grade_of(access.check(path), "not usable") is Grade.MISSET


class Other(BaseHTTPRequestHandler):
    """Some other web servers, by their path."""

    def do_GET(self) -> None:
        known = "Authorization" in self.headers
        status = {"moved": 302, "greedy": 401, "liar": 200 if known else 401, "plain": 200}[self.path.split("/")[1]]
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="tnimport callbacks"' if "liar" in self.path else "Basic")
        if status == 302:
            self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        self.wfile.write(b'{"proof": "guessed"}' if known else b"hello")
        self.server.asked.append((self.path, known))

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def other() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Other)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ours(ledger: Ledger) -> Iterator[str]:
    """The address of a web process of the deployment."""
    account = Account(name="default", account_id="9999999")
    deps = WebDeps(ledger=ledger, accounts={"default": account}, callback_secrets={"default": "canary-secret"})
    server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def called(environment: dict[str, str], public_url: str, **changes: str) -> list[Finding]:
    more = {"PUBLIC_URL": public_url, "CALLBACK_SECRET": "canary-secret"} | changes
    return list(callbacks.check(load(environment | {f"TNIMPORT_{name}": value for name, value in more.items()})))


def test_the_public_addresses_must_lead_to_this_deployment(
    environment: dict[str, str], ours: str, free_port: int
) -> None:
    found = called(environment, ours, FALLBACK_URL=ours)
    assert [finding.grade for finding in found] == [Grade.OK] * 3  # messages, orders, messages at the fallback
    assert grade_of(called(environment, ours, ORDER_NOTIFICATIONS="0"), "leads to us") is Grade.OK
    another = called(environment, ours, CALLBACK_SECRET="another", ORDER_NOTIFICATIONS="0")
    assert grade_of(another, "has another callback secret") is Grade.FAULT
    nobody = called(environment, f"http://127.0.0.1:{free_port}", ORDER_NOTIFICATIONS="0")
    assert grade_of(nobody, "ConnectionError") is Grade.FAULT
    assert "canary" not in str(found + another + nobody)
    assert grade_of(callbacks.check(load(environment)), "no public address") is Grade.WARNING


@pytest.mark.parametrize(
    ("path", "words", "given"),
    [
        ("moved", "sends its callers elsewhere", False),
        ("plain", "answers 200, and not as our web process does", False),
        ("greedy", "answers 401, and not as our web process does", False),
        ("liar", "answers 200, and not as our web process does", True),
    ],
)
def test_another_web_server_is_found_out_and_gets_the_secret_only_if_it_acts_as_ours(
    environment: dict[str, str], other: HTTPServer, path: str, words: str, *, given: bool
) -> None:
    url = f"http://127.0.0.1:{other.server_port}/{path}"
    assert grade_of(called(environment, url, ORDER_NOTIFICATIONS="0"), words) is Grade.FAULT
    assert any(known for _, known in other.asked) is given


@pytest.mark.parametrize(
    ("public_url", "words", "grade"),
    [
        ("http://127.0.0.1:9", "Bandwidth cannot reach", Grade.MISSET),
        ("http://[::1]:9", "Bandwidth cannot reach", Grade.MISSET),
        ("http://tn.example", "in the clear", Grade.WARNING),
    ],
)
def test_an_address_that_cannot_work_or_is_not_safe_is_told(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, public_url: str, words: str, grade: Grade
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", nobody)
    real = environment | {"TNIMPORT_CATAPULT_URL": "https://api.example/v1", "TNIMPORT_ORDER_NOTIFICATIONS": "0"}
    assert grade_of(called(real, public_url), words) is grade


@pytest.mark.parametrize(
    ("state", "words", "grade"),
    [
        (None, "its first order", Grade.OK),
        ({"made_at": 0}, "none of them has ended since", Grade.OK),
        ({"made_at": -60, "told_at": -9, "expires_at": 60}, "tells us", Grade.OK),
        ({"made_at": -60, "untold_at": -30, "expires_at": 60}, "without word", Grade.WARNING),
        ({"rest_until": 60}, "does not let us ask", Grade.WARNING),
    ],
)
def test_whether_word_of_orders_comes_is_told(
    environment: dict[str, str], ledger: Ledger, state: dict[str, float] | None, words: str, grade: Grade
) -> None:
    if state is not None:
        with ledger.write() as tx:
            values = {name: tx.now + seconds for name, seconds in state.items()}
            tx.run(sa.insert(subscriptions).values(account="default", url="https://tn.example", **values))
    settings = load(environment | {"TNIMPORT_PUBLIC_URL": "https://tn.example"})
    assert grade_of(notified.check(settings, ledger), words) is grade
    assert list(notified.check(load(environment), ledger)) == []
