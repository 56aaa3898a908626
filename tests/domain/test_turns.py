from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.turns import Turns

owned = st.lists(st.tuples(st.sampled_from("abcd"), st.integers()), max_size=40)
served_before = st.dictionaries(st.sampled_from("abcd"), st.floats(0, 100))


def owner(item: tuple[str, int]) -> str:
    return item[0]


def drain(turns: Turns[tuple[str, int]]) -> list[tuple[str, int]]:
    items = []
    while (item := turns.next()) is not None:
        items.append(item)
    return items


@given(owned, served_before)
def test_everything_is_handed_out_once_and_each_owner_keeps_its_order(
    items: list[tuple[str, int]], served: dict[str, float]
) -> None:
    found = drain(Turns(items, owner, served))
    for name in "abcd":
        assert [item for item in found if owner(item) == name] == [item for item in items if owner(item) == name]


@given(owned, served_before)
def test_nobody_is_served_twice_before_everybody_who_waits_was_served_once(
    items: list[tuple[str, int]], served: dict[str, float]
) -> None:
    found = drain(Turns(items, owner, served))
    left, had = Counter(map(owner, items)), Counter[str]()
    for item in found:
        assert all(had[owner(item)] <= had[name] for name in left if left[name])
        had[owner(item)] += 1
        left[owner(item)] -= 1


@given(owned, served_before)
def test_whoever_was_served_longest_ago_or_never_begins(items: list[tuple[str, int]], served: dict[str, float]) -> None:
    first = Turns(items, owner, served).next()
    if first is not None:
        since = {name: served.get(name, float("-inf")) for name in map(owner, items)}
        assert since[owner(first)] == min(since.values())


def test_what_is_put_back_comes_again_at_its_owners_next_turn() -> None:
    turns = Turns([("a", 1), ("b", 2), ("a", 3)], owner, {})
    first = turns.next()
    turns.put_back(("a", 9))
    assert first == ("a", 1)
    assert drain(turns) == [("b", 2), ("a", 9), ("a", 3)]


def test_the_last_item_can_be_put_back_for_ever() -> None:
    turns = Turns([("a", 0)], owner, {})
    for index in range(5):
        assert turns.next() == ("a", index)
        turns.put_back(("a", index + 1))
