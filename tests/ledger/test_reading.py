from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledger.conftest import ACCOUNT, statements
from tnimport.domain import pacing
from tnimport.domain.accounts import Paces
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, NumberState
from tnimport.domain.reconcile import Fates
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports import applications, control, polling, submitting
from tnimport.ledger.imports.closing import hold
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.outcomes import Present
from tnimport.ledger.imports.staging import RefusedRow
from tnimport.ledger.reading import listing, reads

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk

ROWS = [
    RefusedRow(line=101, kind="rejected", text="123", code="too_short", description="Too short."),
    RefusedRow(line=102, kind="duplicate", text="+19192380000", first_line=1),
    RefusedRow(line=103, kind="rejected", text="abc", code="no_digits"),
]


@pytest.fixture(autouse=True)
def _whole_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small imports go out whole, so that a run meets many numbers; how grants shrink is the domain's test."""
    monkeypatch.setattr(pacing, "GRANT_LEAST", pacing.GRANT_MOST)


@pytest.fixture
def mixed(desk: Desk) -> str:
    """An import with numbers in many states: three orders of three and three refused rows."""
    import_id = desk.accept(9, 3, ROWS)
    bad = {"9192380001": ("5012", "Not portable.")}
    fates = Fates(frozenset({"9192380000"}), bad, frozenset({"9192380002"}))
    polling.ended(desk.ledger, desk.accepted(desk.run(Lane.DASHBOARD)), "PARTIAL", fates)
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    run = desk.run(Lane.NUMBERS)
    assert run.first == 0
    desk.record(run, Flush(settled=[Present(0, "n-0", 1)], first=run.last, last=True))
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0), desk.failed(1)], first=2, last=True))
    return import_id


def everything(desk: Desk, import_id: str, limit: int, **wanted: str) -> list[listing.NumberView]:
    found, after = listing.numbers_page(desk.ledger, import_id, limit=limit, **wanted)
    while after is not None:
        page, after = listing.numbers_page(desk.ledger, import_id, limit=limit, after=after, **wanted)
        assert page
        found += page
    return found


def test_pages_of_any_size_hold_every_row_once(desk: Desk, mixed: str) -> None:
    lines = [*range(1, 10), 101, 102, 103]
    for limit in (1, 2, 3, 8, 9, 10, 11, 12, 100):
        assert [view.line for view in everything(desk, mixed, limit)] == lines
    assert lines == [view.line for view in listing.stream_numbers(desk.ledger, mixed)]


def test_the_states_of_the_numbers_are_the_counters(desk: Desk, mixed: str) -> None:
    states = [view.state for view in everything(desk, mixed, 100)]
    assert {state: states.count(state) for state in set(states)} == desk.counts(mixed)


def test_numbers_are_found_by_state(desk: Desk, mixed: str) -> None:
    views = everything(desk, mixed, 100)
    for state in (*NumberState, "rejected", "duplicate"):
        assert everything(desk, mixed, 1, state=state) == [view for view in views if view.state == state]


def test_numbers_are_found_by_code(desk: Desk, mixed: str) -> None:
    lines = {"5012": [2], "unaccounted": [3], "present": [1], "no_digits": [103], "nothing": []}
    for code, expected in lines.items():
        assert [view.line for view in everything(desk, mixed, 1, code=code)] == expected


def test_a_number_tells_where_and_why_it_failed(desk: Desk, mixed: str) -> None:
    (view,) = everything(desk, mixed, 10, code="5012")
    assert (view.number, view.state, view.stage) == ("+19192380001", "failed", "order")
    assert (view.description, view.attempts) == ("Not portable.", 1)


def test_numbers_that_failed_with_their_order_tell_its_reason(desk: Desk) -> None:
    import_id = desk.accept(2, application=desk.wish(name="ours", url="https://us"))
    applications.refused(desk.ledger, desk.run(Lane.APPLICATIONS), "invalid-url", "No such address.")
    for wanted in ({}, {"state": "failed"}, {"code": "invalid-url"}):
        views = everything(desk, import_id, 1, **wanted)
        assert [(view.stage, view.code, view.description) for view in views] == [
            ("application", "invalid-url", "No such address.")
        ] * 2


