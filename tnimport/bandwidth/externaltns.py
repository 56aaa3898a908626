"""externalTns: the order that adds numbers of another carrier to the account, or removes them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal
from xml.sax.saxutils import escape

from tnimport.bandwidth import texts
from tnimport.bandwidth.errors import Delivery, Permanent
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.location import created_id
from tnimport.bandwidth.refusals import means_none, refusal, unreadable
from tnimport.bandwidth.xml_body import Node, Unreadable, children, descendants, local, parse, value
from tnimport.bandwidth.xml_errors import OrderError, count, said, said_in, survey

PAGE: Final = 1000  # most orders in one answer (numbers.yml, externalTns GET)
# numbers.yml on CustomerOrderId: letters, digits, blanks and dashes, at most 40 of them.
# A blank at either end would be gone from what the carrier shows, and the order not be found by it.
_CUSTOMER_ORDER_ID: Final = re.compile(r"(?! )[A-Za-z0-9 -]{1,40}(?<! )")
_STATUS_NAMES: Final = ("processingstatus", "orderstatus", "status")
_DATE_NAMES: Final = ("ordercreatedate", "orderdate", "createddate")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What to order; the numbers are ten digits each."""

    customer_order_id: str
    site_id: str
    sip_peer_id: str | None = None
    action: Literal["IMPORT", "REMOVE"] = "IMPORT"
    numbers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the carrier tells it.

    `status` is RECEIVED, PROCESSING, COMPLETE, PARTIAL, FAILED (Bandwidth guide, step 2) or whatever else was
    written, in upper case, and "" if nothing was. `numbers` are those listed outside of errors, ten digits each.
    """

    order_id: str
    status: str
    customer_order_id: str | None = None
    created_at: str | None = None
    modified_at: str | None = None
    action: str | None = None
    site_id: str | None = None
    sip_peer_id: str | None = None
    numbers: tuple[str, ...] = ()
    errors: tuple[OrderError, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """What one answer to a listing holds; `total` is the carrier's count of all that match, if it gave one."""

    orders: tuple[Order, ...]
    total: int | None = None


def order_body(order: OrderRequest) -> bytes:
    """Return the XML of Bandwidth guide, step 1, in its order and with its spelling `CustomerOrderID`.

    Raises Permanent, code `invalid_request`, for what the carrier is known to refuse.
    """
    tens = [texts.number(number) for number in order.numbers]
    if not tens or not all(map(texts.is_ten_digits, tens)):
        raise _invalid("an order needs numbers of ten digits")
    if not _CUSTOMER_ORDER_ID.fullmatch(order.customer_order_id):
        raise _invalid("a CustomerOrderID has 1 to 40 letters, digits, blanks and dashes, and no blank at either end")
    peer = f"<SipPeerId>{escape(order.sip_peer_id)}</SipPeerId>" if order.sip_peer_id else ""
    numbers = "".join(f"<TelephoneNumber>{ten}</TelephoneNumber>" for ten in tens)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<ExternalTnsOrder><CustomerOrderID>{order.customer_order_id}</CustomerOrderID>"
        f"<SiteId>{escape(order.site_id)}</SiteId>{peer}<Action>{order.action}</Action>"
        f"<TelephoneNumbers>{numbers}</TelephoneNumbers></ExternalTnsOrder>"
    ).encode("utf-8", "replace")


def _invalid(why: str) -> Permanent:
    return Permanent("invalid_request", why, delivery=Delivery.NOT_SENT)


def read_created(reply: Reply) -> Order:
    """Return the order that was accepted, or raise what the answer means.

    Documented is 201 with the order in the body (guide, step 1); any 2xx that names an order id, in the body or
    else in `Location`, is taken, for the order then exists.
    """
    if not reply.succeeded:
        raise refusal(reply, said(reply), effect=True)
    located = created_id(reply, "externalTns", uuid=True)
    try:
        root = parse(reply)
    except Unreadable as problem:
        if located is None:
            raise unreadable(reply, str(problem), "the answer names no order", effect=True) from None
        return Order(order_id=located, status="RECEIVED")
    order = _first_order(root)
    if order is not None:
        return order
    if located is not None:
        return Order(order_id=located, status="RECEIVED", errors=survey(root).errors)
    if survey(root).errors:
        raise refusal(reply, said_in(root), effect=True)
    raise unreadable(reply, "unreadable_answer", "the answer names no order", effect=True)


