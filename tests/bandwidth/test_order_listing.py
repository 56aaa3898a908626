"""Listing past the 1,000 orders of one answer, against carriers that narrow in different ways."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tnimport.bandwidth import order_listing
from tnimport.bandwidth.errors import CarrierError, Permanent
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.externaltns import Order, OrderPage
from tnimport.bandwidth.order_listing import Filters, every_order

TODAY = date(2026, 11, 23)


class Carrier:
    """Holds orders and answers as numbers.yml says: at most a page, newest first, filters as switched."""

    def __init__(
        self,
        orders: list[Order],
        page: int,
        *,
        inclusive: bool = True,
        ignores: tuple[str, ...] = (),
        counts: bool = True,
    ) -> None:
        self.counts = counts
        self.orders, self.page, self.inclusive, self.ignores = orders, page, inclusive, ignores
        self.calls = 0

    def fetch(self, filters: Filters) -> OrderPage:
        self.calls += 1
        given = {name: value for name, value in filters.items() if value is not None and name not in self.ignores}
        found = [order for order in self.orders if self._matches(order, given)]
        return OrderPage(tuple(found[: self.page]), len(found) if self.counts else None)

    def _matches(self, order: Order, given: dict[str, Any]) -> bool:
        day = (order.created_at or "")[:10]
        since, until = given.get("createdDateFrom", "0"), given.get("createdDateTo", "9")
        inside = since <= day <= until if self.inclusive else since < day < until
        return inside and order.order_id.startswith(given.get("orderIdFragment", ""))


def order(number: int, day: date) -> Order:
    return Order(order_id=f"{number * 2654435761 % 2**32:08x}-{number}", status="", created_at=f"{day}T12:00:00Z")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_listing, "PAGE", 10)


@given(st.lists(st.integers(0, 700), max_size=80), st.booleans(), st.sampled_from([7, 10, None]))
@settings(max_examples=50, deadline=None)
def test_every_order_is_found_once_whatever_its_day(days: list[int], inclusive: bool, page: int | None) -> None:
    orders = [order(place, TODAY - timedelta(days=day)) for place, day in enumerate(days)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_listing, "PAGE", 10)
        carrier = Carrier(orders, page or 10, inclusive=inclusive, counts=page is not None)
        found = every_order(carrier.fetch, {}, TODAY)
    assert sorted(one.order_id for one in found) == sorted(one.order_id for one in orders)


def test_one_answer_is_enough_for_less_than_a_page() -> None:
    carrier = Carrier([order(place, TODAY) for place in range(9)], 10)
    assert len(every_order(carrier.fetch, {}, TODAY)) == 9
    assert carrier.calls == 1


def test_a_listing_ends_when_the_wanted_order_is_seen() -> None:
    orders = [order(place, TODAY - timedelta(days=place)) for place in range(100)]
    calls = []
    for place in (5, 15, 99):
        carrier = Carrier(orders, 10)
        assert orders[place] in every_order(carrier.fetch, {}, TODAY, lambda one: one == orders[place])  # noqa: B023 - called before the next one
        calls.append(carrier.calls)
    assert calls[0] == 1
    assert max(calls) < 100


def test_a_full_answer_is_not_believed_to_be_all_though_it_counts_no_more() -> None:
    orders = [order(place, TODAY - timedelta(days=place)) for place in range(20)]

    def fetch(filters: Filters) -> OrderPage:
        page = Carrier(orders, 10).fetch(filters)
        return OrderPage(page.orders, len(page.orders))  # it counts what it shows

    assert len(every_order(fetch, {}, TODAY)) == 20
    assert orders[15] in every_order(fetch, {}, TODAY, lambda one: one == orders[15])


def test_less_than_a_page_that_counts_more_is_narrowed() -> None:
    orders = [order(place, TODAY - timedelta(days=place)) for place in range(9)]
    assert len(every_order(Carrier(orders, 4).fetch, {}, TODAY)) == 9


def test_an_order_that_is_counted_and_never_shown_makes_the_list_incomplete() -> None:
    page = OrderPage(tuple(order(place, TODAY) for place in range(3)), 4)
    with pytest.raises(Permanent) as caught:
        every_order(lambda _: page, {}, TODAY)
    assert caught.value.code == "list_incomplete"


def test_an_order_that_is_counted_and_not_shown_matters_only_while_the_wanted_one_is_missing() -> None:
    orders = [order(place, TODAY - timedelta(days=place)) for place in range(3)]

    def fetch(filters: Filters) -> OrderPage:
        page = Carrier(orders, 10).fetch(filters)
        return page if "createdDateFrom" in filters else OrderPage(page.orders, 4)  # the fourth is too old to be found

    assert every_order(fetch, {}, TODAY, lambda one: one == orders[1]) == orders
    for wanted in (None, lambda one: one.order_id == "x"):
        with pytest.raises(Permanent):
            every_order(fetch, {}, TODAY, wanted)


def test_a_day_fuller_than_a_page_is_divided_by_order_ids() -> None:
    carrier = Carrier([order(place, TODAY) for place in range(300)], 10)
    assert (
        len(every_order(carrier.fetch, {"createdDateFrom": "2026-11-23", "createdDateTo": "2026-11-23"}, TODAY)) == 300
    )


def test_a_range_that_was_given_is_kept() -> None:
    orders = [order(place, TODAY - timedelta(days=place)) for place in range(100)]
    filters = {"createdDateFrom": "2026-10-01", "createdDateTo": "2026-10-30"}
    found = every_order(Carrier(orders, 10).fetch, filters, TODAY)
    assert {(one.created_at or "")[:7] for one in found} == {"2026-10"}
    assert len(found) == 30


@pytest.mark.parametrize("ignores", [("createdDateFrom", "createdDateTo"), ("orderIdFragment",)])
def test_a_carrier_that_does_not_narrow_is_found_out(ignores: tuple[str, ...]) -> None:
    carrier = Carrier([order(place, TODAY) for place in range(50)], 10, ignores=ignores)
    with pytest.raises(Permanent) as caught:
        every_order(carrier.fetch, {}, TODAY)
    assert caught.value.code == "list_incomplete"
    assert carrier.calls < 200


def test_orders_that_do_not_say_when_are_kept() -> None:
    def fetch(filters: Filters) -> OrderPage:
        return OrderPage(tuple(Order(order_id=str(place), status="") for place in range(1 if len(filters) else 10)))

    assert len(every_order(fetch, {}, TODAY)) == 10


LISTED = (
    "<L>"
    + "".join(
        f"<O><OrderId>{place}</OrderId><CustomerOrderId>{name}</CustomerOrderId></O>"
        for place, name in enumerate(["tn-1", "tn-10", "x tn-1", ""])
    )
    + "</L>"
)


def test_a_carrier_that_matches_customer_order_ids_in_part_is_corrected(dashboard: Callable[..., Any]) -> None:
    client, _ = dashboard(Reply(200, {}, LISTED.encode()))
    assert [one.order_id for one in client.list_orders(5, customer_order_id=" tn-1")] == ["0"]
    assert len(client.list_orders(5)) == 4


def test_a_listing_by_customer_order_id_that_may_lack_one_is_no_answer(dashboard: Callable[..., Any]) -> None:
    counted = LISTED.replace("<L>", "<L><TotalCount>5</TotalCount>")
    client, sent = dashboard(Reply(200, {}, counted.encode()))
    with pytest.raises(Permanent) as caught:
        client.list_orders(5, customer_order_id="tn-9")
    assert caught.value.code == "list_incomplete"
    assert len(sent.requests) < 50
    assert client.list_orders(5, customer_order_id="tn-10")


def test_the_time_of_a_listing_is_shared_by_its_calls(dashboard: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(order_listing, "PAGE", 2)
    client, sent = dashboard(Reply(200, {}, LISTED.encode()), Reply(500, {}, b""))
    with pytest.raises(CarrierError):
        client.list_orders(5)
    assert 5 >= sent.timeouts[0] > sent.timeouts[1] > 0
