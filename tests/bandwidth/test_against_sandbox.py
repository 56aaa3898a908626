"""The clients against the carrier in a box, in every layout in which it answers and under every fault it has."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from sandbox.faults.rules import AFTER, BEFORE
from sandbox.pytest_plugin import sandbox, sandbox_server  # noqa: F401 - fixtures
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.errors import CarrierError, Conflict, Delivery, NotFound, OutcomeUnknown, RetryLater
from tnimport.bandwidth.externaltns import Order, OrderRequest
from tnimport.bandwidth.messages import MessageSpec
from tnimport.bandwidth.transport import Transport

NUMBERS = ("9195550100", "9195550101")
LONG = 10.0
SHORT = 1.0


@pytest.fixture
def clients(sandbox: Any, transport: Transport) -> tuple[Dashboard, Catapult]:  # noqa: F811 - the fixture
    ours = DashboardCredentials(account_id=sandbox.account_id, username=sandbox.username, password=sandbox.password)
    theirs = CatapultCredentials(user_id=sandbox.user_id, token=sandbox.token, secret=sandbox.secret)
    dashboard = Dashboard(sandbox.dashboard_url, ours, transport)
    return dashboard, Catapult(sandbox.catapult_url, theirs, ours, transport)


def finished(dashboard: Dashboard, order_id: str) -> Order:
    for _ in range(500):
        order = dashboard.get_order(order_id, LONG)
        if order.status not in {"RECEIVED", "PROCESSING"}:
            return order
    raise AssertionError("the order does not end")


def request(name: str = "tn-1") -> OrderRequest:
    return OrderRequest(customer_order_id=name, site_id="743", sip_peer_id="303716", numbers=NUMBERS)


@pytest.mark.parametrize(
    ("shape", "location", "made", "typed", "empty"),
    list(product("AB", ["none", "absolute"], ["relative", "absolute"], ["none", "json"], ["404", "204"])),
)
def test_the_guides_steps_work_in_every_layout(  # noqa: PLR0917 - a table of five switches
    clients: tuple[Dashboard, Catapult],
    sandbox: Any,  # noqa: F811 - the fixture
    shape: str,
    location: str,
    made: str,
    typed: str,
    empty: str,
) -> None:
    sandbox.switch(
        shape=shape,
        dashboard_location=location,
        catapult_location=made,
        created_content_type=typed,
        empty_list_status=empty,
    )
    dashboard, catapult = clients
    assert dashboard.list_orders(LONG, customer_order_id="tn-1") == []
    order = dashboard.create_order(request(), LONG)
    assert (order.customer_order_id, order.numbers) == ("tn-1", NUMBERS)
    assert finished(dashboard, order.order_id).status == "COMPLETE"
    assert [one.order_id for one in dashboard.list_orders(LONG, customer_order_id="tn-1")] == [order.order_id]
    assert dashboard.is_in_service(NUMBERS[0], LONG)
    application = catapult.create_application(ApplicationSpec(name="n", incoming_message_url="http://h.invalid/"), LONG)
    number = catapult.import_number("+1" + NUMBERS[0], application, LONG)
    found = catapult.get_number("+1" + NUMBERS[0], LONG)
    assert (found.number_id, found.application_id, found.state) == (number, application, "enabled")
    with pytest.raises(Conflict, match="duplicate-number"):
        catapult.import_number("+1" + NUMBERS[0], application, LONG)
    message = catapult.send_message(MessageSpec(sender=NUMBERS[0], to=NUMBERS[1], text="hi"), LONG)
    assert catapult.get_message(message, LONG).sender == "+1" + NUMBERS[0]
    catapult.delete_number(number, LONG)
    with pytest.raises(NotFound):
        catapult.get_number(number, LONG)


def test_pages_are_followed_to_the_end(clients: tuple[Dashboard, Catapult]) -> None:
    _, catapult = clients
    for place in range(5):
        catapult.create_application(ApplicationSpec(name=f"n{place}", incoming_message_url="http://h.invalid/"), LONG)
    page = catapult.list_applications(LONG, size=2)
    names = [one.name for one in page.items]
    while page.next is not None:
        page = catapult.list_applications(LONG, after=page.next)
        names += [one.name for one in page.items]
    assert sorted(str(name) for name in names) == [f"n{place}" for place in range(5)]


def attempt(call: Callable[[], object]) -> CarrierError | None:
    try:
        call()
    except CarrierError as error:
        return error
    return None


@pytest.mark.parametrize("kind", sorted(BEFORE | AFTER))
def test_a_fault_never_makes_a_number_be_lost_or_doubled(
    clients: tuple[Dashboard, Catapult],
    sandbox: Any,  # noqa: F811 - the fixture
    kind: str,
) -> None:
    dashboard, catapult = clients
    finished(dashboard, dashboard.create_order(request(), LONG).order_id)
    application = catapult.create_application(ApplicationSpec(name="n", incoming_message_url="http://h.invalid/"), LONG)
    sandbox.fault("catapult.numbers.create", kind, count=1)
    error = attempt(lambda: catapult.import_number("+1" + NUMBERS[0], application, SHORT))
    sandbox.clear_faults()
    there = attempt(lambda: catapult.get_number("+1" + NUMBERS[0], LONG)) is None
    if error is None:
        assert there
    elif there:
        assert isinstance(error, (OutcomeUnknown, Conflict)), "an effect must not be reported as a refusal"
    if isinstance(error, RetryLater):
        assert error.delivery is not Delivery.UNANSWERED


@pytest.mark.parametrize("kind", sorted(BEFORE | AFTER))
def test_a_fault_never_ends_an_order_that_is_there(
    clients: tuple[Dashboard, Catapult],
    sandbox: Any,  # noqa: F811 - the fixture
    kind: str,
) -> None:
    dashboard, _ = clients
    sandbox.fault("dashboard.orders.create", kind, count=1)
    error = attempt(lambda: dashboard.create_order(request(), SHORT))
    sandbox.clear_faults()
    there = dashboard.list_orders(LONG, customer_order_id="tn-1")
    if error is None or there:
        assert len(there) == 1
        assert error is None or isinstance(error, OutcomeUnknown)
        whole = finished(dashboard, there[0].order_id)
        seen: list[Order] = []
        sandbox.fault("dashboard.orders.get", kind, count=1)
        error = attempt(lambda: seen.append(dashboard.get_order(there[0].order_id, SHORT)))
        assert error is not None or (seen[0].status, seen[0].numbers) == (whole.status, whole.numbers)
