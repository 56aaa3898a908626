"""A checker that finds nothing proves nothing: each of them finds what is planted for it, and only that."""

from collections.abc import Callable
from copy import deepcopy
from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tests.torture.checkers import Evidence, judge
from tests.torture.conftest import SEEDS
from tests.torture.faults import EFFECTS, LOSSES, Kind, kinds, sure
from tests.torture.mailed import Mailed, Webhook
from tests.torture.rows import FATES, Wish, fate, removal, wishes
from tests.torture.run import Run
from tests.torture.schedule import Fault, deal
from tests.torture.test_torture import LENGTHS
from tests.torture.watch import Lateness

if TYPE_CHECKING:
    from tests.torture.mail import Mail
    from tests.torture.stand import Stand

GOOD, BAD = "9192002000", "9192000935"
OTHERS = {"rows": 5, "rejected": 1, "duplicate": 1, "blank": 1}
ONCE = {"orders": 1, "removals": 0, "imports": 1, "deletes": 0, "most_resources": 1}


def fine() -> Evidence:
    """What is to be seen after an import of one good and one bad number."""
    rows = [
        (f"+1{GOOD}", "imported", None, "n-1"),
        (f"+1{BAD}", "failed", "validation-error", None),
        ("12345", "rejected", "too_short", None),
        (f"+1{GOOD}", "duplicate", None, None),
    ]
    keys = ("number", "state", "code", "number_id")
    refused = (("rejected", "12345"), ("duplicate", GOOD), ("blank", ""))
    return Evidence(
        wishes={"imp_1": Wish(ref="one", numbers=(GOOD, BAD), refused=refused, options={"account": "default"})},
        views={"imp_1": {"counts": {"imported": 1, "failed": 1} | OTHERS, "finished_at": "x", "state": "partial"}},
        rows={"imp_1": [dict(zip(keys, row, strict=True)) for row in rows]},
        work=[],
        effects={GOOD: dict(ONCE), BAD: {**ONCE, "imports": 0, "most_resources": 0}},
        resources=[{"user": "u-1", "number": f"+1{GOOD}", "id": "n-1"}],
        in_service={GOOD, BAD},
        orders=[{"customer_order_id": "r-1"}],
        applications=[{"user": "u-1", "name": "one"}],
        claim_seconds=3,
        mail=Mailed(
            asked={"out-1", "out-2", "out-3"},
            messages={"out-1": "sent", "out-2": "unknown", "out-3": "failed"},
            at_carrier=["out-1"],
            answered={"m-1"},
            inbound=[("m-1", "message"), ("m-1", "receipt:delivered")],
            owed={"w-1": ("import.finished", "delivered"), "w-2": ("message.received", "delivered")},
            finished=1,
            told=[Webhook("w-1", b"one"), Webhook("w-2", b"two"), Webhook("w-2", b"two")],
        ),
        canaries=("canary",),
        texts={"worker.log": "all is well"},
    )


def test_of_a_run_that_went_well_no_checker_finds_anything() -> None:
    assert not any(judge(fine()).values())


def _row(seen: Evidence, place: int, **values: object) -> None:
    seen.rows["imp_1"][place].update(values)


