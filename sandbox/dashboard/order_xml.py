"""Renders externalTns orders in both known layouts."""

from sandbox.accounts import Account
from sandbox.dashboard.state import FINAL, Order, OrderError, stamp
from sandbox.dashboard.xml_out import Element, numbers_element


def created(order: Order, account: Account, shape: str) -> Element:
    """The answer to the POST: shape A has the fields directly, B wraps them once more."""
    if shape == "B":
        return ("ExternalTnsOrderResponse", [("ExternalTnsOrder", _flat(order, account, empty_errors=True))])
    return ("ExternalTnsOrderResponse", _nested(order, account))


def fetched(order: Order, account: Account, shape: str) -> Element:
    """The order itself, as GET and lists show it."""
    fields = _flat(order, account) if shape == "B" else _nested(order, account)
    return ("ExternalTnsOrder", fields)


def _nested(order: Order, account: Account) -> list[Element]:
    """Shape A: the request stands in Order, Errors beside it."""
    inner = _present(
        ("CustomerOrderID", order.customer_order_id),
        ("SiteId", order.site_id),
        ("SipPeerId", order.sip_peer_id),
        ("Action", order.action),
    )
    return [
        *_opening(order, account),
        ("ProcessingStatus", order.status),
        ("Order", [*inner, numbers_element(order.listed)]),
        *errors_element(order.errors),
    ]


def _flat(order: Order, account: Account, *, empty_errors: bool = False) -> list[Element]:
    """Shape B: all fields side by side, SipPeerId first or last as in the captures."""
    ended = order.status in FINAL
    peer = _present(("SipPeerId", order.sip_peer_id))
    return [
        *_present(("CustomerOrderId", order.customer_order_id)),
        *_opening(order, account),
        ("LastModifiedDate", stamp(order.modified)),
        *_present(("SiteId", order.site_id)),
        *([] if ended else peer),
        numbers_element(order.listed),
        ("Action", order.action),
        *_present(("LoaType", order.loa_type or ("CARRIER" if order.action == "IMPORT" else None))),
        ("ProcessingStatus", order.status),
        *(errors_element(order.errors) or ([("Errors", None)] if empty_errors else [])),
        *(peer if ended else []),
    ]


def _opening(order: Order, account: Account) -> list[Element]:
    return [
        ("OrderCreateDate", stamp(order.created)),
        ("AccountId", account.account_id),
        ("CreatedByUser", order.user),
        ("OrderId", order.order_id),
    ]


def errors_element(errors: tuple[OrderError, ...]) -> list[Element]:
    """`Errors` with one Error for each code, or nothing."""
    if not errors:
        return []
    return [("Errors", [("Error", _error(one)) for one in errors])]


def _error(error: OrderError) -> list[Element]:
    named = [numbers_element(error.numbers)] if error.numbers else []
    return [("Code", error.code), ("Description", error.description), *named]


def _present(*fields: tuple[str, str | None]) -> list[Element]:
    return [(name, value) for name, value in fields if value is not None]
