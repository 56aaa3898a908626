"""Who is let in, and what a key bound to accounts sees."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tnimport.domain.accounts import Account
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import Scope, make, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from tests.web.conftest import Seed, Serve, Web
    from tnimport.ledger.engine import Ledger

NAMES = ("default", "north")


class Guarded:
    """A web application with keys."""

    def __init__(self, serve: Serve, ledger: Ledger, path: Path) -> None:
        self.path = path
        self.keys: list = []
        accounts = {name: Account(name=name, account_id="9", site_id="743", application_id="a-1") for name in NAMES}
        self.web: Web = serve(ledger, accounts=accounts, keyring=Keyring(path), hosts=None)

    def key(self, scope: Scope = Scope.WRITE, **more: object) -> str:
        key, token = make("someone", scope, **more)
        self.keys.append(key)
        self.save()
        return token

    def save(self) -> None:
        self.path.write_text(written(self.keys))

    def get(self, path: str, token: str | None = None) -> requests.Response:
        return self.web.get(path, headers=bearer(token))

    def submit(self, token: str | None, **options: object) -> requests.Response:
        body = json.dumps({"numbers": ["9195550001"]} | options)
        return self.web.post("/v1/imports", body, "application/json", headers=bearer(token))


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture
def guarded(serve: Serve, ledger: Ledger, tmp_path: Path) -> Guarded:
    return Guarded(serve, ledger, tmp_path / "keys.toml")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/readyz?verbose", "/openapi.json", "/problems/key-missing"])
def test_health_and_documentation_are_open_to_all(guarded: Guarded, path: str) -> None:
    assert guarded.get(path).status_code == 200


DISPATCHER = Process(kind="dispatcher", host="canary-host", pid=4711, version="canary-version")


@pytest.mark.parametrize("presented", ["nothing", "a guess", "an expired key"])
def test_who_presents_no_valid_key_is_told_of_no_host_number_or_version(guarded: Guarded, presented: str) -> None:
    heartbeats.beat(guarded.web.ledger, DISPATCHER, first=True, broker="answers")
    expired = guarded.key(Scope.READ, expires=datetime.now(UTC) - timedelta(seconds=1))
    token = {"nothing": None, "a guess": f"tni_abcdefgh_{'0' * 48}", "an expired key": expired}[presented]
    answer = guarded.get("/readyz?verbose", token)
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "checks": [{"name": name, "ok": True} for name in ("ledger", "redis", "dispatcher")]},
    )


@pytest.mark.parametrize("bound", [(), ("north",)])
def test_who_presents_a_key_is_told_which_processes_live(guarded: Guarded, bound: tuple[str, ...]) -> None:
    heartbeats.beat(guarded.web.ledger, DISPATCHER, first=True, broker="answers")
    said = guarded.get("/readyz?verbose", guarded.key(Scope.READ, accounts=bound)).text
    assert "dispatcher canary-host/4711" in said
    assert "version canary-version" in said


def test_keys_that_cannot_be_read_keep_nobody_from_asking_whether_it_is_ready(guarded: Guarded) -> None:
    token = guarded.key(Scope.READ)
    guarded.path.write_text("not TOML [")
    assert guarded.get("/readyz?verbose", token).json()["checks"][0] == {"name": "ledger", "ok": True}


@pytest.mark.parametrize(
    "path", ["/v1/imports", "/v1/imports/imp_x", "/v1/numbers/9195550001", "/", "/imports/imp_x", "/metrics", "/else"]
)
def test_everything_else_needs_a_key(guarded: Guarded, path: str) -> None:
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/key-missing"
    assert 'Bearer realm="tnimport"' in answer.headers["WWW-Authenticate"]
    assert ("Basic" in answer.headers["WWW-Authenticate"]) is not path.startswith("/v1/")


def test_a_key_is_enough_for_what_its_scope_says(guarded: Guarded) -> None:
    reading, writing, ruling = (guarded.key(scope) for scope in Scope)
    assert [guarded.get("/v1/imports", token).status_code for token in (reading, writing, ruling)] == [200] * 3
    assert [guarded.submit(token).status_code for token in (writing, ruling)] == [202] * 2
    refused = guarded.submit(reading)
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/key-not-enough"
    assert 'error="insufficient_scope", scope="write"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: f"Bearer {token[:-1]}{'1' if token.endswith('0') else '0'}",
        lambda token: f"Bearer {token}, Bearer {token}",
        lambda token: f"Token {token}",
        lambda _: "Bearer",
        lambda _: "",
        lambda token: f"Basic {b64encode(token.encode()).decode()}",
        lambda _: "Basic !",
        lambda _: "Basic \xe9",
        lambda _: f"Basic {b64encode(b'x:' + bytes([255])).decode()}",
    ],
)
def test_what_is_no_key_opens_nothing(guarded: Guarded, spoil: Callable[[str], str]) -> None:
    spoiled = spoil(guarded.key())
    assert guarded.web.get("/v1/imports", headers={"Authorization": spoiled}).status_code == 401


def test_a_revoked_key_is_out_at_its_next_request(guarded: Guarded) -> None:
    token = guarded.key()
    assert guarded.get("/v1/imports", token).status_code == 200
    guarded.keys.clear()
    guarded.save()
    answer = guarded.get("/v1/imports", token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_expired_key_is_told_so(guarded: Guarded) -> None:
    over = guarded.key(expires=datetime.now(UTC) - timedelta(seconds=1))
    young = guarded.key(expires=datetime.now(UTC) + timedelta(hours=1))
    assert guarded.get("/v1/imports", young).status_code == 200
    answer = guarded.get("/v1/imports", over)
    assert (answer.status_code, answer.json()["detail"]) == (401, "This key has expired.")


def test_a_file_that_cannot_be_read_lets_nobody_in_and_says_nothing_of_its_content(guarded: Guarded) -> None:
    token = guarded.key()
    guarded.path.write_text("[keys.canary")
    answer = guarded.get("/v1/imports", token)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/keys-unreadable")
    assert "canary" not in answer.text
    assert guarded.get("/livez").status_code == 200


def test_a_browser_looks_with_the_key_as_password_and_cannot_change_anything_so(guarded: Guarded) -> None:
    basic = {"Authorization": "Basic " + b64encode(f"me:{guarded.key()}".encode()).decode()}
    assert guarded.web.get("/", headers=basic).status_code == 200
    body = json.dumps({"numbers": ["9195550001"]})
    assert guarded.web.post("/v1/imports", body, "application/json", headers=basic).status_code == 401


def test_with_keys_the_service_answers_under_any_name(guarded: Guarded) -> None:
    headers = bearer(guarded.key()) | {"Host": "imports.example"}
    assert guarded.web.get("/v1/imports", headers=headers).status_code == 200


def test_a_bound_key_sees_the_imports_of_its_accounts_only(guarded: Guarded, seed: Seed) -> None:
    own = seed(guarded.web.ledger, account="north", fingerprint="1")
    foreign = seed(guarded.web.ledger, account="default", fingerprint="2", client_ref="theirs")
    token, all_ = guarded.key(accounts=["north"]), guarded.key()
    assert [one["id"] for one in guarded.get("/v1/imports", token).json()["imports"]] == [own]
    assert len(guarded.get("/v1/imports", all_).json()["imports"]) == 2
    history = guarded.get("/v1/numbers/9195550000", token).json()
    assert [one["import_id"] for one in history["imports"]] == [own]
    assert guarded.get("/v1/imports?client_ref=theirs", token).json()["imports"] == []
    assert foreign not in guarded.get("/", token).text
    for path in (f"/v1/imports/{foreign}", f"/v1/imports/{foreign}/numbers", f"/imports/{foreign}"):
        assert guarded.get(path, token).status_code == 404
        assert guarded.get(path, all_).status_code == 200
    for act in ("pause", "resume", "cancel"):
        answer = guarded.web.post(f"/v1/imports/{foreign}/{act}", headers=bearer(token))
        assert answer.status_code == 404
    assert guarded.get(f"/v1/imports/{foreign}", all_).json()["state"] == "queued"


def test_a_bound_key_submits_for_its_accounts_only(guarded: Guarded) -> None:
    token = guarded.key(accounts=["north"])
    assert guarded.submit(token).json()["account"] == "north"
    refused = guarded.submit(token, account="default")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "unknown_account"


def test_the_reference_of_another_account_tells_a_bound_key_nothing_of_its_import(guarded: Guarded) -> None:
    first = guarded.submit(guarded.key(), client_ref="r-1", account="default")
    again = guarded.submit(guarded.key(accounts=["north"]), client_ref="r-1")
    assert again.status_code == 422
    assert again.json()["type"] == "/problems/key-reused"
    assert first.json()["id"] not in again.text


def test_a_bound_key_does_not_see_the_metrics_of_all(guarded: Guarded) -> None:
    assert guarded.get("/metrics", guarded.key(Scope.READ, accounts=["north"])).status_code == 403
