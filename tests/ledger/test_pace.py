from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain import pacing
from tnimport.domain.lanes import Lane
from tnimport.domain.pacing import Pace
from tnimport.domain.reconcile import Fates
from tnimport.ledger import schema
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports import control, orders, polling, submitting
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk

SLOW = Pace(100 / 60, 800)
TOO_MANY = Trouble(limited=True)
FAILING = Trouble(limited=False)


@pytest.fixture(autouse=True)
def _whole_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small imports go out whole, so that a run meets many numbers; how grants shrink is the domain's test."""
    monkeypatch.setattr(pacing, "GRANT_LEAST", pacing.GRANT_MOST)


def test_a_new_account_is_opened_with_one_order(desk: Desk) -> None:
    desk.in_doubt()
    desk.accept(6, 2)
    desk.accept(3)
    (grant,) = desk.claim(Lane.DASHBOARD).grants
    assert not desk.claim(Lane.DASHBOARD).grants
    run = desk.take(grant)
    assert not desk.claim(Lane.DASHBOARD).grants
    submitting.sending(desk.ledger, run)
    submitting.accepted(desk.ledger, run, "c-1", "RECEIVED", 60)
    (other,) = desk.claim(Lane.DASHBOARD).grants
    assert other.import_id != grant.import_id


@pytest.mark.parametrize(("status", "more"), [("COMPLETE", 4), ("FAILED", 4), ("GONE", 1)])
def test_a_new_site_is_tried_with_one_order_until_one_has_ended(desk: Desk, status: str, more: int) -> None:
    first = desk.accept(10, 2, site_id="999")
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    assert not desk.claim(Lane.DASHBOARD).grants
    listed = orders.load(desk.ledger, run).numbers
    fates = Fates(frozenset(listed)) if status == "COMPLETE" else Fates(frozenset(), dict.fromkeys(listed, ("c", "d")))
    polling.ended(desk.ledger, run, status, fates)
    assert [grant.import_id for grant in desk.claim(Lane.DASHBOARD).grants] == [first] * more


def test_a_site_that_the_carrier_refuses_later_is_tried_with_one_order_again(desk: Desk) -> None:
    first = desk.accept(10, 2)
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    polling.withdrawn(desk.ledger, run, "FAILED", Fault("5016", "Another site.", whole_account=False))
    control.resume(desk.ledger, first)
    assert len(desk.claim(Lane.DASHBOARD).grants) == 1


def test_a_new_account_is_opened_with_one_number(desk: Desk) -> None:
    desk.available(300)
    desk.in_doubt()
    (grant,) = desk.claim(Lane.NUMBERS).grants
    assert grant.count == 1
    assert not desk.claim(Lane.NUMBERS).grants
    desk.finish(desk.take(grant))
    assert [grant.count for grant in desk.claim(Lane.NUMBERS).grants] == [100, 100, 99]


def test_the_first_call_is_tried_again_alone_until_one_succeeds(desk: Desk) -> None:
    desk.available(30)
    desk.in_doubt()
    for _ in range(3):
        run = desk.run(Lane.NUMBERS)
        again = [desk.again(run.first, counted=False)]
        desk.record(run, Flush(again=again, first=run.last, last=True, trouble=FAILING))
    (grant,) = desk.claim(Lane.NUMBERS).grants
    assert grant.count == 1


def test_a_call_that_was_answered_opens_the_lane_though_its_number_is_not_through(desk: Desk) -> None:
    desk.available(3)
    desk.vanish(desk.run(Lane.NUMBERS))
    desk.in_doubt()
    look = desk.run(Lane.LOOKUPS)
    desk.record(look, Flush(again=[desk.again(0)], first=1, last=True))
    assert len(desk.claim(Lane.LOOKUPS).grants) == 2


def test_slow_numbers_go_out_one_by_one(desk: Desk) -> None:
    desk.paces[Lane.NUMBERS] = SLOW
    desk.available(50)
    desk.passes(1000)
    assert {grant.count for grant in desk.claim(Lane.NUMBERS).grants} == {1}


def test_no_more_goes_out_than_there_are_tokens(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 100 / 60, holding=5)
    desk.available(50)
    desk.passes(1000)
    round_ = desk.claim(Lane.NUMBERS)
    assert len(round_.grants) == 5
    assert 0 < round_.wake_at - round_.now <= 0.6
    desk.passes(3.1)
    assert len(desk.claim(Lane.NUMBERS).grants) == 5


def test_a_lane_that_is_limited_pauses_until_the_reset(desk: Desk) -> None:
    desk.available(200)
    run = desk.run(Lane.NUMBERS)
    assert not desk.record(run, Flush(first=0, trouble=Trouble(limited=True, reset_after=20)))
    round_ = desk.claim(Lane.NUMBERS)
    assert round_.grants == []
    assert round_.wake_at - round_.now == pytest.approx(20, abs=2)
    desk.record(run, Flush(first=0, last=True))
    desk.passes(20)
    desk.finish_all()


def test_a_grant_in_flight_sees_the_pause_at_its_next_flush(desk: Desk) -> None:
    desk.available(200)
    one, two = (desk.take(grant) for grant in desk.claim(Lane.NUMBERS).grants)
    assert desk.record(two, Flush(settled=[desk.imported(100)], first=101))
    desk.record(one, Flush(first=0, last=True, trouble=TOO_MANY))
    assert not desk.record(two, Flush(settled=[desk.imported(101)], first=102))


