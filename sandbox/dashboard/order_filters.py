"""Chooses the orders that a list shows."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final
from urllib.parse import parse_qs

from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.state import Order, now

LONGEST_LIST: Final = 1000
_LIFTS_TWO_YEARS: Final = {
    "tn",
    "customerorderid",
    "orderidfragment",
    "createddatefrom",
    "createddateto",
    "modifieddatefrom",
    "modifieddateto",
}


def matching(orders: Iterable[Order], kind: str, query: str) -> list[Order]:
    """The orders of a kind that pass every filter of the query, newest first, at most 1,000.

    Unknown parameters are ignored. Names of parameters are read in any letter case.
    """
    wanted = {name.lower(): values for name, values in parse_qs(query).items()}
    earliest = None if wanted.keys() & _LIFTS_TWO_YEARS else now() - timedelta(days=730)
    found = [
        order
        for order in orders
        if order.kind == kind and (earliest is None or order.created >= earliest) and _passes(order, wanted)
    ]
    found.sort(key=lambda order: order.created, reverse=True)
    return found[:LONGEST_LIST]


def _passes(order: Order, wanted: dict[str, list[str]]) -> bool:
    return _passes_words(order, wanted) and _passes_dates(order, wanted)


def _passes_words(order: Order, wanted: dict[str, list[str]]) -> bool:
    def first(name: str) -> str | None:
        return wanted[name][0] if name in wanted else None

    statuses = {one.upper() for value in wanted.get("status", ()) for one in value.split(",")}
    customer, tn, fragment = first("customerorderid"), first("tn"), first("orderidfragment")
    action, loa_type = first("action"), (first("loatype") or "ALL").upper()
    return (
        # Our choice: customerOrderId matches exactly; whether parts of it match is not documented.
        (customer is None or customer == order.customer_order_id)
        and (tn is None or tn in order.numbers)
        and (fragment is None or order.order_id.startswith(fragment.lower()))
        and (not statuses or order.status in statuses)
        and (action is None or action.upper() == order.action)
        and loa_type in {"ALL", order.loa_type or "CARRIER"}
    )


def _passes_dates(order: Order, wanted: dict[str, list[str]]) -> bool:
    created, modified = order.created.date(), order.modified.date()
    # Our choice: all four bounds include their day; the documents say so of two and "after" of the others.
    return _day(wanted, "createddatefrom", date.min) <= created <= _day(wanted, "createddateto", date.max) and _day(
        wanted, "modifieddatefrom", date.min
    ) <= modified <= _day(wanted, "modifieddateto", date.max)


def _day(wanted: dict[str, list[str]], name: str, otherwise: date) -> date:
    if name not in wanted:
        return otherwise
    try:
        return date.fromisoformat(wanted[name][0])
    except ValueError as problem:
        # Our choice: no code is documented for a date that is not yyyy-MM-dd.
        raise Refusal(400, "1010", f"{name} must be a date of the form yyyy-MM-dd.") from problem
