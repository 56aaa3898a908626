"""Whatever is killed or emptied, and whenever: the same result, and nothing twice at the carrier."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.system.conftest import CANARIES

if TYPE_CHECKING:
    from tests.system.conftest import Stack

FATES = {"0901": ("failed", "25070"), "0906": ("unaccounted", "unaccounted"), "0935": ("failed", "validation-error")}


def judge(stack: Stack, import_id: str, rows: list[str]) -> None:
    """The result is the one that it would have been without any fault."""
    assert stack.finished(import_id)["state"] == "partial"
    found = {number: (one["state"], one["code"]) for number, one in stack.books(import_id).items()}
    assert found == {number: FATES.get(number[-4:], ("imported", None)) for number in rows}


def test_kill_9_of_the_worker_again_and_again_changes_nothing(stack: Stack, numbers: Callable[..., list[str]]) -> None:
    stack.sandbox.switch(latency=0.02)
    rows = numbers(300, *FATES)
    import_id = stack.submit(rows)
    for reached, least in (("ordered", 1), ("imported", 20), ("imported", 100)):
        stack.reaches(import_id, reached, least)
        stack.restart("worker")
    judge(stack, import_id, rows)


def test_kill_9_of_the_dispatcher_changes_nothing(stack: Stack, numbers: Callable[..., list[str]]) -> None:
    stack.sandbox.switch(latency=0.01)
    rows = numbers(300, *FATES)
    import_id = stack.submit(rows)
    for reached in ("ordered", "imported"):
        stack.reaches(import_id, reached)
        stack.restart("dispatcher")
    judge(stack, import_id, rows)


def test_an_emptied_redis_changes_nothing(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack.sandbox.switch(latency=0.01)
    stack.kill("worker")
    rows = numbers(200, *FATES)
    import_id = stack.submit(rows)
    until(lambda: stack.redis.llen("orders"), "a message that nobody has taken")
    stack.redis.flushall()
    stack.restart("worker")
    for reached, least in (("ordered", 1), ("imported", 1), ("imported", 100)):
        stack.reaches(import_id, reached, least)
        stack.redis.flushall()
    judge(stack, import_id, rows)


def test_with_redis_away_an_import_is_accepted_and_its_work_starts_when_it_is_back(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack.kill("redis")
    rows = numbers(5)
    import_id = stack.submit(rows)
    assert stack.view(import_id)["state"] == "queued"
    until(lambda: "broker_away" in stack.log("dispatcher"), "the dispatcher has seen that Redis is away")
    assert "Redis" not in str(stack.http("GET", "/readyz"))
    stack.start("redis")
    assert stack.finished(import_id)["state"] == "complete"
    assert stack.books(import_id).keys() == set(rows)
    for name in ("worker", "dispatcher", "web"):
        assert stack.processes[name].poll() is None


def test_an_order_whose_answer_was_lost_is_not_placed_twice_even_if_the_worker_dies(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack.sandbox.fault("dashboard.orders.create", "slow", seconds=1.5, count=1)
    before = len(stack.sandbox.calls("dashboard.orders.create"))
    rows = numbers(3)
    import_id = stack.submit(rows)
    until(lambda: len(stack.sandbox.calls("dashboard.orders.create")) > before, "the order is there, unanswered")
    stack.restart("worker")
    assert stack.finished(import_id)["state"] == "complete"
    stack.books(import_id)


@pytest.mark.parametrize("how", ["pause", "cancel"])
def test_an_import_that_is_stopped_while_it_runs_stops_at_once(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any], how: str
) -> None:
    stack.sandbox.switch(latency=0.2)
    rows = numbers(300)
    import_id = stack.submit(rows)
    stack.reaches(import_id, "imported", 5)
    stack.http("POST", f"/v1/imports/{import_id}/{how}")
    if how == "cancel":
        view = stack.finished(import_id)
        assert view["state"] == "cancelled"
        assert view["counts"]["imported"] + view["counts"]["cancelled"] == 300
        assert view["counts"]["cancelled"] > 0
    else:
        until(lambda: stack.view(import_id)["state"] == "paused", "it is paused")
        still = until(lambda: unchanged(stack, import_id), "nothing of it moves any more")
        assert 5 <= still < 300
        stack.sandbox.switch(latency=0)
        stack.http("POST", f"/v1/imports/{import_id}/resume")
        assert stack.finished(import_id)["counts"]["imported"] == 300
    stack.books(import_id)


def unchanged(stack: Stack, import_id: str) -> int | None:
    """How many are imported, once that many calls have been answered and none is under way."""
    calls = len(stack.sandbox.calls("catapult.numbers.create"))
    imported = stack.view(import_id)["counts"]["imported"]
    stack.redis.ping()
    settled = calls == len(stack.sandbox.calls("catapult.numbers.create"))
    known = len(stack.at_catapult().keys() & stack.numbers(import_id).keys())
    return int(imported) if settled and imported == known else None


def test_a_wrong_password_costs_a_handful_of_calls_and_after_the_fix_resume_goes_on(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    stack.restart("worker", TNIMPORT_DASHBOARD_PASSWORD="canary-wrong-password")
    before = stack.sandbox.state("summary")["summary"]["calls"]
    rows = numbers(200)
    import_id = stack.submit(rows)
    view = until(lambda: held(stack, import_id), "it is held")
    assert "credentials" in view["held"]["instruction"]
    assert stack.sandbox.state("summary")["summary"]["calls"] - before <= 6
    assert view["counts"]["requested"] == 200
    stack.restart("worker")
    stack.http("POST", f"/v1/imports/{import_id}/resume")
    assert stack.finished(import_id)["state"] == "complete"
    stack.books(import_id)


def held(stack: Stack, import_id: str) -> dict[str, Any] | None:
    view = stack.view(import_id)
    return view if view["state"] == "held" else None


def test_an_application_that_was_deleted_at_the_carrier_is_made_once_more_for_all_who_name_it(
    stack: Stack, numbers: Callable[..., list[str]]
) -> None:
    wish = {"name": "deleted", "incoming_message_url": "https://example.com/deleted"}
    stack.finished(stack.submit(numbers(1), application=wish))
    (gone,) = applications(stack, "deleted")
    connection = HTTPConnection(urlsplit(stack.sandbox.url).netloc, timeout=30)
    keys = b64encode(f"{CANARIES['SANDBOX_TOKEN']}:{CANARIES['SANDBOX_SECRET']}".encode()).decode()
    connection.request("DELETE", f"/v1/users/u-1/applications/{gone}", headers={"Authorization": f"Basic {keys}"})
    assert connection.getresponse().status == 200
    connection.close()
    imports = [stack.submit(numbers(40), application=wish) for _ in range(3)]
    assert [stack.finished(one)["state"] for one in imports] == ["complete"] * 3
    (made,) = applications(stack, "deleted")
    held = stack.at_catapult()
    assert {held[number]["application_id"] for one in imports for number in stack.books(one)} == {made}


def applications(stack: Stack, name: str) -> list[str]:
    """The ids of the carrier's applications of this name."""
    held = stack.sandbox.state("users")["users"]["u-1"]["applications"]
    return [one["id"] for one in held if one["name"] == name]
