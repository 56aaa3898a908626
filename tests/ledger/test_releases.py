from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, Stage
from tnimport.ledger import schema
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports import control, numbers
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run


def remember(desk: Desk, run: Run, found: list[int], **flush: object) -> None:
    ids = {pos: f"n-{pos}" for pos in found}
    numbers.remember(desk.ledger, run, desk.pace(Lane.LOOKUPS), ids, Flush(last=True, **flush))


def test_a_removal_looks_deletes_and_then_orders_away(desk: Desk) -> None:
    import_id = desk.accept(4, action=Action.REMOVE)
    remember(desk, desk.run(Lane.LOOKUPS), [0, 1, 3], settled=[desk.released(2)], first=4)
    assert desk.counts(import_id) == {"requested": 3, "released": 1}
    assert desk.state(import_id) == "running"
    run = desk.run(Lane.NUMBERS)
    places = numbers.load(desk.ledger, run).places
    assert [(place.pos, place.number_id) for place in places] == [(0, "n-0"), (1, "n-1"), (3, "n-3")]
    assert not run.look
    desk.finish(run)
    assert desk.counts(import_id) == {"released": 4}
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    assert desk.counts(import_id) == {"removed": 4}
    assert desk.state(import_id) == "complete"


def test_a_number_whose_look_comes_again_is_not_deleted_before_it_was_found(desk: Desk) -> None:
    import_id = desk.accept(5, action=Action.REMOVE)
    again = [desk.again(1, look=True), desk.again(3, look=True)]
    trouble = Trouble(limited=False)
    remember(desk, desk.run(Lane.LOOKUPS), [0, 2], again=again, first=4, trouble=trouble)
    deletions = [(row.first, row.last) for row in desk.rows(schema.work, lane=Lane.NUMBERS)]
    assert deletions == [(0, 1), (2, 3)]
    looks = sorted((row.first, row.last) for row in desk.rows(schema.work, lane=Lane.LOOKUPS))
    assert looks == [(1, 2), (3, 4), (4, 5)]
    desk.finish_all(Lane.NUMBERS)
    desk.finish_all(Lane.LOOKUPS)
    assert desk.counts(import_id) == {"released": 5}


def test_numbers_that_cannot_be_released_are_not_ordered_away(desk: Desk) -> None:
    import_id = desk.accept(3, action=Action.REMOVE)
    run = desk.run(Lane.LOOKUPS)
    failed = desk.failed(1, Stage.RELEASE)
    desk.record(run, Flush(settled=[desk.released(0), failed, desk.released(2)], first=3, last=True))
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    assert desk.counts(import_id) == {"removed": 2, "failed": 1}


def test_a_removal_of_which_nothing_could_be_released_sends_no_order(desk: Desk) -> None:
    import_id = desk.accept(1, action=Action.REMOVE)
    desk.record(desk.run(Lane.LOOKUPS), Flush(settled=[desk.failed(0, Stage.RELEASE)], first=1, last=True))
    assert desk.state(import_id) == "failed"
    assert desk.row(schema.orders).finished_at is not None


@pytest.mark.parametrize("found", [[], [0]])
def test_a_fault_that_ends_a_look_holds_the_import(desk: Desk, found: list[int]) -> None:
    import_id = desk.accept(3, action=Action.REMOVE)
    fault = Fault("401", "Mend the credentials.", whole_account=True)
    remember(desk, desk.run(Lane.LOOKUPS), found, first=len(found), fault=fault)
    assert desk.state(import_id) == "held"
    control.resume(desk.ledger, import_id)
    for lane in (Lane.NUMBERS, Lane.LOOKUPS) * 3:
        desk.finish_all(lane)
    assert desk.counts(import_id) == {"released": 3}


def test_a_vanished_deletion_is_looked_up_again(desk: Desk) -> None:
    import_id = desk.accept(2, action=Action.REMOVE)
    remember(desk, desk.run(Lane.LOOKUPS), [0, 1], first=2)
    desk.vanish(desk.run(Lane.NUMBERS))
    assert {(row.lane, row.look) for row in desk.rows(schema.work)} == {("lookups", True)}
    desk.finish_all(Lane.LOOKUPS)
    assert desk.counts(import_id) == {"released": 2}
