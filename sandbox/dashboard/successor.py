"""importTnOrders and removeImportedTnOrders: the successors of externalTns."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from lxml import etree

from sandbox.call import Call
from sandbox.dashboard.order_filters import matching
from sandbox.dashboard.order_request import checked_numbers, customer_order_id, refuse_bad_site
from sandbox.dashboard.order_xml import errors_element
from sandbox.dashboard.orders import find_order, location
from sandbox.dashboard.processing import accept
from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.state import Order, stamp
from sandbox.dashboard.xml_in import child, root_of, text
from sandbox.dashboard.xml_out import Element, answer, numbers_element
from sandbox.ids import order_id
from sandbox.wire.message import Response

_LONGEST_NAME: Final = 45


@dataclass(frozen=True, slots=True)
class Family:
    """The names of one of the two endpoints."""

    kind: str
    element: str
    order_type: str
    action: str


IMPORT: Final = Family("importTnOrders", "ImportTnOrder", "import_tn_orders", "IMPORT")
REMOVE: Final = Family("removeImportedTnOrders", "RemoveImportedTnOrder", "remove_imported_tn_orders", "REMOVE")


def _create(family: Family, call: Call) -> Response:
    """POST: 201 with the order inside the plural root, as in the captures."""
    order = _read(family, call)
    accept(call.carrier, call.carrier.dashboards[call.account.account_id], order)
    shown = [*_fields(order, call.account.account_id), ("Errors", None)]
    return answer(
        (f"{family.element}sResponse", [(family.element, shown)]),
        status=201,
        headers=location(call, family.kind, order.order_id),
    )


def _fetch(family: Family, call: Call) -> Response:
    order = find_order(call, family.kind)
    shown = [*_fields(order, call.account.account_id), *errors_element(order.errors)]
    return answer((family.element, shown))


def _index(family: Family, call: Call) -> Response:
    """GET: summaries, not whole orders."""
    dashboard = call.carrier.dashboards[call.account.account_id]
    found = matching(dashboard.orders.values(), family.kind, call.request.query)
    summaries = [_summary(family, order, call.account.account_id) for order in found]
    # Our choice: an empty list is 200 with a count of 0; nothing is documented for it here.
    return answer((f"{family.element}s", [("TotalCount", str(len(found))), *summaries]))


def _history(family: Family, call: Call) -> Response:
    """GET history: the status in lower case, as in the captures."""
    order = find_order(call, family.kind)
    entries: list[Element] = [
        (
            "OrderHistory",
            [
                ("OrderDate", stamp(moment)),
                ("Note", f"The order is {status.lower()}."),
                ("Author", order.user),
                ("Status", status.lower()),
            ],
        )
        for moment, status in order.history
    ]
    return answer(("OrderHistoryWrapper", entries))


def _read(family: Family, call: Call) -> Order:
    root = root_of(call.request.body, family.element)
    wanted = checked_numbers(root, call.carrier.switches)
    site_id = peer_id = None
    if family is IMPORT:
        site_id, peer_id = text(root, "SiteId"), text(root, "SipPeerId")
        refuse_bad_site(call.account, site_id, peer_id, call.carrier.switches)
    return Order(
        order_id=order_id(),
        kind=family.kind,
        user=call.account.username,
        customer_order_id=customer_order_id(root, required=False),
        site_id=site_id,
        sip_peer_id=peer_id,
        action=family.action,
        loa_type=(text(root, "LoaType") or "SUBSCRIBER") if family is IMPORT else None,
        numbers=wanted,
        listed=wanted,
        subscriber=_subscriber(root),
    )


def _subscriber(root: etree._Element) -> str | None:
    subscriber = child(root, "Subscriber")
    name = text(subscriber, "Name") if subscriber is not None else None
    if name and len(name) > _LONGEST_NAME:
        raise Refusal(400, "25131", f"The subscriber's name may hold {_LONGEST_NAME} characters at most.")
    return name


def _fields(order: Order, account_id: str) -> list[Element]:
    subscriber: list[Element] = [("Subscriber", [("Name", order.subscriber)])] if order.subscriber else []
    return [
        *_present("CustomerOrderId", order.customer_order_id),
        ("OrderCreateDate", stamp(order.created)),
        ("AccountId", account_id),
        ("CreatedByUser", order.user),
        ("OrderId", order.order_id),
        ("LastModifiedDate", stamp(order.modified)),
        *_present("SiteId", order.site_id),
        *_present("SipPeerId", order.sip_peer_id),
        *subscriber,
        *_present("LoaType", order.loa_type),
        numbers_element(order.listed),
        ("ProcessingStatus", order.status),
    ]


def _summary(family: Family, order: Order, account_id: str) -> Element:
    return (
        f"{family.element}Summary",
        [
            ("accountId", account_id),
            ("CountOfTNs", str(len(order.numbers))),
            *_present("CustomerOrderId", order.customer_order_id),
            ("userId", order.user),
            ("lastModifiedDate", stamp(order.modified)),
            ("OrderDate", stamp(order.created)),
            ("OrderType", family.order_type),
            ("OrderStatus", order.status),
            ("OrderId", order.order_id),
        ],
    )


def _present(name: str, value: str | None) -> list[Element]:
    return [(name, value)] if value is not None else []


HANDLERS: Final = {
    family.kind: {
        "create": partial(_create, family),
        "list": partial(_index, family),
        "get": partial(_fetch, family),
        "history": partial(_history, family),
    }
    for family in (IMPORT, REMOVE)
}