def test_a_cancelled_number_has_no_reason(desk: Desk) -> None:
    import_id = desk.accept(1)
    control.cancel(desk.ledger, import_id)
    (view,) = everything(desk, import_id, 10)
    assert (view.state, view.stage, view.code) == ("cancelled", None, None)


def test_the_history_of_a_number_names_every_import_of_it_the_newest_first(desk: Desk, mixed: str) -> None:
    desk.passes(10)
    later = desk.accept(1)
    desk.stage(1)
    history = listing.number_history(desk.ledger, "9192380000")
    assert [entry["import_id"] for entry in history] == [later, mixed]
    assert [entry["number"].state for entry in history] == ["requested", "present"]
    kinds = [event["kind"] for event in history[1]["events"]]
    assert kinds[:4] == ["import_accepted", "order_sending", "order_accepted", "order_ended"]
    assert listing.number_history(desk.ledger, "2025550100") == []


def ends_of(desk: Desk, tn: str) -> list[str]:
    """The kinds of what happened to a number from the end of its order on."""
    kinds = [event["kind"] for event in listing.number_history(desk.ledger, tn)[0]["events"]]
    return kinds[kinds.index("order_ended") :]


def test_the_history_of_a_number_tells_its_own_end_where_it_happened(desk: Desk, mixed: str) -> None:
    ends = {
        "9192380000": ["order_ended", "number_present", "order_done"],
        "9192380001": ["order_ended", "number_failed", "order_done"],
        "9192380002": ["order_ended", "number_unaccounted", "order_done"],
        "9192380003": ["order_ended", "number_imported"],
        "9192380004": ["order_ended", "number_failed"],
        "9192380005": ["order_ended"],
    }
    assert {tn: ends_of(desk, tn) for tn in ends} == ends
    (failed,) = [event for event in listing.number_history(desk.ledger, "9192380001")[0]["events"] if "stage" in event]
    assert (failed["stage"], failed["code"], failed["description"]) == ("order", "5012", "Not portable.")


def test_a_removed_number_changed_when_its_order_ended(desk: Desk) -> None:
    desk.accept(1, action=Action.REMOVE)
    desk.finish(desk.run(Lane.LOOKUPS))
    (released,) = listing.number_history(desk.ledger, "9192380000")
    desk.passes(50)
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    (ordered,) = listing.number_history(desk.ledger, "9192380000")
    desk.passes(50)
    desk.end_well(run)
    (removed,) = listing.number_history(desk.ledger, "9192380000")
    states = [(entry["number"].state, entry["number"].updated_at) for entry in (released, ordered, removed)]
    assert [state for state, _ in states] == ["released", "ordered", "removed"]
    assert states[0][1] < states[1][1] + 50 < states[2][1] + 100
    assert removed["number"].updated_at == removed["events"][-1]["at"]
    assert "number_removed" in [event["kind"] for event in removed["events"]]


def test_a_cancelled_number_changed_when_it_was_cancelled(desk: Desk) -> None:
    import_id = desk.accept(1)
    control.cancel(desk.ledger, import_id)
    (entry,) = listing.number_history(desk.ledger, "9192380000")
    assert "number_cancelled" in [event["kind"] for event in entry["events"]]


def test_the_history_of_a_number_leaves_out_what_concerns_others(desk: Desk) -> None:
    desk.available(2)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(again=[desk.again(1)], first=2, settled=[desk.imported(0)], last=True))
    first, second = (listing.number_history(desk.ledger, tn)[0]["events"] for tn in ("9192380000", "9192380001"))
    assert "number_again" not in {event["kind"] for event in first}
    assert "number_again" in {event["kind"] for event in second}


def test_imports_are_listed_from_the_newest_page_by_page(desk: Desk) -> None:
    ids = []
    for index in range(5):
        ids.insert(0, desk.accept(1, client_ref=f"ref-{index}"))
        desk.passes(1)
    found, after = reads.imports_page(desk.ledger, limit=2)
    while after is not None:
        page, after = reads.imports_page(desk.ledger, after=after, limit=2)
        found += page
    assert [view.id for view in found] == ids
    assert [view.id for view in reads.imports_page(desk.ledger, client_ref="ref-0")[0]] == ids[-1:]


