import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.life import (
    AT_CARRIER,
    FINAL,
    GOOD,
    NUMBER_MOVES,
    OPEN,
    ORDER_MOVES,
    UNFINISHED_ORDERS,
    Action,
    IllegalMove,
    ImportFacts,
    ImportState,
    NumberEvent,
    NumberState,
    OrderState,
    Outcome,
    import_state,
    move,
    seen_as,
)
from tnimport.domain.webhooks import DeliveryState

N, E, O = NumberState, NumberEvent, OrderState  # noqa: E741 - short for tables of moves
EVERY = list(product(NumberState, NumberEvent, Action))


def test_a_final_state_stays_and_an_open_one_moves_legally_or_not_at_all() -> None:
    assert [one for one in EVERY if not is_right(*one)] == []


def is_right(state: NumberState, event: NumberEvent, action: Action) -> bool:
    try:
        after = move(state, event, action)
    except IllegalMove:
        return state in OPEN and (state, event) not in NUMBER_MOVES
    if state in FINAL:
        return after is state or (state, event, after) == (N.IMPORTED, E.VERIFIED, N.VERIFIED)
    return after is not state


def test_a_removal_differs_only_in_how_its_order_ends() -> None:
    def moved(state: NumberState, event: NumberEvent, action: Action) -> NumberState | None:
        try:
            return move(state, event, action)
        except IllegalMove:
            return None

    pairs = product(NumberState, NumberEvent)
    differing = {pair for pair in pairs if moved(*pair, Action.IMPORT) != moved(*pair, Action.REMOVE)}
    assert differing == {(N.ORDERED, E.ORDER_GOOD), (N.ORDERED, E.ORDER_WITHDRAWN)}
    assert move(N.ORDERED, E.ORDER_GOOD, Action.REMOVE) is N.REMOVED
    assert move(N.ORDERED, E.ORDER_WITHDRAWN, Action.REMOVE) is N.RELEASED


def reachable(action: Action) -> set[NumberState]:
    found, todo = set(), {N.REQUESTED}
    while todo:
        state = todo.pop()
        found.add(state)
        for event in NumberEvent:
            try:
                after = move(state, event, action)
            except IllegalMove:
                continue
            todo |= {after} - found
    return found


def test_every_state_is_reached_by_one_of_the_actions() -> None:
    assert reachable(Action.IMPORT) | reachable(Action.REMOVE) == set(NumberState)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_number_can_fail_and_can_be_cancelled(state: NumberState) -> None:
    assert move(state, E.STEP_FAILED) is N.FAILED
    assert move(state, E.CANCELLED) is N.CANCELLED


def test_states_are_open_or_final_and_good_ones_are_final() -> None:
    assert frozenset(NumberState) == OPEN | FINAL
    assert not OPEN & FINAL
    assert GOOD < FINAL


def seen(outcome: Outcome, order: OrderState) -> NumberState | None:
    try:
        return seen_as(outcome, order)
    except KeyError:
        return None


OWN = [outcome for outcome in Outcome if outcome not in {Outcome.OPEN, Outcome.RELEASED}]


@pytest.mark.parametrize(("outcome", "order"), list(product(OWN, OrderState)))
def test_a_number_with_an_outcome_of_its_own_is_that_wherever_its_order_stands(
    outcome: Outcome, order: OrderState
) -> None:
    assert seen_as(outcome, order).value == outcome.value
    assert seen_as(outcome, order) in FINAL


# A removal's order that is done without having been accepted has nothing left: all its numbers failed before.
EMPTIED = {(Outcome.RELEASED, before, O.DONE) for before in (O.RELEASING, O.SUBMITTING)}
MOVED = [
    (outcome, before, after)
    for outcome in (Outcome.OPEN, Outcome.RELEASED)
    for before, targets in ORDER_MOVES.items()
    for after in sorted(targets)
    if seen(outcome, before) and seen(outcome, after) and (outcome, before, after) not in EMPTIED
]


@pytest.mark.parametrize(("outcome", "before", "after"), MOVED)
def test_a_move_of_an_order_is_a_legal_move_of_its_numbers(
    outcome: Outcome, before: OrderState, after: OrderState
) -> None:
    action = Action.REMOVE if outcome is Outcome.RELEASED else Action.IMPORT
    was, now = seen_as(outcome, before), seen_as(outcome, after)

    def leads(event: NumberEvent) -> bool:
        try:
            return move(was, event, action) is now
        except IllegalMove:
            return False

    assert was is now or any(map(leads, NumberEvent))


@pytest.mark.parametrize("order", sorted(UNFINISHED_ORDERS))
def test_an_open_number_of_an_unfinished_order_is_open(order: OrderState) -> None:
    assert seen_as(Outcome.OPEN, order) in OPEN


@pytest.mark.parametrize("order", sorted(frozenset(OrderState) - UNFINISHED_ORDERS))
def test_a_finished_order_goes_nowhere_and_has_no_open_number(order: OrderState) -> None:
    assert not ORDER_MOVES[order]
    assert not {seen(Outcome.OPEN, order), seen(Outcome.RELEASED, order)} & OPEN


def test_orders_at_the_carrier_are_unfinished() -> None:
    assert AT_CARRIER < UNFINISHED_ORDERS


