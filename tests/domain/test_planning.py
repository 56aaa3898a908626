from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.planning import OpenOrder, Planner, kind_of

numbers = st.lists(st.sampled_from(["919", "415", "800", "888"]).map(lambda area: f"{area}5551234"), max_size=60)


@given(numbers, st.integers(1, 12))
def test_orders_hold_one_kind_keep_to_the_size_and_only_the_last_of_a_kind_is_short(
    given: list[str], size: int
) -> None:
    planner = Planner(size)
    orders: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number in given:
        seq, pos = planner.place(number)
        orders[seq].append((pos, kind_of(number)))
    assert sorted(orders) == list(range(planner.orders))
    assert all([pos for pos, _ in order] == list(range(len(order))) for order in orders.values())
    assert all(len(order) <= size and len({kind for _, kind in order}) == 1 for order in orders.values())
    last = {order[0][1]: seq for seq, order in orders.items()}
    assert all(len(order) == size for seq, order in orders.items() if seq not in last.values())
    assert sorted(planner.open_orders(), key=lambda order: order.seq) == [
        OpenOrder(seq, orders[seq][0][1], len(orders[seq])) for seq in sorted(last.values())
    ]


def test_a_new_order_opens_when_the_first_of_its_kind_comes_and_when_one_is_full() -> None:
    planner = Planner(2)
    coming = ["9195551234", "8005551234", "9195551235", "9195551236", "8005551235"]
    assert [planner.place(number) for number in coming] == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1)]


def test_a_plan_without_numbers_has_no_order() -> None:
    planner = Planner(1000)
    assert planner.orders == 0
    assert list(planner.open_orders()) == []


@pytest.mark.parametrize("size", [0, -1])
def test_an_order_without_room_is_no_order(size: int) -> None:
    with pytest.raises(ValueError, match="at least one number"):
        Planner(size)