def test_a_page_of_many_imports_asks_no_more_than_a_page_of_few(desk: Desk) -> None:
    def one_of_each() -> None:
        desk.available(3, max_per_minute=60)
        desk.accepted(desk.run(Lane.DASHBOARD)) if desk.accept(2) else None
        desk.accept(2, action=Action.REMOVE)
        desk.accept(2, application=desk.wish(name="ours", url="https://us"))
        control.pause(desk.ledger, desk.accept(1))

    def asked() -> int:
        with statements(desk.ledger) as said:
            found, _ = reads.imports_page(desk.ledger, paces=PACED)
            assert all(view.waiting_on for view in found if view.state == "running")
        return len(said)

    one_of_each()
    few = asked()
    for _ in range(4):
        one_of_each()
    assert asked() == few <= 14


def test_a_page_tells_of_each_import_what_it_tells_of_itself(desk: Desk, mixed: str) -> None:
    desk.available(40, max_per_minute=30)
    desk.accept(4, action=Action.REMOVE)
    control.pause(desk.ledger, desk.accept(1))
    desk.passes(60)
    found, _ = reads.imports_page(desk.ledger, paces=PACED)
    assert len(found) == 4
    for listed in found:
        alone = reads.import_view(desk.ledger, listed.id, PACED)
        assert told(listed) == told(alone), listed.id


def told(view: reads.ImportView) -> tuple[object, ...]:
    """What is read beside the import; times to the second, for they are told as they are now."""
    waits = dict(view.waiting_on or {})
    until = waits.pop("until", None)
    return waits, until and pytest.approx(until, abs=2), view.eta and pytest.approx(view.eta, abs=2)


def test_the_version_of_an_import_changes_whenever_it_does(desk: Desk) -> None:
    import_id = desk.available(3)
    seen = [reads.version(desk.ledger, import_id)]
    assert reads.version(desk.ledger, import_id) == seen[0]
    run = desk.run(Lane.NUMBERS)
    for change in (
        lambda: desk.record(run, Flush(settled=[desk.imported(0)], first=1)),
        lambda: control.pause(desk.ledger, import_id),
        lambda: control.resume(desk.ledger, import_id),
        lambda: desk.record(run, Flush(settled=[desk.imported(1), desk.imported(2)], first=3, last=True)),
    ):
        change()
        seen.append(reads.version(desk.ledger, import_id))
    assert len(set(seen)) == len(seen)
    assert reads.version(desk.ledger, "imp_nobody") is None


def waits_for(desk: Desk, import_id: str) -> str | None:
    view = reads.import_view(desk.ledger, import_id)
    return view.waiting_on["what"] if view.waiting_on else None


def test_an_import_tells_what_it_waits_for(desk: Desk) -> None:
    import_id = desk.accept(3, application=desk.wish(name="ours", url="https://us"))
    assert waits_for(desk, import_id) is None
    control.pause(desk.ledger, import_id)
    assert waits_for(desk, import_id) == "paused"
    control.resume(desk.ledger, import_id)
    desk.claim(Lane.DASHBOARD)
    assert waits_for(desk, import_id) is None
    desk.passes(6)
    assert waits_for(desk, import_id) == "worker"
    desk.back_to_waiting()
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    assert waits_for(desk, import_id) == "carrier_order"
    desk.end_well(run)
    assert waits_for(desk, import_id) == "application"
    applications.ready(desk.ledger, desk.run(Lane.APPLICATIONS), "a-1", added=True)
    assert waits_for(desk, import_id) == "calls"
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], first=1, trouble=Trouble(limited=True)))
    assert waits_for(desk, import_id) == "rate_limit"
    control.cancel(desk.ledger, import_id)
    assert waits_for(desk, import_id) == "cancelling"
    desk.finish(run)
    assert waits_for(desk, import_id) is None


PACED = {ACCOUNT: Paces(numbers_per_minute=60, numbers_burst=10.5, lookups_per_second=1)}


