from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, OrderState
from tnimport.domain.reconcile import Fates
from tnimport.ledger import schema
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.imports import control, orders, polling, submitting
from tnimport.ledger.imports.orders import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run

FAULT = Fault("12024", "Choose another site.", whole_account=False)
ONE, TWO, THREE = "9192380000", "9192380001", "9192380002"


def order_of(desk: Desk, action: Action) -> tuple[str, Run]:
    """An import of three numbers and the run that is to send its order."""
    import_id = desk.accept(3, action=action)
    if action is Action.REMOVE:
        desk.finish(desk.run(Lane.LOOKUPS))
    return import_id, desk.run(Lane.DASHBOARD)


BOTH = pytest.mark.parametrize("action", list(Action))
BEFORE = {Action.IMPORT: "requested", Action.REMOVE: "released"}
GOOD = {Action.IMPORT: "available", Action.REMOVE: "removed"}


@BOTH
def test_a_step_sees_its_order(desk: Desk, action: Action) -> None:
    _, run = order_of(desk, action)
    order = orders.load(desk.ledger, run)
    assert (order.state, order.action) == (OrderState.PLANNED, action)
    assert order.numbers == [ONE, TWO, THREE]
    assert (order.site_id, order.sip_peer_id, order.sent_at, order.polls) == ("743", "303716", None, 0)


