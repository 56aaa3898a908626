from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.domain.reconcile import Fates
from tnimport.ledger import schema
from tnimport.ledger.claims import window
from tnimport.ledger.housekeeping.reap import NEEDS_ATTENTION
from tnimport.ledger.imports import control, orders, polling, submitting
from tnimport.ledger.imports.closing import hold
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run
    from tnimport.ledger.engine import Ledger

LANES = (Lane.DASHBOARD, Lane.NUMBERS, Lane.LOOKUPS, Lane.APPLICATIONS)
FAULT = Fault("401", "Mend the credentials, then resume.", whole_account=True)


def nothing_starts(desk: Desk) -> bool:
    return not any(desk.claim(lane).grants for lane in LANES)


@pytest.mark.parametrize("ask", [control.pause, control.resume, control.cancel])
def test_an_import_nobody_knows_cannot_be_told_anything(desk: Desk, ask: Callable[..., bool]) -> None:
    assert not ask(desk.ledger, "imp_nobody")
    assert not ask(desk.ledger, desk.stage(1).import_id)


@pytest.mark.parametrize("ask", [control.pause, control.resume, control.cancel])
def test_a_finished_import_stays_as_it_is(desk: Desk, ask: Callable[..., bool]) -> None:
    import_id = desk.available(1)
    desk.finish_all()
    before = desk.kinds(import_id)
    assert ask(desk.ledger, import_id)
    assert desk.state(import_id) == "complete"
    assert desk.kinds(import_id) == before


def test_a_paused_import_starts_nothing_until_it_is_resumed(desk: Desk) -> None:
    import_id = desk.accept(3)
    for _ in range(2):
        control.pause(desk.ledger, import_id)
    assert desk.state(import_id) == "paused"
    assert nothing_starts(desk)
    for _ in range(2):
        control.resume(desk.ledger, import_id)
    assert desk.state(import_id) == "queued"
    assert desk.kinds(import_id) == ["import_accepted", "import_paused", "import_resumed"]
    assert desk.grant(Lane.DASHBOARD)


def held(code: str) -> Callable[[Ledger, str], object]:
    def stop(ledger: Ledger, import_id: str) -> None:
        with ledger.write() as tx:
            hold(tx, import_id, code, "Mend it.")

    return stop


ASKING = pytest.mark.parametrize("stop", [control.pause, held("5016")], ids=["paused", "wrong site"])
SILENT = pytest.mark.parametrize("stop", [held("401"), held(NEEDS_ATTENTION)], ids=["wrong password", "deadly"])


def at_carrier(desk: Desk, import_id: str) -> Run:
    """The import's one order is accepted; the run that looks at it."""
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    assert run.import_id == import_id
    return run


@ASKING
def test_what_is_at_the_carrier_is_looked_at_though_its_import_waits_for_a_person(
    desk: Desk, stop: Callable[[Ledger, str], object]
) -> None:
    import_id = desk.accept(3)
    polling.unfinished(desk.ledger, at_carrier(desk, import_id), "PROCESSING", 0)
    grant = desk.grant(Lane.DASHBOARD)
    stop(desk.ledger, import_id)
    run = desk.take(grant)
    assert run is not None, "not even a message on its way is in vain"
    polling.unfinished(desk.ledger, run, "PROCESSING", 0)
    desk.end_well(desk.run(Lane.DASHBOARD))
    assert desk.counts(import_id) == {"available": 3}
    assert nothing_starts(desk)
    control.resume(desk.ledger, import_id)
    desk.finish_all()
    assert desk.state(import_id) == "complete"


@ASKING
def test_a_lost_order_is_asked_for_and_never_sent_while_its_import_waits_for_a_person(
    desk: Desk, stop: Callable[[Ledger, str], object]
) -> None:
    import_id = lost_order(desk)
    stop(desk.ledger, import_id)
    submitting.settled_absent(desk.ledger, desk.run(Lane.DASHBOARD))
    assert desk.counts(import_id) == {"requested": 5}
    assert nothing_starts(desk)


