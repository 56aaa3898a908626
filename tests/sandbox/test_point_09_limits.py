import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard


def test_the_dashboards_429_is_empty_names_seconds_and_ends_the_connection(
    dashboard: Dashboard, sandbox: RunningSandbox
) -> None:
    sandbox.switch(rate_limits=True, dashboard_per_second=0.5)
    assert dashboard.get("/sites").status == 200
    answer = dashboard.get("/sites")
    assert (answer.status, answer.body) == (429, b"")
    assert answer.headers["Content-Length"] == "0"
    assert answer.headers["Connection"] == "close"
    assert 0 < int(answer.headers["X-RateLimit-Reset"]) - time.time() < 4


def test_catapults_429_names_milliseconds_and_has_no_message(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.switch(rate_limits=True)
    assert catapult.get("/applications").status == 200
    answer = catapult.get("/applications")
    assert answer.status == 429
    reset = answer.headers["X-RateLimit-Reset"]
    assert 0 < int(reset) - time.time() * 1000 < 1100
    assert (answer.json["category"], answer.json["code"]) == ("too-many-requests", "rate-limit-reached")
    assert "message" not in answer.json
    assert answer.json["details"][0] == {"name": "rateLimitResetTime", "value": reset}


def test_the_named_time_is_the_time_to_wait(
    catapult: Catapult, sandbox: RunningSandbox, wait_until: Callable[..., Any]
) -> None:
    sandbox.switch(rate_limits=True, applications_per_second=20)
    answer = wait_until(lambda: catapult.get("/applications"), lambda one: one.status == 429)
    wait_until(time.time, lambda now: now * 1000 >= int(answer.headers["X-RateLimit-Reset"]))
    assert catapult.get("/applications").status == 200


def test_messages_are_limited_by_403(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service(["9195550001"])
    catapult.import_number("+19195550001")
    sandbox.switch(rate_limits=True)
    message = {"from": "+19195550001", "to": "+13035550123", "text": "x"}
    assert catapult.post("/messages", message).status == 201
    answer = catapult.post("/messages", message)
    assert (answer.status, answer.json["category"], answer.json["code"]) == (403, "limit", "message-rate-limit")
    assert sandbox.state("summary")["summary"]["rate_limited"] == 1


def test_numbers_may_come_in_a_burst_and_then_by_the_minute(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service([f"919555{line:04}" for line in range(4)])
    catapult.make_application()
    sandbox.switch(rate_limits=True, numbers_burst=3, numbers_per_minute=1)
    statuses = [catapult.import_number(f"+1919555{line:04}").status for line in range(4)]
    assert statuses == [201, 201, 201, 429]


def test_lanes_do_not_share_their_limits(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.switch(rate_limits=True)
    assert [catapult.get(path).status for path in ("/applications", "/errors", "/messages")] == [200, 200, 200]


@pytest.mark.parametrize("name", ["applications_per_second", "errors_per_second"])
def test_zero_means_no_limit(catapult: Catapult, sandbox: RunningSandbox, name: str) -> None:
    sandbox.switch(rate_limits=True, **{name: 0})
    path = "/" + name.partition("_")[0]
    assert {catapult.get(path).status for _ in range(5)} == {200}


def test_the_header_can_be_left_out(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.switch(rate_limits=True, limit_headers=False)
    catapult.get("/applications")
    answer = catapult.get("/applications")
    assert answer.status == 429
    assert "X-RateLimit-Reset" not in answer.headers
