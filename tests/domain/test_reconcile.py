from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.reconcile import FINISHED, WHOLE_FAILURES, fates


@dataclass(frozen=True)
class Error:
    """An error of an order as the carrier groups them."""

    code: str
    numbers: tuple[str, ...] = ()
    description: str = "The carrier's words."


WORDS = "The carrier's words."
tns = st.sampled_from(["9192380000", "9192380001", "9192380002", "9192380003", "2025550100"])
errors = st.lists(st.builds(Error, st.sampled_from(["5012", "5023"]), st.lists(tns, max_size=3).map(tuple)), max_size=4)
statuses = st.sampled_from(sorted(FINISHED))


@given(st.frozensets(tns), statuses, st.lists(tns), errors)
def test_every_number_of_ours_has_exactly_one_fate(
    ours: frozenset[str], status: str, listed: list[str], named: list[Error]
) -> None:
    found = fates(ours, status, listed, named)
    parts = [found.good, found.failed.keys(), found.unaccounted]
    assert sum(map(len, parts)) == len(ours)
    assert frozenset().union(*parts) == ours


@given(st.frozensets(tns), statuses, st.lists(tns), errors)
def test_a_number_named_by_an_error_has_failed_wherever_else_it_stands(
    ours: frozenset[str], status: str, listed: list[str], named: list[Error]
) -> None:
    found = fates(ours, status, listed, named)
    for error in named:
        for tn in set(error.numbers) & ours:
            assert found.failed[tn][0] in {one.code for one in named if tn in one.numbers}


@given(st.frozensets(tns), statuses, st.lists(tns), errors)
def test_a_number_is_good_only_if_it_is_listed_and_no_error_names_it(
    ours: frozenset[str], status: str, listed: list[str], named: list[Error]
) -> None:
    found = fates(ours, status, listed, named)
    if status in WHOLE_FAILURES:
        assert not found.good
    assert found.good <= set(listed) - {tn for error in named for tn in error.numbers}
    if status == "PARTIAL" and ours:
        assert found.good != ours, "PARTIAL says that something went wrong"


@given(st.frozensets(tns, min_size=1), st.sampled_from(["COMPLETE", "PARTIAL"]), st.booleans(), st.data())
def test_what_is_listed_and_not_blamed_is_good(
    ours: frozenset[str],
    status: str,
    at_large: bool,
    data: st.DataObject,
) -> None:
    bad = data.draw(st.frozensets(st.sampled_from(sorted(ours)), min_size=status == "PARTIAL"))
    named = [Error("5023", (tn,)) for tn in bad] + [Error("25060")] * at_large
    listed = data.draw(st.sets(st.sampled_from(sorted(ours))))
    found = fates(ours, status, listed, named)
    assert (found.good, found.unaccounted) == (listed - bad, ours - bad - listed)


ONE, TWO = "9192380000", "9192380001"


@pytest.mark.parametrize(
    ("status", "listed", "named", "good", "failed", "unaccounted"),
    [
        ("COMPLETE", [ONE, TWO], [], {ONE, TWO}, {}, set()),
        ("COMPLETE", [ONE], [], {ONE}, {}, {TWO}),
        ("COMPLETE", [], [], set(), {}, {ONE, TWO}),
        ("PARTIAL", [ONE, TWO], [Error("5012", (TWO,))], {ONE}, {TWO: "5012"}, set()),
        ("PARTIAL", [ONE], [Error("5012", (TWO,))], {ONE}, {TWO: "5012"}, set()),
        ("PARTIAL", [ONE], [], {ONE}, {}, {TWO}),
        ("PARTIAL", [ONE, TWO], [], set(), {}, {ONE, TWO}),
        ("PARTIAL", [ONE, TWO], [Error("25060")], set(), {}, {ONE, TWO}),
        ("PARTIAL", [ONE], [Error("5012")], {ONE}, {}, {TWO}),
        ("PARTIAL", [ONE, TWO], [Error("5012", (TWO,)), Error("25060")], {ONE}, {TWO: "5012"}, set()),
        ("PARTIAL", [ONE, TWO], [Error("7201", ("91923",))], set(), {}, {ONE, TWO}),
        ("COMPLETE", [ONE, TWO], [Error("25060")], {ONE, TWO}, {}, set()),
        ("FAILED", [ONE, TWO], [Error("5012", (ONE, TWO))], set(), {ONE: "5012", TWO: "5012"}, set()),
        ("FAILED", [], [Error("12024")], set(), {ONE: "12024", TWO: "12024"}, set()),
        ("FAILED", [], [Error("5012", (ONE,)), Error("12024")], set(), {ONE: "5012", TWO: "12024"}, set()),
        ("FAILED", [], [Error("5012", (ONE,))], set(), {ONE: "5012", TWO: "5012"}, set()),
        (
            "FAILED",
            [],
            [Error("5012", (ONE,)), Error("5023", ("2025550100",))],
            set(),
            {ONE: "5012", TWO: "order_failed"},
            set(),
        ),
        ("PARTIAL", [ONE, TWO], [Error("", (ONE,))], {TWO}, {ONE: "order_failed"}, set()),
        ("FAILED", [ONE], [], set(), {ONE: "order_failed", TWO: "order_failed"}, set()),
        ("EXCEPTION", [], [], set(), {ONE: "order_failed", TWO: "order_failed"}, set()),
    ],
)
def test_the_carriers_answer_is_read_as_its_guide_says(
    *, status: str, listed: list[str], named: list[Error], good: set[str], failed: dict[str, str], unaccounted: set[str]
) -> None:
    found = fates([ONE, TWO], status, listed, named)
    assert (found.good, found.unaccounted) == (good, unaccounted)
    assert {tn: code for tn, (code, _) in found.failed.items()} == failed


def test_the_carriers_words_are_kept() -> None:
    assert fates([ONE], "PARTIAL", [], [Error("", (ONE,))]).failed == {ONE: ("order_failed", WORDS)}
    assert fates([ONE], "FAILED", [], [Error("12024")]).failed == {ONE: ("12024", WORDS)}