@SILENT
def test_nothing_is_asked_while_the_account_is_at_fault_or_a_look_has_killed_its_runs(
    desk: Desk, stop: Callable[[Ledger, str], object]
) -> None:
    import_id = desk.accept(3)
    polling.unfinished(desk.ledger, at_carrier(desk, import_id), "PROCESSING", 0)
    stop(desk.ledger, import_id)
    assert nothing_starts(desk)


@SILENT
def test_orders_that_nobody_looks_at_keep_no_other_import_waiting(
    desk: Desk, stop: Callable[[Ledger, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "ORDERS_AT_CARRIER", 1)
    import_id = desk.accept(1)
    polling.unfinished(desk.ledger, at_carrier(desk, import_id), "PROCESSING", 60)
    other = desk.accept(1)
    assert nothing_starts(desk)
    stop(desk.ledger, import_id)
    assert desk.grant(Lane.DASHBOARD).import_id == other


@pytest.mark.parametrize("stop", [control.pause, control.cancel])
def test_a_message_on_its_way_starts_nothing_once_its_import_is_stopped(desk: Desk, stop: Callable[..., bool]) -> None:
    import_id = desk.available(3)
    grant = desk.grant(Lane.NUMBERS)
    stop(desk.ledger, import_id)
    assert desk.take(grant) is None
    control.resume(desk.ledger, import_id)
    assert bool(desk.claim(Lane.NUMBERS).grants) is (stop is control.pause)


def test_a_run_of_a_paused_import_gives_back_what_it_has_not_done(desk: Desk) -> None:
    import_id = desk.available(5)
    run = desk.run(Lane.NUMBERS)
    control.pause(desk.ledger, import_id)
    assert not desk.record(run, Flush(settled=[desk.imported(0)], first=1))
    desk.record(run, Flush(settled=[desk.imported(1)], first=2, last=True))
    assert desk.counts(import_id) == {"available": 3, "imported": 2}
    assert nothing_starts(desk)
    control.resume(desk.ledger, import_id)
    desk.finish_all()
    assert desk.state(import_id) == "complete"


def test_cancelled_before_anything_was_sent(desk: Desk) -> None:
    import_id = desk.accept(5, 2)
    for _ in range(2):
        control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"cancelled": 5}
    assert desk.state(import_id) == "cancelled"
    assert desk.kinds(import_id).count("import_cancel_asked") == 1


def test_cancelled_while_paused_or_held(desk: Desk) -> None:
    import_id = desk.accept(5, 2)
    control.pause(desk.ledger, import_id)
    control.cancel(desk.ledger, import_id)
    assert desk.state(import_id) == "cancelled"


def test_cancelled_while_an_order_is_on_its_way(desk: Desk) -> None:
    import_id = desk.accept(5)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"requested": 5}
    assert desk.state(import_id) == "running"
    submitting.accepted(desk.ledger, run, "c-1", "RECEIVED", 2)
    assert desk.counts(import_id) == {"cancelled": 5}


def test_cancelled_between_two_looks_at_an_order(desk: Desk) -> None:
    import_id = desk.accept(5)
    polling.unfinished(desk.ledger, desk.accepted(desk.run(Lane.DASHBOARD)), "PROCESSING", 60)
    control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"cancelled": 5}


def test_cancelled_while_an_order_is_looked_at(desk: Desk) -> None:
    import_id = desk.accept(3)
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    control.cancel(desk.ledger, import_id)
    fates = Fates(frozenset({"9192380000"}), {"9192380001": ("c", "d")}, frozenset({"9192380002"}))
    polling.ended(desk.ledger, run, "PARTIAL", fates)
    assert desk.counts(import_id) == {"cancelled": 1, "failed": 1, "unaccounted": 1}


def test_cancelled_while_a_run_holds_numbers(desk: Desk) -> None:
    import_id = desk.available(5, 3)
    run = desk.run(Lane.NUMBERS)
    control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"available": 3, "cancelled": 2}
    assert not desk.record(run, Flush(settled=[desk.imported(0)], again=[desk.again(1)], first=2))
    desk.record(run, Flush(first=2, last=True))
    assert desk.counts(import_id) == {"imported": 1, "cancelled": 4}


