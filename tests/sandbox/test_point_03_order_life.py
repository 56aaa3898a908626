from collections.abc import Callable
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


def test_an_order_passes_through_all_three_statuses(
    dashboard: Dashboard, sandbox: RunningSandbox, wait_until: Callable[..., Any]
) -> None:
    sandbox.switch(order_delay=2)
    answer = dashboard.order("9195550001")
    path = f"/externalTns/{answer.text('OrderId')}"
    seen = [answer.text("ProcessingStatus")]

    def look() -> str:
        status = dashboard.get(path).text("ProcessingStatus")
        if status != seen[-1]:
            seen.append(status)
        return status

    wait_until(look, lambda status: status == "COMPLETE")
    assert seen == ["RECEIVED", "PROCESSING", "COMPLETE"]


@pytest.mark.parametrize(("number", "status"), [("9195550911", "RECEIVED"), ("9195550912", "PROCESSING")])
def test_a_stuck_order_stays_until_it_is_released(
    dashboard: Dashboard, sandbox: RunningSandbox, wait_until: Callable[..., Any], number: str, status: str
) -> None:
    path = f"/externalTns/{dashboard.order(number).text('OrderId')}"
    wait_until(lambda: dashboard.get(path).text("ProcessingStatus"), lambda one: one == status)
    other = dashboard.finished("9195550001")  # time has passed for everyone
    assert other.text("ProcessingStatus") == "COMPLETE"
    assert dashboard.get(path).text("ProcessingStatus") == status
    assert sandbox.release() == 1
    assert dashboard.get(path).text("ProcessingStatus") == "COMPLETE"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("stuck-received", "RECEIVED"),
        ("stuck-processing", "PROCESSING"),
        ("failed", "FAILED"),
        ("exception", "EXCEPTION"),
    ],
)
def test_a_switch_decides_the_fate_of_every_order(
    dashboard: Dashboard, sandbox: RunningSandbox, wait_until: Callable[..., Any], outcome: str, status: str
) -> None:
    sandbox.switch(order_outcome=outcome)
    path = f"/externalTns/{dashboard.order('9195550001').text('OrderId')}"
    wait_until(lambda: dashboard.get(path).text("ProcessingStatus"), lambda one: one == status)


def test_a_slow_order_is_slow(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(slow_order_delay=60)
    path = f"/externalTns/{dashboard.order('9195550910').text('OrderId')}"
    dashboard.finished("9195550001")
    assert dashboard.get(path).text("ProcessingStatus") == "RECEIVED"


@pytest.mark.parametrize(
    ("number", "status", "code", "named"),
    [
        ("9195550913", "FAILED", "5012", 0),
        ("9195550914", "EXCEPTION", None, 0),
        ("9195550915", "FAILED", "25090", 2),
    ],
)
def test_one_number_can_ruin_the_whole_order(  # noqa: PLR0917 - pytest passes fixtures and columns by name
    dashboard: Dashboard, sandbox: RunningSandbox, number: str, status: str, code: str | None, named: int
) -> None:
    answer = dashboard.finished("9195550001", number)
    assert (answer.text("ProcessingStatus"), answer.text(".//Code")) == (status, code)
    assert len(answer.xml.findall("Errors//TelephoneNumber")) == named
    assert dashboard.get("/inserviceNumbers/9195550001").status == 404


def test_numbers_of_a_complete_order_are_in_service(dashboard: Dashboard) -> None:
    dashboard.finished("9195550001", "9195550002")
    answer = dashboard.get("/inserviceNumbers/9195550001")
    assert (answer.status, answer.body) == (200, b"")
    listed = dashboard.get("/inserviceNumbers").xml
    assert [one.text for one in listed.iter("TelephoneNumber")] == ["9195550001", "9195550002"]
    assert dashboard.get("/inserviceNumbers/totals").text("Count") == "2"
    assert dashboard.get("/inserviceNumbers?areacode=415").status == 204


def test_inservice_numbers_come_in_pages(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service([f"919555{line:04}" for line in range(5)])
    second = dashboard.get("/inserviceNumbers?page=2&size=2").xml
    assert second.findtext("TotalCount") == "5"
    assert [one.text for one in second.iter("TelephoneNumber")] == ["9195550002", "9195550003"]
    assert "page=3&size=2" in second.findtext("Links/next")
