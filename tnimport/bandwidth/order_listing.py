"""Listing more orders than one answer holds.

An answer has at most 1,000 orders and no cursor (numbers.yml, externalTns GET). One that counts more than it shows, or
is full, whatever it counts, is therefore asked again in halves of its range of days, and such a day by the first
characters of the order ids, which are UUIDs.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from tnimport.bandwidth.errors import Permanent
from tnimport.bandwidth.externaltns import PAGE, Order, OrderPage

Filters = Mapping[str, str | list[str] | None]
Fetch = Callable[[Filters], OrderPage]

_DAY: Final = timedelta(days=1)
_HISTORY: Final = timedelta(days=731)  # without other filters the carrier goes back two years (numbers.yml)
_HEX: Final = "0123456789abcdef-"
_LONGEST_ID: Final = 36


def every_order(
    fetch: Fetch, filters: Filters, today: date, wanted: Callable[[Order], bool] | None = None
) -> list[Order]:
    """Return all orders that match, each once; with `wanted`, no more than it takes to see one of those.

    Raises:
        Permanent: code `list_incomplete`, when the carrier does not narrow its answers as asked, or counts orders
            that it does not show; returning some for all would make an order that exists look missing.
    """
    page = fetch(filters)
    found = {order.order_id: order for order in page.orders}
    if not _has_more(page) or (wanted is not None and any(map(wanted, page.orders))):
        return list(found.values())
    for order in _by_days(fetch, filters, today):
        found.setdefault(order.order_id, order)
        if wanted is not None and wanted(order):
            return list(found.values())
    _check(len(found) >= (page.total or 0))
    return list(found.values())


def _has_more(page: OrderPage) -> bool:
    """Tell whether an answer may not hold all that match: it counts more, or is full and may count what it shows."""
    return len(page.orders) >= PAGE or (page.total or 0) > len(page.orders)


def _by_days(fetch: Fetch, filters: Filters, today: date) -> Iterator[Order]:
    first, last = _bounds(filters, today)
    waiting = [(first, last)]
    while waiting:
        start, end = waiting.pop()
        # "after" and "before" may or may not include the day itself: a day more on either side loses nothing.
        since, until = max(start - _DAY, first), min(end + _DAY, last)
        narrowed = {**filters, "createdDateFrom": since.isoformat(), "createdDateTo": until.isoformat()}
        page = fetch(narrowed)
        _check(all(_within(order, since, until) for order in page.orders))
        yield from page.orders
        if _has_more(page) and start < end:
            middle = start + (end - start) // 2
            waiting += [(start, middle), (middle + _DAY, end)]
        elif _has_more(page):
            yield from _by_fragment(fetch, narrowed)


def _by_fragment(fetch: Fetch, filters: Filters) -> Iterator[Order]:
    given = filters.get("orderIdFragment")
    waiting = [(given if isinstance(given, str) else "") + digit for digit in _HEX]
    while waiting:
        fragment = waiting.pop()
        page = fetch({**filters, "orderIdFragment": fragment})
        _check(all(order.order_id.lower().startswith(fragment.lower()) for order in page.orders))
        yield from page.orders
        if _has_more(page):
            _check(len(fragment) < _LONGEST_ID)
            waiting += [fragment + digit for digit in _HEX]


def _bounds(filters: Filters, today: date) -> tuple[date, date]:
    since, until = filters.get("createdDateFrom"), filters.get("createdDateTo")
    last = date.fromisoformat(until) if isinstance(until, str) else today + _DAY  # their day may be ahead of ours
    return (date.fromisoformat(since) if isinstance(since, str) else min(today, last) - _HISTORY), last


def _within(order: Order, since: date, until: date) -> bool:
    """Tell whether an order was made in the range; an order that does not say when counts as inside."""
    try:
        made = date.fromisoformat((order.created_at or "")[:10])
    except ValueError:
        return True
    return since - _DAY <= made <= until + _DAY  # time zones


def _check(whole: bool) -> None:  # noqa: FBT001 - it is a condition
    if not whole:
        raise Permanent("list_incomplete", "the carrier does not show all the orders that match")
