"""An application that the carrier knows no longer is looked for again once, by whoever sees it first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.imports import applications, control, numbers
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run

FAULT = Fault("application_vanished", "See who deletes it.", whole_account=False)


def named(desk: Desk, total: int = 2, **options: Any) -> str:
    """An import whose numbers are available, for an application by name."""
    return desk.available(total, application=desk.wish(name="ours", url="https://us"), **options)


def ready(desk: Desk, application_id: str) -> None:
    applications.ready(desk.ledger, desk.run(Lane.APPLICATIONS), application_id, added=True)


def runs(desk: Desk, count: int) -> list[Run]:
    taken = [desk.take(grant) for grant in desk.claim(Lane.NUMBERS, room=count).grants]
    assert len(taken) == count
    return [run for run in taken if run is not None]


def missed(desk: Desk, run: Run, application_id: str) -> None:
    """The run's first call was answered: no such application."""
    desk.record(run, Flush(first=run.first, fault=FAULT, missed=application_id, last=True))


def searches(desk: Desk) -> int:
    return len(desk.rows(schema.work, task=Task.ENSURE_APPLICATION))


def test_it_is_looked_for_again_and_the_numbers_wait_for_it(desk: Desk) -> None:
    import_id = named(desk)
    ready(desk, "a-1")
    missed(desk, desk.run(Lane.NUMBERS), "a-1")
    assert desk.state(import_id) == "running"
    assert not desk.claim(Lane.NUMBERS).grants
    wish = applications.load(desk.ledger, run := desk.run(Lane.APPLICATIONS))
    assert (wish.found_id, wish.page, wish.looked_at, wish.sent_at) == (None, 0, None, None)
    assert "application_gone" in desk.kinds(import_id)
    applications.ready(desk.ledger, run, "a-2", added=True)
    assert numbers.load(desk.ledger, desk.run(Lane.NUMBERS)).application_id == "a-2"


def test_of_several_imports_with_runs_under_way_one_has_it_looked_for_and_none_is_held(desk: Desk) -> None:
    first, second = named(desk), named(desk)
    ready(desk, "a-1")
    one, other = runs(desk, 2)
    missed(desk, one, "a-1")
    missed(desk, other, "a-1")
    assert searches(desk) == 1
    ready(desk, "a-2")
    desk.finish_all()
    assert {desk.state(first), desk.state(second)} == {"complete"}


def test_runs_that_miss_it_at_the_same_moment_have_it_looked_for_once(desk: Desk) -> None:
    imports = [named(desk) for _ in range(4)]
    ready(desk, "a-1")
    together = Barrier(4)

    def meet(run: Run) -> None:
        together.wait()
        missed(desk, run, "a-1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(meet, runs(desk, 4)))
    assert searches(desk) == 1
    assert [desk.kinds(one).count("application_gone") for one in imports] == [1, 1, 1, 1]
    ready(desk, "a-2")
    desk.finish_all()
    assert {desk.state(one) for one in imports} == {"complete"}


def test_a_run_that_called_with_the_old_one_late_does_not_disturb_the_new_one(desk: Desk) -> None:
    named(desk)
    late_import = named(desk)
    ready(desk, "a-1")
    one, late = runs(desk, 2)
    missed(desk, one, "a-1")
    ready(desk, "a-2")
    missed(desk, late, "a-1")
    assert (searches(desk), desk.state(late_import)) == (0, "running")
    assert desk.row(schema.applications).application_id == "a-2"


def test_what_takes_its_place_and_vanishes_too_holds_the_import_until_somebody_resumes_it(desk: Desk) -> None:
    import_id = named(desk)
    ready(desk, "a-1")
    missed(desk, desk.run(Lane.NUMBERS), "a-1")
    ready(desk, "a-2")
    missed(desk, desk.run(Lane.NUMBERS), "a-2")
    assert (desk.state(import_id), searches(desk)) == ("held", 0)
    control.resume(desk.ledger, import_id)
    missed(desk, desk.run(Lane.NUMBERS), "a-2")
    assert (desk.state(import_id), searches(desk)) == ("running", 1)
    ready(desk, "a-3")
    desk.finish_all()
    assert desk.state(import_id) == "complete"


def test_once_a_number_has_gone_to_what_took_its_place_that_may_vanish_in_its_turn(desk: Desk) -> None:
    import_id = named(desk)
    ready(desk, "a-1")
    missed(desk, desk.run(Lane.NUMBERS), "a-1")
    ready(desk, "a-2")
    run = desk.run(Lane.NUMBERS)
    assert numbers.load(desk.ledger, run).in_doubt
    desk.record(run, Flush(settled=[desk.imported(0)], first=1, proven="a-2"))
    missed(desk, run, "a-2")
    assert (desk.state(import_id), searches(desk)) == ("running", 1)


def test_a_new_import_has_a_second_look_of_its_own(desk: Desk) -> None:
    held = named(desk)
    ready(desk, "a-1")
    missed(desk, desk.run(Lane.NUMBERS), "a-1")
    ready(desk, "a-2")
    missed(desk, desk.run(Lane.NUMBERS), "a-2")
    later = named(desk)
    missed(desk, desk.run(Lane.NUMBERS), "a-2")
    assert (desk.state(held), desk.state(later), searches(desk)) == ("held", "running", 1)


def test_an_import_that_is_accepted_meanwhile_waits_for_the_same_search(desk: Desk) -> None:
    named(desk)
    ready(desk, "a-1")
    missed(desk, desk.run(Lane.NUMBERS), "a-1")
    named(desk)
    assert searches(desk) == 1


def test_one_given_by_its_id_holds_the_import(desk: Desk) -> None:
    import_id = desk.available(2, application=desk.wish("a-known"))
    missed(desk, desk.run(Lane.NUMBERS), "a-known")
    assert (desk.state(import_id), searches(desk)) == ("held", 0)


@pytest.mark.parametrize("stop", ["cancel", "refuse"])
def test_what_a_stopped_import_left_at_the_carrier_is_found_out_without_it(desk: Desk, stop: str) -> None:
    import_id = named(desk, 2)
    ready(desk, "a-1")
    run = desk.run(Lane.NUMBERS)
    lost = desk.again(0, look=True, lost=True)
    desk.record(run, Flush(again=[lost], first=1, fault=FAULT, missed="a-1", last=True))
    assert not desk.claim(Lane.LOOKUPS).grants
    if stop == "cancel":
        control.cancel(desk.ledger, import_id)
    else:
        applications.refused(desk.ledger, desk.run(Lane.APPLICATIONS), "invalid-url", "No.")
    look = desk.run(Lane.LOOKUPS)
    assert numbers.load(desk.ledger, look).closing
    desk.finish(look)
    assert desk.state(import_id) in {"cancelled", "partial"}


def test_a_cancelled_import_has_nothing_made(desk: Desk) -> None:
    import_id = named(desk)
    ready(desk, "a-1")
    run = desk.run(Lane.NUMBERS)
    control.cancel(desk.ledger, import_id)
    missed(desk, run, "a-1")
    assert desk.state(import_id) == "cancelled"
    assert not desk.claim(Lane.APPLICATIONS).grants
