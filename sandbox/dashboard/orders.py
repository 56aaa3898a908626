"""externalTns: create, fetch and list orders."""

import re
from typing import Final

from sandbox.call import Call
from sandbox.dashboard import order_xml
from sandbox.dashboard.order_filters import matching
from sandbox.dashboard.order_request import read_order
from sandbox.dashboard.processing import accept
from sandbox.dashboard.refusals import Refusal, no_such_resource
from sandbox.dashboard.state import Order
from sandbox.dashboard.xml_out import answer
from sandbox.faults.apply import after_by_name, instead_by_name
from sandbox.scenarios import fate_of
from sandbox.wire.message import Response

# Python's UUID() also takes braces, a prefix, and digits without dashes.
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def create(call: Call) -> Response:
    """POST externalTns: 201 with the order, RECEIVED."""
    carrier = call.carrier
    dashboard = carrier.dashboards[call.account.account_id]
    if carrier.switches.feature_off:
        # Our choice: the code is documented, the status 403 beside it is not.
        raise Refusal(403, "25010", "The account is not allowed to use this endpoint.")
    order = read_order(call.request.body, call.account, carrier.switches)
    trouble = _trouble_before(call, order)
    if trouble:
        return trouble
    accept(carrier, dashboard, order)
    response = answer(
        order_xml.created(order, call.account, carrier.switches.shape),
        status=201,
        headers=location(call, "externalTns", order.order_id),
    )
    for number in order.numbers:
        if fate_of(number) == "order-cut-after" and carrier.journal.times("order-cut-after", number) == 1:
            return after_by_name("cut-after", call, response)
    return response


def _trouble_before(call: Call, order: Order) -> Response | None:
    """What the reserved numbers do to the whole request before the order is taken."""
    for number in order.numbers:
        fate = fate_of(number)
        if fate == "order-refused":
            raise Refusal(400, "5008", "All telephone numbers of the order are invalid.", repeated=True)
        if fate == "order-503-twice" and call.carrier.journal.times(fate, number) <= 2:  # noqa: PLR2004 - twice
            return instead_by_name("error", call)
        if fate == "order-cut-before" and call.carrier.journal.times(fate, number) == 1:
            return instead_by_name("cut-before", call)
    return None


def location(call: Call, collection: str, resource_id: str) -> dict[str, str]:
    """The Location header in the form that the switch asks for."""
    form = call.carrier.switches.dashboard_location
    path = f"/api/accounts/{call.account.account_id}/{collection}/{resource_id}"
    if form == "none":
        return {}
    return {"Location": path if form == "relative" else call.request.origin + path}


def find_order(call: Call, kind: str) -> Order:
    """The order of the path, or the refusal for one that is malformed or unknown."""
    wanted = call.params["order"]
    if not _UUID.fullmatch(wanted):
        raise Refusal(400, "1008", f"'{wanted}' is not a valid UUID")
    order = call.carrier.dashboards[call.account.account_id].orders.get(wanted.lower())
    if order is None or order.kind != kind:
        raise no_such_resource()
    return order


def fetch(call: Call) -> Response:
    """GET externalTns/{id}."""
    order = find_order(call, "externalTns")
    return answer(order_xml.fetched(order, call.account, call.carrier.switches.shape))


def index(call: Call) -> Response:
    """GET externalTns: whole orders, newest first, at most 1,000; 404 (or 204) when none matches."""
    dashboard = call.carrier.dashboards[call.account.account_id]
    found = matching(dashboard.orders.values(), "externalTns", call.request.query)
    if not found:
        if call.carrier.switches.empty_list_status == "204":
            return Response(status=204)
        text = "No externalTns orders can be found that match the query parameters."
        return answer(
            ("ExternalTnsOrders", [("ResponseStatus", [("Description", text)])]),
            status=404,
        )
    shape = call.carrier.switches.shape
    orders = [order_xml.fetched(order, call.account, shape) for order in found]
    return answer(("ExternalTnsOrders", [("TotalCount", str(len(found))), *orders]))