events = st.lists(st.tuples(st.sampled_from(list(NumberEvent)), st.integers(0, 9)), max_size=40)


@given(st.lists(st.sampled_from(sorted(OPEN)), max_size=10), events, st.sampled_from(list(Action)))
def test_whatever_happens_to_numbers_their_sum_stays(
    numbers: list[NumberState], happening: list[tuple[NumberEvent, int]], action: Action
) -> None:
    books = Counter(numbers)
    for event, index in happening:
        if index < len(numbers):
            before = numbers[index]
            try:
                numbers[index] = move(before, event, action)
            except IllegalMove:
                continue
            books[before] -= 1
            books[numbers[index]] += 1
    assert books.total() == len(numbers)
    assert +books == Counter(numbers)


def facts(counts: dict[NumberState, int], **flags: object) -> ImportFacts:
    return ImportFacts(counts=counts, **flags)  # type: ignore[arg-type]  # flags by name


S = ImportState
RULES = [
    ({N.REQUESTED: 3}, {}, S.QUEUED),
    ({N.REQUESTED: 3}, {"started": True}, S.RUNNING),
    ({N.REQUESTED: 2, N.RELEASED: 1}, {}, S.RUNNING),
    ({N.REQUESTED: 3}, {"paused": True}, S.PAUSED),
    ({N.REQUESTED: 3}, {"paused": True, "held": True}, S.HELD),
    ({N.AVAILABLE: 3}, {"held": True, "cancel_asked": True}, S.HELD),
    ({N.IMPORTED: 3}, {}, S.COMPLETE),
    ({N.IMPORTED: 3}, {"cancel_asked": True}, S.COMPLETE),
    ({N.IMPORTED: 1, N.PRESENT: 1, N.VERIFIED: 1, N.REMOVED: 1}, {"held": True}, S.COMPLETE),
    ({N.IMPORTED: 1, N.FAILED: 1}, {}, S.PARTIAL),
    ({N.IMPORTED: 1, N.UNACCOUNTED: 1}, {}, S.PARTIAL),
    ({N.FAILED: 2}, {}, S.FAILED),
    ({N.IMPORTED: 1, N.FAILED: 1, N.CANCELLED: 1}, {"cancel_asked": True}, S.CANCELLED),
    ({N.IMPORTED: 1}, {"rejected": 5}, S.COMPLETE),
    ({N.IMPORTED: 3}, {"verifying": True}, S.RUNNING),
    ({N.VERIFIED: 2, N.IMPORTED: 1}, {"verifying": True, "paused": True}, S.PAUSED),
    ({N.IMPORTED: 3, N.FAILED: 1}, {"verifying": True, "held": True}, S.HELD),
    ({N.IMPORTED: 3}, {"verifying": True, "paused": True, "cancel_asked": True}, S.RUNNING),
    ({}, {"rejected": 5}, S.FAILED),
    ({}, {}, S.COMPLETE),
]


@pytest.mark.parametrize(("counts", "flags", "state"), RULES)
def test_the_state_of_an_import_follows_from_its_counters_and_flags(
    counts: dict[NumberState, int], flags: dict[str, object], state: ImportState
) -> None:
    assert import_state(facts(counts, **flags)) is state


ENDED = {S.COMPLETE, S.PARTIAL, S.FAILED, S.CANCELLED}
FLAGS = ("started", "paused", "held", "cancel_asked", "verifying")
flags = st.fixed_dictionaries(dict.fromkeys(FLAGS, st.booleans()))


@given(st.dictionaries(st.sampled_from(list(NumberState)), st.integers(0, 3)), flags, st.integers(0, 2))
def test_an_import_has_ended_exactly_when_none_of_its_numbers_is_open_or_to_be_proven(
    counts: dict[NumberState, int], set_flags: dict[str, bool], rejected: int
) -> None:
    state = import_state(facts(counts, rejected=rejected, **set_flags))
    assert (state in ENDED) is not (set_flags["verifying"] or any(counts.get(one) for one in OPEN))


# The page.

PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text()


def arrows(title: str) -> set[tuple[str, str, str]]:
    """The arrows of the diagram under a title: from, to, by what."""
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    drawn = re.findall(r"^ +(\w+) --> (\w+)(?:: (\w+))?$", section, re.MULTILINE)
    return {(start, end, label) for start, end, label in drawn}


def listed(title: str) -> list[str]:
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_page_draws_every_move_of_a_number() -> None:
    moves = {(state.value, after.value, event.value) for (state, event), after in NUMBER_MOVES.items()}
    removal = {("ordered", "removed", "order_good"), ("ordered", "released", "order_withdrawn")}
    assert arrows("Numbers") == moves | removal


def test_the_page_draws_every_move_of_an_order() -> None:
    moves = {(state.value, after.value, "") for state, targets in ORDER_MOVES.items() for after in targets}
    assert arrows("Orders") == moves


@pytest.mark.parametrize(
    ("title", "states"),
    [("Numbers", NumberState), ("Orders", OrderState), ("Imports", ImportState), ("Webhooks", DeliveryState)],
)
def test_the_page_explains_every_state_once(title: str, states: type[NumberState]) -> None:
    assert listed(title) == [state.value for state in states]