def lost_order(desk: Desk) -> str:
    """An import whose order was sent, and whose answer was lost."""
    import_id = desk.accept(5)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    orders.wait(desk.ledger, run, 0, "timeout")
    return import_id


def lost_number(desk: Desk) -> str:
    """An import of five numbers, one of which was sent and its answer lost."""
    import_id = desk.available(5)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(again=[desk.again(0, look=True, lost=True)], first=1, last=True))
    return import_id


@pytest.mark.parametrize("before", [None, control.pause])
def test_an_order_whose_answer_was_lost_is_asked_for_before_a_cancel_is_through(
    desk: Desk, before: Callable[..., bool] | None
) -> None:
    import_id = lost_order(desk)
    if before:
        before(desk.ledger, import_id)
    for _ in range(2):
        control.cancel(desk.ledger, import_id)
    assert desk.state(import_id) == "running"
    orders.wait(desk.ledger, desk.run(Lane.DASHBOARD), 0, "order_not_seen")
    assert desk.counts(import_id) == {"requested": 5}
    submitting.accepted(desk.ledger, desk.run(Lane.DASHBOARD), "c-1", "RECEIVED", 2)
    assert desk.counts(import_id) == {"cancelled": 5}
    assert desk.row(schema.orders).carrier_order_id == "c-1"


def test_an_order_that_never_appeared_is_not_sent_again_once_its_import_is_cancelled(desk: Desk) -> None:
    import_id = lost_order(desk)
    control.cancel(desk.ledger, import_id)
    submitting.settled_absent(desk.ledger, desk.run(Lane.DASHBOARD))
    assert desk.counts(import_id) == {"cancelled": 5}


@pytest.mark.parametrize(("there", "counts"), [(True, {"imported": 1, "cancelled": 4}), (False, {"cancelled": 5})])
def test_a_number_whose_answer_was_lost_is_looked_up_before_a_cancel_is_through(
    desk: Desk, there: bool, counts: dict[str, int]
) -> None:
    import_id = lost_number(desk)
    control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"available": 5}
    assert not desk.claim(Lane.NUMBERS).grants
    run = desk.run(Lane.LOOKUPS)
    found = {"settled": [desk.imported(0)]} if there else {"again": [desk.again(0, lost=True)]}
    desk.record(run, Flush(**found, first=1, last=True))
    assert desk.counts(import_id) == counts
    assert desk.state(import_id) == "cancelled"


def test_a_message_on_its_way_that_finds_out_is_taken_though_its_import_was_cancelled(desk: Desk) -> None:
    import_id = lost_number(desk)
    grant = desk.grant(Lane.LOOKUPS)
    control.cancel(desk.ledger, import_id)
    assert desk.take(grant) is not None


def test_a_wrong_site_keeps_nobody_from_finding_out_what_a_cancelled_import_left(desk: Desk) -> None:
    import_id = lost_number(desk)
    with desk.ledger.write() as tx:
        hold(tx, import_id, "5016", "Another site.")
    control.cancel(desk.ledger, import_id)
    run = desk.run(Lane.LOOKUPS)
    desk.record(run, Flush(first=0, last=True, fault=FAULT))  # by now the password is wrong, too
    assert nothing_starts(desk)
    control.resume(desk.ledger, import_id)
    desk.finish(desk.run(Lane.LOOKUPS))
    assert desk.counts(import_id) == {"imported": 1, "cancelled": 4}


SITE = Fault("5016", "Another site.", whole_account=False)


def order_meets(desk: Desk, fault: Fault) -> None:
    submitting.account_fault(desk.ledger, desk.run(Lane.DASHBOARD), fault, unsent=False)


def number_meets(desk: Desk, fault: Fault) -> None:
    desk.record(desk.run(Lane.LOOKUPS), Flush(first=0, last=True, fault=fault))


@pytest.mark.parametrize(("lost", "meets"), [(lost_order, order_meets), (lost_number, number_meets)])
def test_what_meets_a_fault_while_it_finds_out_asks_ever_more_rarely_and_tells_it_once(
    desk: Desk, lost: Callable[[Desk], str], meets: Callable[[Desk, Fault], None]
) -> None:
    import_id = lost(desk)
    control.cancel(desk.ledger, import_id)
    for least in (60, 60, 120, 300):
        meets(desk, SITE)
        desk.passes(least - 5)
        assert nothing_starts(desk)
        desk.passes(10 * least)
    assert desk.kinds(import_id).count("import_held") == 1
    assert desk.row(schema.imports).held_code == "5016"


