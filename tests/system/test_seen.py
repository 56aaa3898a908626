"""What an operator sees in Flower, and what nobody sees anywhere: secrets."""

from __future__ import annotations

import ast
import base64
import re
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from config.settings import load

if TYPE_CHECKING:
    from tests.system.conftest import Stack

COLUMNS = ("name", "state", "kwargs", "result", "received", "started", "runtime", "retries", "worker", "uuid")


def rows_of(stack: Stack, name: str, import_id: str) -> list[dict[str, Any]]:
    found = stack.flower(f"/api/tasks?taskname={name}&limit=1000")
    return [task for task in found.values() if import_id in (task["kwargs"] or "")]


def test_an_order_is_one_row_in_flower_that_retries_while_it_waits_and_then_succeeds(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack.sandbox.switch(order_outcome="stuck-processing")
    import_id = stack.submit(numbers(2))

    def waiting() -> dict[str, Any] | None:
        rows = rows_of(stack, "tnimport.poll_order", import_id)
        assert len(rows) <= 1
        return rows[0] if rows and rows[0]["state"] == "RETRY" and rows[0]["retries"] >= 2 else None

    row = until(waiting, "a row in state RETRY with two retries")
    assert ast.literal_eval(row["kwargs"]).keys() == {"work", "serial", "import_id", "order_id", "count"}
    stack.sandbox.release()
    stack.sandbox.switch(order_outcome="normal")
    stack.finished(import_id)

    def through() -> dict[str, Any] | None:
        (row,) = rows_of(stack, "tnimport.poll_order", import_id)
        return row if row["state"] == "SUCCESS" else None

    end = until(through, "the same row in state SUCCESS")
    assert end["uuid"] == row["uuid"]
    assert end["retries"] > row["retries"]
    assert ast.literal_eval(end["result"]) == {"status": "COMPLETE", "good": 2, "failed": 0, "unaccounted": 0}


def test_flower_shows_the_columns_that_one_looks_for(stack: Stack) -> None:
    page = stack.flower("/tasks")
    for column in COLUMNS:
        assert f"<th>{column}" in page.lower().replace(" ", "") or column in page.lower()


def test_arguments_in_flower_are_ids_and_counts_only(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    rows = numbers(4)
    import_id = stack.submit(rows)
    stack.finished(import_id)
    seen = until(lambda: rows_of(stack, "tnimport.import_numbers", import_id), "its grants in Flower")
    for row in seen:
        assert set(map(type, ast.literal_eval(row["kwargs"]).values())) <= {int, str, type(None)}
        assert not any(number in str(row) for number in rows)


@pytest.fixture
def secrets(stack: Stack) -> dict[str, str]:
    """Every secret of the deployment in the forms in which it is sent."""
    environ = stack.environ
    user, password = environ["TNIMPORT_DASHBOARD_USERNAME"], environ["TNIMPORT_DASHBOARD_PASSWORD"]
    token, secret = environ["TNIMPORT_CATAPULT_TOKEN"], environ["TNIMPORT_CATAPULT_SECRET"]
    return {
        "password": password,
        "token": token,
        "secret": secret,
        "flower": environ["TNIMPORT_FLOWER_AUTH"].partition(":")[2],
        "dashboard header": base64.b64encode(f"{user}:{password}".encode()).decode(),
        "catapult header": base64.b64encode(f"{token}:{secret}".encode()).decode(),
        "any": "canary",
    }


def test_no_secret_is_in_a_message_a_log_the_ledger_flower_or_an_answer(
    stack: Stack, numbers: Callable[..., list[str]], secrets: dict[str, str], until: Callable[..., Any]
) -> None:
    rows = numbers(20, "0901", "0906", "0931", "0935", "0936", "0938", "0945")
    for endpoint in ("dashboard.orders.create", "catapult.numbers.create", "dashboard.orders.get"):
        stack.sandbox.fault(endpoint, "cut-after", count=1)
    stack.sandbox.fault("catapult.numbers.create", "unauthorized", count=1, skip=3)
    import_id = stack.submit(rows, customer_order_id="SECRETS", client_ref="secrets")
    while (view := stack.view(import_id))["finished_at"] is None:
        if view["state"] == "held":
            stack.http("POST", f"/v1/imports/{import_id}/resume")
    for path in ("", "/numbers"):
        stack.http("GET", f"/v1/imports/{import_id}{path}")
    for path in ("/", f"/imports/{import_id}", "/readyz?verbose", "/openapi.json", f"/v1/numbers/{rows[0]}"):
        stack.http("GET", path)
    for path in ("/api/tasks?limit=10000", "/tasks", "/workers", "/broker", "/metrics"):
        stack.flower(path)
    worker = next(iter(until(lambda: stack.flower("/api/workers?refresh=1"), "a worker in Flower")))
    stack.flower(f"/worker/{worker}")
    places = {
        "messages": stack.messages(),
        "answers": "\n".join(stack.answers),
        "ledger": ledger(stack),
        "keys": "".join(str(stack.redis.dump(key)) for key in stack.redis.keys("*")),
        **{f"log of {name}": stack.log(name) for name in ("web", "worker", "dispatcher", "flower")},
    }
    assert "imp_" in places["messages"]
    assert "SECRETS" in places["ledger"]
    found = [(where, what) for where, text in places.items() for what, secret in secrets.items() if secret in text]
    assert found == []


def test_what_comes_in_is_in_the_ledger_and_in_no_log(stack: Stack, until: Callable[..., Any]) -> None:
    secret = load(stack.environ).accounts["default"].callback_secret
    basic = {"Authorization": "Basic " + base64.b64encode(f"tnimport:{secret}".encode()).decode()}
    told = {"messageId": "m-hushed", "from": "+12065550177", "to": "+19195551178", "text": "hush, said nobody"}
    path = "/callbacks/default/messages"
    before = len(stack.log("web"))
    assert stack.http("POST", path, told | {"eventType": "hush"}, **basic)["status_code"] == 400
    assert stack.http("POST", path, b"hush +12065550177", **basic)["status_code"] == 400
    assert stack.http("POST", path, told, Authorization="Basic aHVzaDpodXNo")["status_code"] == 401
    assert stack.http("POST", path, told, **basic) == {"status": "stored"}
    assert stack.http("GET", f"{path}?{urlencode(told)}", **basic).endswith("<Response/>")
    (found,) = stack.http("GET", "/v1/inbound?number=9195551178")["inbound"]
    assert found["text"] == told["text"]
    log = until(lambda: (text := stack.log("web")[before:]).count("callback_stored") == 2 and text, "both are logged")
    assert {"callback_unreadable", "callback_refused"} <= set(re.findall(r"callback_\w+", log))
    hidden = ("hush", "5550177", "5551178", secret, basic["Authorization"].split()[1], "aHVzaDpodXNo")
    assert [word for word in hidden if word in log.replace("m-hushed", "")] == []


def test_no_number_is_in_a_message(stack: Stack, numbers: Callable[..., list[str]]) -> None:
    rows = numbers(30)
    stack.finished(stack.submit(rows))
    messages = stack.messages()
    assert not any(number in messages for number in rows)


def ledger(stack: Stack) -> str:
    """The whole SQLite file as it lies on the disk, write-ahead log included, and as text."""
    path = stack.folder / "ledger.db"
    raw = b"".join(part.read_bytes() for part in stack.folder.glob("ledger.db*")).decode("latin-1")
    with sqlite3.connect(path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    return raw + dump
