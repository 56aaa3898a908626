from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Answer, Dashboard

TODAY = datetime.now(UTC).date()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


@pytest.fixture
def orders(dashboard: Dashboard):
    first = dashboard.finished("9195550001", CustomerOrderID="first")
    second = dashboard.finished("9195550002", "9195550900", CustomerOrderID="second")
    third = dashboard.finished("9195550001", CustomerOrderID="first again", Action="REMOVE")
    return [one.text("OrderId") for one in (first, second, third)]


def found(answer: Answer):
    return [] if answer.status == 404 else [one.text for one in answer.xml.iter("OrderId")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [2, 1, 0]),
        ("customerOrderId=first", [0]),
        ("customerOrderId=first%20again", [2]),
        ("customerOrderId=fir", []),
        ("tn=9195550900", [1]),
        ("tn=9195550001", [2, 0]),
        ("status=PARTIAL", [1]),
        ("status=PARTIAL&status=FAILED", [1]),
        ("status=COMPLETE,PARTIAL", [2, 1, 0]),
        ("action=REMOVE", [2]),
        ("loaType=SUBSCRIBER", []),
        ("loaType=ALL", [2, 1, 0]),
        ("somethingNew=1", [2, 1, 0]),
        (f"createdDateFrom={TODAY}&createdDateTo={TOMORROW}", [2, 1, 0]),
        (f"createdDateFrom={TOMORROW}", []),
        (f"createdDateTo={YESTERDAY}", []),
        (f"modifiedDateFrom={YESTERDAY}&modifiedDateTo={YESTERDAY}", []),
        (f"modifiedDateFrom={TODAY}", [2, 1, 0]),
    ],
)
def test_filters_choose(dashboard: Dashboard, orders: list[str], query: str, expected: list[int]) -> None:
    assert found(dashboard.get(f"/externalTns?{query}")) == [orders[index] for index in expected]


def test_the_first_characters_of_an_id_choose(dashboard: Dashboard, orders: list[str]) -> None:
    assert orders[1] in found(dashboard.get(f"/externalTns?orderIdFragment={orders[1][:8]}"))


def test_a_list_holds_whole_orders_and_their_count(dashboard: Dashboard, orders: list[str]) -> None:
    answer = dashboard.get("/externalTns?customerOrderId=second")
    assert (answer.xml.tag, answer.text("TotalCount")) == ("ExternalTnsOrders", "1")
    assert answer.text("ExternalTnsOrder/Errors/Error/Code") == "25060"


def test_no_match_is_404_or_204(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    answer = dashboard.get("/externalTns?customerOrderId=none")
    assert (answer.status, answer.xml.tag) == (404, "ExternalTnsOrders")
    assert [child.tag for child in answer.xml.find("ResponseStatus")] == ["Description"]
    sandbox.switch(empty_list_status="204")
    answer = dashboard.get("/externalTns?customerOrderId=none")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    "given", ["yesterday", "2026-13-01", "2026-W01-1", "20260101", "\u0662\u0660\u0662\u0666-01-01"]
)
def test_a_date_that_is_none_is_refused(dashboard: Dashboard, given: str) -> None:
    answer = dashboard.get(f"/externalTns?createdDateFrom={quote(given)}")
    assert (answer.status, answer.text(".//ErrorCode")) == (400, "1010")


def test_a_list_ends_at_a_thousand(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(order_outcome="stuck-received")
    for index in range(1001):
        dashboard.order("9195550001", CustomerOrderID=f"many {index}")
    answer = dashboard.get("/externalTns")
    assert answer.text("TotalCount") == "1000"
    assert answer.text("ExternalTnsOrder/Order/CustomerOrderID") == "many 1000"
