"""Chooses the orders that a list shows."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final
from urllib.parse import parse_qs

from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.state import Order, now

LONGEST_LIST: Final = 1000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # Python alone would take weeks as well
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
    passes_dates = _date_filter(wanted)
    earliest = None if wanted.keys() & _LIFTS_TWO_YEARS else now() - timedelta(days=730)
    found = [
        order
        for order in orders
        if order.kind == kind
        and (earliest is None or order.created >= earliest)
        and passes_dates(order)
        and _passes_words(order, wanted)
    ]
    found.sort(key=lambda order: order.created, reverse=True)
    return found[:LONGEST_LIST]


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


def _date_filter(wanted: dict[str, list[str]]) -> Callable[[Order], bool]:
    """Whether an order is of the days asked for; the query is judged at once, also where there is no order."""
    # Our choice: all four bounds include their day; the documents say so of two and "after" of the others.
    first, last = _day(wanted, "createddatefrom", date.min), _day(wanted, "createddateto", date.max)
    oldest, newest = _day(wanted, "modifieddatefrom", date.min), _day(wanted, "modifieddateto", date.max)
    return lambda order: first <= order.created.date() <= last and oldest <= order.modified.date() <= newest


def _day(wanted: dict[str, list[str]], name: str, otherwise: date) -> date:
    if name not in wanted:
        return otherwise
    given = wanted[name][0]
    try:
        return date.fromisoformat(given if _DATE.fullmatch(given) else "")
    except ValueError as problem:
        # Our choice: no code is documented for a date that is not yyyy-MM-dd.
        raise Refusal(400, "1010", f"{name} must be a date of the form yyyy-MM-dd.") from problem