@BOTH
def test_an_accepted_order_is_looked_at_until_it_has_ended(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    submitting.sending(desk.ledger, run)
    assert desk.counts(import_id) == {BEFORE[action]: 3}
    submitting.accepted(desk.ledger, run, "c-1", "RECEIVED", 5)
    assert desk.counts(import_id) == {"ordered": 3}
    assert not desk.claim(Lane.DASHBOARD).grants
    desk.passes(5)
    polling.unfinished(desk.ledger, desk.run(Lane.DASHBOARD), "PROCESSING", 10)
    desk.passes(10)
    desk.end_well(desk.run(Lane.DASHBOARD))
    assert desk.counts(import_id) == {GOOD[action]: 3}
    row = desk.row(schema.orders)
    assert (row.carrier_order_id, row.carrier_status, row.polls) == ("c-1", "COMPLETE", 2)
    assert row.finished_at is not None


@BOTH
def test_the_numbers_of_an_ended_order_part_ways(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    fates = Fates(frozenset({ONE}), {TWO: ("5012", "Not portable.")}, frozenset({THREE}))
    polling.ended(desk.ledger, desk.accepted(run), "PARTIAL", fates)
    assert desk.counts(import_id) == {GOOD[action]: 1, "failed": 1, "unaccounted": 1}
    failed, silent = desk.rows(schema.numbers)[1:]
    assert (failed.stage, failed.code, failed.description) == ("order", "5012", "Not portable.")
    assert (silent.stage, silent.code) == ("order", "unaccounted")


@BOTH
def test_an_order_whose_numbers_all_failed_is_done(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    bad = dict.fromkeys((ONE, TWO, THREE), ("5012", "No."))
    polling.ended(desk.ledger, desk.accepted(run), "FAILED", Fates(frozenset(), bad))
    assert desk.row(schema.orders).state == "done"
    assert desk.state(import_id) == "failed"


@BOTH
def test_an_order_that_was_not_sent_is_planned_again(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    reference = desk.row(schema.orders).reference
    submitting.sending(desk.ledger, run)
    submitting.not_sent(desk.ledger, run, 30, "no-route", Trouble(limited=False))
    row = desk.row(schema.orders)
    assert (row.state, row.sent_at, row.attempts, row.reference) == ("planned", None, 1, reference)
    assert desk.lane(Lane.DASHBOARD).trouble == 1
    assert not desk.claim(Lane.DASHBOARD).grants
    desk.passes(30)
    assert desk.run(Lane.DASHBOARD).attempts == 1
    assert desk.counts(import_id) == {BEFORE[action]: 3}


def test_a_lost_order_is_asked_for_until_it_appears(desk: Desk) -> None:
    import_id, run = order_of(desk, Action.IMPORT)
    submitting.sending(desk.ledger, run)
    orders.wait(desk.ledger, run, 10, "timeout", Trouble(limited=False))
    assert desk.row(schema.orders).state == "submitting"
    desk.passes(10)
    run = desk.run(Lane.DASHBOARD)
    assert orders.load(desk.ledger, run).state is OrderState.SUBMITTING
    submitting.accepted(desk.ledger, run, "c-1", "RECEIVED", 0)
    assert desk.counts(import_id) == {"ordered": 3}


def test_a_lost_order_that_never_appears_is_planned_again_under_its_reference(desk: Desk) -> None:
    import_id, run = order_of(desk, Action.IMPORT)
    reference = desk.row(schema.orders).reference
    submitting.sending(desk.ledger, run)
    submitting.settled_absent(desk.ledger, run)
    row = desk.row(schema.orders)
    assert (row.state, row.sent_at, row.reference) == ("planned", None, reference)
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    assert desk.counts(import_id) == {"available": 3}


@BOTH
def test_an_order_is_sent_again_without_the_numbers_it_was_refused_for(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    submitting.sending(desk.ledger, run)
    submitting.refused(desk.ledger, run, "1002", "Wrong.", {TWO: ("5023", "Not yours."), "2025550100": ("x", "y")})
    assert desk.counts(import_id) == {BEFORE[action]: 2, "failed": 1}
    run = desk.run(Lane.DASHBOARD)
    assert orders.load(desk.ledger, run).numbers == [ONE, THREE]
    desk.end_well(desk.accepted(run))
    assert desk.counts(import_id) == {GOOD[action]: 2, "failed": 1}


@BOTH
@pytest.mark.parametrize("named", [{}, dict.fromkeys((ONE, TWO, THREE), ("5023", "Not yours."))])
def test_an_order_that_is_refused_whole_fails_its_numbers(desk: Desk, action: Action, named: dict) -> None:
    import_id, run = order_of(desk, action)
    submitting.sending(desk.ledger, run)
    submitting.refused(desk.ledger, run, "1002", "Wrong.", named)
    assert desk.counts(import_id) == {"failed": 3}
    assert desk.state(import_id) == "failed"
    assert {row.code for row in desk.rows(schema.numbers)} == {"5023" if named else "1002"}
    assert desk.row(schema.orders).finished_at is not None


@BOTH
def test_a_withdrawn_order_is_held_and_placed_anew_under_another_reference(desk: Desk, action: Action) -> None:
    import_id, run = order_of(desk, action)
    before = desk.row(schema.orders).reference
    polling.withdrawn(desk.ledger, desk.accepted(run), "FAILED", FAULT)
    row = desk.row(schema.orders)
    assert (row.state, row.carrier_order_id, row.sent_at, row.accepted_at) == ("planned", None, None, None)
    assert row.reference != before
    assert desk.counts(import_id) == {BEFORE[action]: 3}
    assert desk.state(import_id) == "held"
    control.resume(desk.ledger, import_id)
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    assert desk.counts(import_id) == {GOOD[action]: 3}


@pytest.mark.parametrize(("unsent", "state"), [(True, "planned"), (False, "submitting")])
def test_a_fault_of_the_account_leaves_the_order_where_it_is_known_to_be(
    desk: Desk, *, unsent: bool, state: str
) -> None:
    import_id, run = order_of(desk, Action.IMPORT)
    submitting.sending(desk.ledger, run)
    submitting.account_fault(desk.ledger, run, FAULT, unsent=unsent)
    assert desk.row(schema.orders).state == state
    assert desk.state(import_id) == "held"
    assert not desk.lane(Lane.NUMBERS).opened


def test_a_missing_order_is_looked_for_and_the_time_is_noted(desk: Desk) -> None:
    _, run = order_of(desk, Action.IMPORT)
    polling.missing(desk.ledger, desk.accepted(run), 10)
    since = desk.row(schema.orders).missing_since
    desk.passes(10)
    polling.missing(desk.ledger, desk.run(Lane.DASHBOARD), 10)
    assert desk.row(schema.orders).missing_since == pytest.approx(since - 10)
    desk.passes(10)
    polling.unfinished(desk.ledger, desk.run(Lane.DASHBOARD), "PROCESSING", 0)
    assert desk.row(schema.orders).missing_since is None


def test_an_import_is_running_once_its_first_order_is_about_to_be_sent(desk: Desk) -> None:
    import_id, run = order_of(desk, Action.IMPORT)
    assert desk.state(import_id) == "queued"
    submitting.sending(desk.ledger, run)
    assert desk.state(import_id) == "running"


MOVES: list[Callable[[Desk, Run], object]] = [
    lambda desk, run: submitting.sending(desk.ledger, run),
    lambda desk, run: submitting.not_sent(desk.ledger, run, 0, "c"),
    lambda desk, run: submitting.settled_absent(desk.ledger, run),
    lambda desk, run: submitting.accepted(desk.ledger, run, "c-2", "RECEIVED", 0),
    lambda desk, run: submitting.account_fault(desk.ledger, run, FAULT, unsent=True),
    lambda desk, run: submitting.refused(desk.ledger, run, "c", "d", {}),
    lambda desk, run: orders.wait(desk.ledger, run, 0, "c", Trouble(limited=True)),
    lambda desk, run: polling.unfinished(desk.ledger, run, "PROCESSING", 0),
    lambda desk, run: polling.missing(desk.ledger, run, 0),
    lambda desk, run: polling.ended(desk.ledger, run, "FAILED", Fates(frozenset())),
    lambda desk, run: polling.withdrawn(desk.ledger, run, "FAILED", FAULT),
]


@pytest.mark.parametrize("move", MOVES)
def test_a_run_that_lost_its_claim_moves_nothing(desk: Desk, move: Callable[[Desk, Run], object]) -> None:
    import_id, run = order_of(desk, Action.IMPORT)
    desk.vanish(run)
    before = (desk.row(schema.orders), desk.row(schema.work), desk.kinds(import_id), desk.lane(Lane.DASHBOARD))
    with pytest.raises(ClaimLost):
        move(desk, run)
    after = (desk.row(schema.orders), desk.row(schema.work), desk.kinds(import_id), desk.lane(Lane.DASHBOARD))
    assert after == before
    assert desk.state(import_id) == "queued"