def read_order(reply: Reply, order_id: str | None = None) -> Order:
    """Return the order, or raise NotFound (404), or what else the answer means.

    Given `order_id`, an answer about another order is refused, code `wrong_answer`; one that names none is taken
    to be about it.
    """
    if not reply.succeeded:
        raise refusal(reply, said(reply), subject="order")
    try:
        root = parse(reply)
    except Unreadable as problem:
        raise unreadable(reply, str(problem)) from None
    order = _first_order(root, order_id)
    if order is None and survey(root).errors:
        raise refusal(reply, said_in(root), subject="order")
    if order is None:
        raise unreadable(reply, "unreadable_answer", "the answer holds no order")
    if order_id is not None and order.order_id.casefold() != order_id.strip().casefold():
        raise unreadable(reply, "wrong_answer", "the answer is about another order")
    return order


def read_orders(reply: Reply) -> OrderPage:
    """Return the orders of one answer. 204, and 404 in the API's own words, mean none (numbers.yml)."""
    if reply.status == HTTPStatus.NO_CONTENT:
        return OrderPage((), 0)
    if not reply.succeeded:
        explained = said(reply)
        if means_none(reply, explained):
            return OrderPage((), 0)
        raise refusal(reply, explained)
    try:
        root = parse(reply)
    except Unreadable as problem:
        raise unreadable(reply, str(problem)) from None
    nodes = list(_order_nodes(root))
    orders = tuple(_order(node, value(node, "orderid") or "") for node in nodes)
    if not orders and said_in(root).code:
        raise refusal(reply, said_in(root))
    if not orders and local(root) not in _LISTS:
        raise unreadable(reply, "unreadable_answer", "the answer is no list of orders")
    total = count(root)
    if (total and not orders) or _names_others(root, set(nodes)):
        # An order that is taken for missing would be placed twice.
        raise unreadable(reply, "unreadable_answer", "the answer does not show the orders that it speaks of")
    return OrderPage(orders, total)


def _names_others(root: Node, orders: set[Node]) -> bool:
    """Tell whether a reference stands outside of all the orders, as that of an order without an id does."""
    return any(orders.isdisjoint(node.iterancestors()) for node in descendants(root, "customerorderid"))


_LISTS: Final = {"externaltnsorders", "externaltnsordersresponse", "externaltnsorderresponse", "importtnorders"}


def _order_nodes(root: Node) -> Iterator[Node]:
    """Yield the outermost elements that hold an order id of their own."""
    waiting = [iter((root,))]
    while waiting:
        node = next(waiting[-1], None)
        if node is None:
            waiting.pop()
        elif value(node, "orderid"):
            yield node
        elif len(node):
            waiting.append(iter(node))


def _first_order(root: Node, order_id: str | None = None) -> Order | None:
    """Return the order in either shape: flat under the root, or in the wrapper that 2018 brought.

    Of several it is the one asked for, else the first. What stands around a single one is about it as well.
    """
    found = [(node, value(node, "orderid") or "") for node in _order_nodes(root)]
    if len(found) > 1:
        return _order(*next((one for one in found if _same(one[1], order_id)), found[0]))
    if not found and order_id is not None:
        found = [(node, order_id) for node in root.iter() if value(node, "processingstatus")][:1]
    return _order(*found[0], root) if found else None


def _same(order_id: str, asked: str | None) -> bool:
    return asked is not None and texts.clean(order_id).casefold() == asked.strip().casefold()


def _order(node: Node, order_id: str, whole: Node | None = None) -> Order:
    """Read one order: fields at its top (2018 shape), in its child `Order` (guide, steps 1 and 2) or around it.

    Given the `whole` of which it is the only order, errors are those of the whole.
    """
    holders = [node, next(children(node, "order"), None), *([] if whole is None else node.iterancestors())]

    def field(*names: str) -> str | None:
        found = next((found for name in names for holder in holders if (found := value(holder, name))), None)
        return texts.clean(found) if found else None

    held = survey(node)
    around = held if whole is None or whole is node else survey(whole)
    return Order(
        order_id=texts.clean(order_id),
        status=(field(*_STATUS_NAMES) or "").upper(),
        customer_order_id=field("customerorderid"),
        created_at=field(*_DATE_NAMES),
        modified_at=field("lastmodifieddate"),
        action=field("action"),
        site_id=field("siteid"),
        sip_peer_id=field("sippeerid"),
        numbers=held.numbers or around.numbers,
        errors=around.errors,
    )