@pytest.mark.parametrize(
    ("paces", "what"), [({}, "calls"), ({ACCOUNT: Paces(numbers_per_minute=0)}, "calls"), (PACED, "pace")]
)
def test_a_pace_is_blamed_only_where_there_is_one(desk: Desk, paces: dict[str, Paces], what: str) -> None:
    import_id = desk.available(40)
    desk.passes(1000)
    view = reads.import_view(desk.ledger, import_id, paces)
    assert view.waiting_on["what"] == what
    ((listed,), _) = reads.imports_page(desk.ledger, paces=paces)
    assert listed.waiting_on["what"] == what
    assert reads.import_view(desk.ledger, desk.available(3), PACED).waiting_on["what"] == "calls"  # the burst is enough


def test_a_pace_tells_when_it_ends_at_the_earliest_and_keeps_its_word(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 1, 10)  # a bucket of 10, one more each second
    import_id = desk.available(40)
    desk.passes(1000)
    told = reads.import_view(desk.ledger, import_id, PACED).waiting_on
    with desk.ledger.read() as tx:
        assert told["until"] - tx.now == pytest.approx(30, abs=1)
    assert (told["left"], told["per_minute"]) == (40, 60)
    desk.finish_all()
    later = reads.import_view(desk.ledger, import_id, PACED).waiting_on
    assert later["left"] == 30
    assert later["until"] == pytest.approx(told["until"], abs=1)


def test_the_pace_that_a_caller_set_is_blamed_where_it_is_the_slower_one(desk: Desk) -> None:
    import_id = desk.available(40, max_per_minute=30)
    assert reads.import_view(desk.ledger, import_id, PACED).waiting_on["per_minute"] == 30
    unlimited = {ACCOUNT: Paces(numbers_per_minute=0)}
    assert reads.import_view(desk.ledger, import_id, unlimited).waiting_on["per_minute"] == 30


def test_a_held_import_tells_what_to_do(desk: Desk) -> None:
    import_id = desk.accept(3)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    fault = submitting.Fault("401", "Mend the credentials.", whole_account=True)
    submitting.account_fault(desk.ledger, run, fault, unsent=True)
    view = reads.import_view(desk.ledger, import_id)
    assert view.waiting_on == {"what": "held", "code": "401", "instruction": "Mend the credentials."}


def test_an_import_that_ended_while_it_was_held_wants_nothing_of_anybody(desk: Desk) -> None:
    import_id = desk.available(2)
    run = desk.run(Lane.NUMBERS)
    with desk.ledger.write() as tx:
        hold(tx, import_id, "401", "Mend the credentials.")
    desk.record(run, Flush(settled=[desk.imported(0), desk.imported(1)], first=2, last=True))
    view = reads.import_view(desk.ledger, import_id)
    assert (view.state, view.held, view.waiting_on) == ("complete", None, None)


def test_an_estimate_follows_the_speed_shown(desk: Desk) -> None:
    import_id = desk.available(100)
    assert reads.import_view(desk.ledger, import_id).eta is None
    desk.passes(60)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(pos) for pos in range(25)], first=25))
    with desk.ledger.read() as tx:
        now = tx.now
    assert reads.import_view(desk.ledger, import_id).eta - now == pytest.approx(180, rel=0.2)
    control.pause(desk.ledger, import_id)
    assert reads.import_view(desk.ledger, import_id).eta is None
    control.resume(desk.ledger, import_id)
    desk.finish(run)
    view = reads.import_view(desk.ledger, import_id)
    assert view.eta == view.finished_at


def test_an_estimate_counts_in_the_turns_that_an_import_has_left_that_ended(desk: Desk) -> None:
    import_id, other = desk.available(100), desk.available(20)
    desk.passes(60)
    runs = {grant.import_id: desk.take(grant) for grant in reversed(desk.claim(Lane.NUMBERS).grants)}
    desk.record(runs[import_id], Flush(settled=[desk.imported(pos) for pos in range(20)], first=20))
    desk.record(runs[other], Flush(settled=[desk.imported(pos) for pos in range(10)], first=10))
    assert expected_in(desk, import_id) == pytest.approx(60 * 90 / 30, rel=0.2)  # ours and theirs, at the speed of both
    desk.finish(runs[other])
    assert reads.import_view(desk.ledger, other).finished_at is not None
    assert expected_in(desk, import_id) == pytest.approx(60 * 80 / 40, rel=0.2)  # ours alone, at the speed of both