def test_a_fault_of_the_whole_account_ends_the_asking_of_an_import_that_is_held_for_its_own(desk: Desk) -> None:
    import_id = desk.accept(3)
    polling.unfinished(desk.ledger, at_carrier(desk, import_id), "PROCESSING", 0)
    order_meets(desk, SITE)
    desk.passes(61)
    order_meets(desk, FAULT)
    desk.passes(3600)
    assert nothing_starts(desk)
    assert desk.row(schema.imports).held_code == "401"
    control.resume(desk.ledger, import_id)
    assert desk.grant(Lane.DASHBOARD)


def test_what_cannot_be_found_out_while_the_account_is_at_fault_waits_for_a_person(desk: Desk) -> None:
    import_id = lost_number(desk)
    with desk.ledger.write() as tx:
        hold(tx, import_id, "401", "Mend the credentials.")
    control.cancel(desk.ledger, import_id)
    assert nothing_starts(desk)
    view = reads.import_view(desk.ledger, import_id)
    assert (view.state, view.waiting_on["what"]) == ("held", "held")
    control.resume(desk.ledger, import_id)
    desk.finish(desk.run(Lane.LOOKUPS))
    assert desk.counts(import_id) == {"imported": 1, "cancelled": 4}


def test_cancelled_in_every_part_of_a_removal(desk: Desk) -> None:
    import_id = desk.accept(4, action=Action.REMOVE)
    run = desk.run(Lane.LOOKUPS)
    desk.record(run, Flush(settled=[desk.released(0)], first=1, last=True))
    control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"cancelled": 4}


def test_a_fault_of_the_account_holds_all_its_imports(desk: Desk) -> None:
    first, second = desk.accept(3), desk.accept(2)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    submitting.account_fault(desk.ledger, run, FAULT, unsent=True)
    assert [desk.state(import_id) for import_id in (first, second)] == ["held", "held"]
    view = reads.import_view(desk.ledger, second)
    assert view.held == {"code": "401", "instruction": FAULT.instruction}
    assert nothing_starts(desk)
    assert {order.state for order in desk.rows(schema.orders)} == {"planned"}


def test_after_a_fault_the_account_is_tried_with_one_call(desk: Desk) -> None:
    first, second = desk.available(3), desk.available(2)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(first=0, last=True, fault=FAULT))
    for import_id in (first, second):
        control.resume(desk.ledger, import_id)
    (grant,) = desk.claim(Lane.NUMBERS).grants
    assert grant.count == 1
    desk.finish(desk.take(grant))
    desk.finish_all()
    assert desk.state(first) == desk.state(second) == "complete"


def test_a_fault_of_a_site_holds_one_import(desk: Desk) -> None:
    first, second = desk.accept(3), desk.accept(2)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    submitting.account_fault(desk.ledger, run, Fault("12024", "Another site.", whole_account=False), unsent=False)
    by_id = {import_id: desk.state(import_id) for import_id in (first, second)}
    assert by_id == {run.import_id: "held", (second if run.import_id == first else first): "queued"}
    assert {order.state for order in desk.rows(schema.orders)} == {"submitting", "planned"}


def test_the_first_reason_of_a_hold_stands(desk: Desk) -> None:
    import_id = desk.available(4, 2)
    one, two = (desk.take(grant) for grant in desk.claim(Lane.NUMBERS).grants)
    desk.record(one, Flush(first=0, last=True, fault=FAULT))
    desk.record(two, Flush(first=0, last=True, fault=Fault("later", "…", whole_account=False)))
    assert desk.rows(schema.imports, id=import_id)[0].held_code == "401"


def test_results_before_a_fault_are_kept(desk: Desk) -> None:
    import_id = desk.available(4)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], first=1, last=True, fault=FAULT))
    assert desk.counts(import_id) == {"imported": 1, "available": 3}
    assert desk.state(import_id) == "held"