PLANTED: dict[str, tuple[str, Callable[[Evidence], object]]] = {
    "a row that was dropped": ("conservation", lambda seen: seen.rows["imp_1"].pop()),
    "a counter that is wrong": ("conservation", lambda seen: seen.views["imp_1"]["counts"].update(imported=2)),
    "a row that came twice": ("conservation", lambda seen: seen.rows["imp_1"].append(seen.rows["imp_1"][0])),
    "a rejected row that was dropped": ("conservation", lambda seen: _row(seen, 2, state="duplicate")),
    "a rejected row that changed": ("conservation", lambda seen: _row(seen, 2, number="1234")),
    "a duplicate that became a number": ("conservation", lambda seen: _row(seen, 3, state="imported")),
    "blank rows that nobody counted": (
        "conservation",
        lambda seen: seen.views["imp_1"]["counts"].update(blank=0, rows=4),
    ),
    "imported here only": ("lost", lambda seen: seen.resources.clear()),
    "imported there only": ("lost", lambda seen: seen.resources.append({"number": f"+1{BAD}", "id": "n-2"})),
    "another id": ("lost", lambda seen: _row(seen, 0, number_id="n-9")),
    "an import that never ends": ("lost", lambda seen: seen.views["imp_1"].update(finished_at=None)),
    "two resources at once": ("doubled", lambda seen: seen.effects[GOOD].update(most_resources=2)),
    "imported twice": ("doubled", lambda seen: seen.effects[GOOD].update(imports=2)),
    "ordered twice": ("doubled", lambda seen: seen.effects[BAD].update(orders=2)),
    "one reference, two orders": ("doubled", lambda seen: seen.orders.append(seen.orders[0])),
    "an application made twice": ("doubled", lambda seen: seen.applications.append(seen.applications[0])),
    "a good number failed": ("unexplained", lambda seen: _row(seen, 0, code="http_500")),
    "cancelled by nobody": ("unexplained", lambda seen: _row(seen, 0, state="cancelled", code="cancelled")),
    "cancelled here, imported there": ("lost", lambda seen: _row(seen, 0, state="cancelled", number_id=None)),
    "work that is left": ("claims", lambda seen: seen.work.append({"id": 1})),
    "a claim that outlived its time": ("claims", lambda seen: setattr(seen, "overdue", 20.0)),
    "a stack that slept on": ("recovery", lambda seen: setattr(seen, "recovered_after", 18.5)),
    "a message sent twice": ("sent_once", lambda seen: seen.mail.at_carrier.append("out-1")),
    "a message of unknown outcome sent twice": ("sent_once", lambda seen: seen.mail.at_carrier.extend(["out-2"] * 2)),
    "a message that failed and was sent": ("sent_once", lambda seen: seen.mail.at_carrier.append("out-3")),
    "a message that was sent and is not there": ("sent_once", lambda seen: seen.mail.at_carrier.clear()),
    "a message that was accepted and forgotten": ("sent_once", lambda seen: seen.mail.messages.pop("out-1")),
    "a message that waits for ever": ("sent_once", lambda seen: seen.mail.messages.update({"out-1": "queued"})),
    "a message answered and lost": ("received", lambda seen: seen.mail.answered.add("m-2")),
    "a message stored twice": ("received", lambda seen: seen.mail.inbound.append(("m-1", "message"))),
    "an end that nobody was told of": ("told", lambda seen: seen.mail.owed.pop("w-1")),
    "a webhook that never came": ("told", lambda seen: seen.mail.told.pop(0)),
    "a webhook that changed": ("told", lambda seen: seen.mail.told.append(Webhook("w-1", b"else"))),
    "a webhook that was given up": ("told", lambda seen: seen.mail.owed.update({"w-1": ("import.finished", "failed")})),
    "a secret in a log": ("secrets", lambda seen: seen.texts.update({"web.log": "my canary sings"})),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_by_its_checker(planted: str) -> None:
    checker, plant = PLANTED[planted]
    seen = deepcopy(fine())
    plant(seen)
    assert judge(seen)[checker]


def test_a_number_that_is_parked_is_neither_lost_nor_unexplained() -> None:
    seen = fine()
    seen.rows["imp_1"][1].update(code="needs_attention")
    seen.resources.append({"user": "u-1", "number": f"+1{BAD}", "id": "n-2"})
    assert not any(judge(seen).values())


def test_what_a_cancel_left_undone_is_explained() -> None:
    seen = fine()
    seen.cancelled = {"imp_1"}
    seen.views["imp_1"]["counts"] = {"cancelled": 1, "failed": 1} | OTHERS
    _row(seen, 0, state="cancelled", code="cancelled", number_id=None)
    seen.resources.clear()
    assert not any(judge(seen).values())


def test_the_last_import_of_a_number_tells_its_fate() -> None:
    seen = fine()
    first = seen.wishes["imp_1"]
    seen.wishes["imp_2"] = removal(first)
    seen.views["imp_2"] = {"counts": {"rows": 1, "removed": 1}, "finished_at": "x"}
    seen.rows["imp_2"] = [{"number": f"+1{GOOD}", "state": "removed", "code": None, "number_id": None}]
    seen.resources.clear()
    seen.in_service.discard(GOOD)
    seen.effects[GOOD].update(removals=1, deletes=1)
    assert not any(judge(seen).values())
    seen.in_service.add(GOOD)
    assert judge(seen)["lost"]


def test_one_seed_deals_the_same_faults_every_time_and_another_seed_others() -> None:
    kinds = {"kill": ("worker", "web"), "cut": ("a", "b", "c"), "flush": ("",)}
    dealt = [deal(seed, kinds, count=12, seconds=60) for seed in (1, 1, 2)]
    assert dealt[0] == dealt[1] != dealt[2]
    assert sorted(dealt[0]) == dealt[0]
    assert {fault.kind for fault in dealt[0][:3]} == kinds.keys()
    assert all(0 <= fault.at <= 60 and fault.argument in kinds[fault.kind] for fault in dealt[0])


def test_three_seeds_lose_the_answer_of_every_effect_in_every_way() -> None:
    run = LENGTHS["long"]
    every = {name: kind.arguments for name, kind in kinds(redis_hang=run.hang, lock=run.lock).items()}
    dealt = [deal(one, every, count=run.faults, seconds=run.seconds, sure=sure(one)) for one in SEEDS["long"]]
    for faults in dealt:
        assert {fault.kind for fault in faults} == every.keys()
    pairs = {(fault.kind, fault.argument) for faults in dealt for fault in faults}
    assert pairs >= {*product(LOSSES, EFFECTS)}


def test_time_counts_against_a_claim_only_while_somebody_serves() -> None:
    late = Lateness()
    late.seen(100.0, 90.0, serving=False)
    late.seen(110.0, 90.0, serving=True)
    late.seen(114.0, 90.0, serving=True)
    assert late.longest == 4.0
    late.seen(115.0, None, serving=True)
    late.seen(120.0, 113.0, serving=True)
    assert late.longest == 7.0
    late.seen(130.0, 113.0, serving=False)
    late.seen(131.0, 113.0, serving=True)
    assert late.longest == 7.0


class Standstill:
    """A stand on which nothing moves; two of the carrier's three faults were met, and no import ran to be told."""

    def __init__(self, *, over: bool) -> None:
        self.left = 0 if over else 3
        met = ({"met": 1}, {"met": 0}, {"met": 2})
        self.sandbox = SimpleNamespace(release=lambda: None, state=lambda _: {"faults": met})

    def ask(self, query: str) -> list[dict[str, int]]:
        return [{"n": self.left}] if "count" in query else []

    def mend(self) -> None:
        pass

    def started(self, name: str) -> None:
        pass


@pytest.fixture
def standstill() -> Callable[..., Run]:
    def make(*, over: bool = False, **kinds: Kind) -> Run:
        mail = SimpleNamespace(go_on=lambda: None, quiet=lambda: True)
        return Run(cast("Stand", Standstill(over=over)), kinds, [], cast("Mail", mail))

    return make


@pytest.mark.parametrize("over", [False, True])
def test_a_stack_on_which_nothing_ever_moves_again_has_not_recovered(
    standstill: Callable[..., Run], over: bool
) -> None:
    run = standstill(over=over)
    run.go([], 0, patience=0.1)
    assert (run.recovered_after > 0.1) is not over


def test_a_fault_counts_as_bitten_when_it_did_something(standstill: Callable[..., Run]) -> None:
    rule = Kind(lambda *_: None, (), is_rule=True)
    run = standstill(over=True, rule=rule, told=Kind(lambda *_: False, ()), kill=Kind(lambda *_: None, ()))
    struck = [("rule", "a"), ("rule", "b"), ("rule", "c"), ("told", ""), ("kill", "")]
    run.go([Fault(0, *fault) for fault in struck], 0, 0)
    assert run.done == {"rule": 3, "told": 1, "kill": 1}
    assert run.bitten == {"rule": 2, "kill": 1}
    assert run.met == {("rule", "a"), ("rule", "c")}


@pytest.mark.parametrize("dice", range(5))
def test_the_imports_of_a_run_hold_each_number_once_and_fates_for_all(dice: int) -> None:
    made = wishes(dice, total=500, most=100)
    numbers = [number for wish in made for number in wish.numbers]
    assert len(set(numbers)) == len(numbers) >= 500
    assert {kind for wish in made for kind, _ in wish.refused} == {"rejected", "duplicate", "blank"}
    assert all(len(wish.body["numbers"]) == len(wish.numbers) + len(wish.refused) for wish in made)
    assert {wish.options["account"] for wish in made} == {"default", "second"}
    assert all(
        fate(wish, number) == FATES.get(number[-4:], ("imported", None)) for wish in made for number in wish.numbers
    )