def test_an_estimate_knows_since_when_others_could_be_imported(desk: Desk) -> None:
    """Their orders took an hour; what counts is the minute since."""
    import_id, other = desk.accept(100), desk.accept(20)
    orders = [desk.accepted(desk.run(Lane.DASHBOARD)) for _ in (import_id, other)]
    desk.passes(3600)
    for order in orders:
        desk.end_well(order)
    desk.passes(60)
    runs = {grant.import_id: desk.take(grant) for grant in reversed(desk.claim(Lane.NUMBERS).grants)}
    desk.record(runs[import_id], Flush(settled=[desk.imported(pos) for pos in range(20)], first=20))
    desk.finish(runs[other])
    assert expected_in(desk, import_id) == pytest.approx(60 * 80 / 40, rel=0.2)


def test_removals_share_the_lookups_from_when_they_were_accepted(desk: Desk) -> None:
    import_id, other = (desk.accept(size, action=Action.REMOVE) for size in (100, 20))
    desk.passes(60)
    runs = {grant.import_id: desk.take(grant) for grant in reversed(desk.claim(Lane.LOOKUPS).grants)}
    desk.record(runs[import_id], Flush(settled=[desk.released(pos) for pos in range(20)], first=20))
    desk.record(runs[other], Flush(settled=[desk.released(pos) for pos in range(10)], first=10))
    assert expected_in(desk, import_id) == pytest.approx(60 * 90 / 30, rel=0.2)


def expected_in(desk: Desk, import_id: str) -> float:
    with desk.ledger.read() as tx:
        now = tx.now
    return reads.import_view(desk.ledger, import_id).eta - now


def test_a_removal_tells_from_the_start_what_it_waits_for_and_when_its_releases_are_through(desk: Desk) -> None:
    import_id = desk.accept(4, action=Action.REMOVE)
    view = reads.import_view(desk.ledger, import_id)
    assert (view.waiting_on, view.eta) == ({"what": "calls", "left": 4, "action": "REMOVE"}, None)
    desk.passes(60)
    run = desk.run(Lane.LOOKUPS)
    desk.record(run, Flush(settled=[desk.released(0)], first=1))
    with desk.ledger.read() as tx:
        now = tx.now
    assert reads.import_view(desk.ledger, import_id).eta - now == pytest.approx(180, rel=0.2)
    desk.record(run, Flush(settled=[desk.released(pos) for pos in (1, 2, 3)], first=4, last=True))
    assert reads.import_view(desk.ledger, import_id).eta is None
    desk.accepted(desk.run(Lane.DASHBOARD))
    assert waits_for(desk, import_id) == "carrier_order"


def test_an_import_shows_its_orders(desk: Desk, mixed: str) -> None:
    view = reads.import_view(desk.ledger, mixed)
    assert [(order["state"], order["size"]) for order in view.orders] == [
        ("done", 3),
        ("available", 3),
        ("planned", 3),
    ]


def test_whoever_asks_by_reference_sees_the_orders_too(desk: Desk) -> None:
    desk.accept(2, client_ref="batch-7")
    (found,), _ = reads.imports_page(desk.ledger, client_ref="batch-7")
    (listed,), _ = reads.imports_page(desk.ledger)
    assert ([order["size"] for order in found.orders], listed.orders) == ([2], [])


def test_a_removal_that_releases_is_running(desk: Desk) -> None:
    import_id = desk.accept(2, action=Action.REMOVE)
    run = desk.run(Lane.LOOKUPS)
    assert desk.state(import_id) == "queued"
    desk.record(run, Flush(settled=[desk.released(0)], first=1))
    assert desk.state(import_id) == "running"


def test_a_read_sees_one_moment(desk: Desk) -> None:
    import_id = desk.available(3)
    run = desk.run(Lane.NUMBERS)
    with desk.ledger.read() as tx:
        before = tx.run(reads.sa.select(reads.imports.c.imported)).scalar_one()
        desk.record(run, Flush(settled=[desk.imported(0)], first=1))
        assert tx.run(reads.sa.select(reads.imports.c.imported)).scalar_one() == before
    assert desk.counts(import_id)["imported"] == 1


def test_a_ledger_that_can_be_written_says_nothing(ledger: Ledger) -> None:
    reads.writable(ledger)