def test_many_refusals_of_one_burst_are_one_pause(desk: Desk) -> None:
    desk.available(1000)
    for run in [desk.take(grant) for grant in desk.claim(Lane.NUMBERS).grants]:
        desk.record(run, Flush(first=run.first, last=True, trouble=TOO_MANY))
    assert desk.lane(Lane.NUMBERS).limited == 1
    desk.passes(2)
    desk.record(desk.run(Lane.NUMBERS), Flush(first=0, last=True, trouble=TOO_MANY))
    assert desk.lane(Lane.NUMBERS).limited == 2
    assert not desk.claim(Lane.NUMBERS).grants
    desk.passes(4)
    assert desk.claim(Lane.NUMBERS).grants


def test_a_lane_whose_carrier_fails_closes_to_one_call_and_opens_with_a_success(desk: Desk) -> None:
    desk.available(1000)
    for run in [desk.take(grant) for grant in desk.claim(Lane.NUMBERS).grants]:
        desk.record(run, Flush(first=run.first, last=True, trouble=FAILING))
    assert not desk.claim(Lane.NUMBERS).grants
    desk.passes(1)
    (grant,) = desk.claim(Lane.NUMBERS).grants
    assert grant.count == 1
    desk.finish(desk.take(grant))
    assert len(desk.claim(Lane.NUMBERS).grants) == 10


def test_imports_of_an_account_take_turns(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 100 / 60, holding=6)
    for total in (40, 3, 40):
        desk.available(total)
    desk.passes(1000)
    owners = [grant.import_id for grant in desk.claim(Lane.NUMBERS).grants]
    assert len(set(owners[:3])) == len(set(owners[3:])) == 3


def test_ten_numbers_behind_a_hundred_orders_start_at_once(desk: Desk) -> None:
    desk.paces[Lane.NUMBERS] = SLOW
    huge = desk.accept(10_000, 100)
    while grants := desk.claim(Lane.DASHBOARD).grants:
        for run in filter(None, map(desk.take, grants)):
            submitting.sending(desk.ledger, run)
            submitting.accepted(desk.ledger, run, f"c-{run.order_id}", "RECEIVED", 3600)
    small = desk.accept(10)
    (order,) = desk.claim(Lane.DASHBOARD).grants
    assert order.import_id == small
    run = desk.take(order)
    submitting.sending(desk.ledger, run)
    submitting.accepted(desk.ledger, run, "c-small", "RECEIVED", 0)
    desk.end_well(desk.run(Lane.DASHBOARD))
    desk.passes(3600)
    desk.end_well(desk.run(Lane.DASHBOARD))
    desk.served = {huge: 1.0, small: 2.0}
    round_ = desk.claim(Lane.NUMBERS, room=20)
    assert [grant.import_id for grant in round_.grants] == [huge, small] * 10


def test_at_most_twenty_orders_are_under_way_and_one_import_leaves_places_for_others(desk: Desk) -> None:
    first = desk.accept(100, 1)
    assert len(desk.claim(Lane.DASHBOARD).grants) == 16
    assert not desk.claim(Lane.DASHBOARD).grants
    desk.accept(100, 1)
    grants = desk.claim(Lane.DASHBOARD).grants
    assert len(grants) == 4
    assert first not in {grant.import_id for grant in grants}
    desk.accept(1)
    assert not desk.claim(Lane.DASHBOARD).grants


def test_orders_under_way_are_looked_at_however_many_wait_for_a_place(desk: Desk) -> None:
    desk.accept(100, 1)
    for run in [desk.take(grant) for grant in desk.claim(Lane.DASHBOARD).grants]:
        submitting.sending(desk.ledger, run)
        submitting.accepted(desk.ledger, run, f"c-{run.order_id}", "RECEIVED", 60)
    desk.passes(60)
    looks = [desk.take(grant) for grant in desk.claim(Lane.DASHBOARD).grants]
    assert len(looks) == 16
    polling.unfinished(desk.ledger, looks[0], "PROCESSING", 60)
    desk.end_well(looks[1])
    assert len(desk.claim(Lane.DASHBOARD).grants) == 1


def test_an_order_whose_answer_was_lost_keeps_its_place(desk: Desk) -> None:
    desk.accept(100, 1)
    for run in [desk.take(grant) for grant in desk.claim(Lane.DASHBOARD).grants]:
        submitting.sending(desk.ledger, run)
    desk.passes(1000)
    desk.reap()
    grants = desk.claim(Lane.DASHBOARD).grants
    assert len(grants) == 16
    states = {order.id: order.state for order in desk.rows(schema.orders)}
    assert {states[grant.order_id] for grant in grants} == {"submitting"}


def test_an_import_keeps_to_the_pace_its_caller_set(desk: Desk) -> None:
    slow, free = desk.available(50, max_per_minute=60), desk.available(150)
    desk.passes(1000)
    grants = desk.claim(Lane.NUMBERS).grants
    granted = {import_id: sum(g.count for g in grants if g.import_id == import_id) for import_id in (slow, free)}
    assert granted == {slow: 1, free: 150}
    round_ = desk.claim(Lane.NUMBERS)
    assert round_.grants == []
    assert 0 < round_.wake_at - round_.now <= 1
    desk.passes(1)
    assert [grant.count for grant in desk.claim(Lane.NUMBERS).grants] == [1]


def test_a_carrier_that_names_the_moment_of_its_reset_is_believed(desk: Desk) -> None:
    desk.available(5)
    at = desk.lane(Lane.NUMBERS).filled_at + 500
    desk.record(desk.run(Lane.NUMBERS), Flush(first=0, last=True, trouble=Trouble(limited=True, reset_at=at)))
    assert desk.lane(Lane.NUMBERS).paused_until == at


def test_the_accounts_of_a_ledger_do_not_share_their_lanes(desk: Desk) -> None:
    desk.accept(5, account="other")
    assert not desk.claim(Lane.DASHBOARD).grants
