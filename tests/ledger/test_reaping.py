from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.ledger.conftest import CLAIM_SECONDS, emptied, opened_desk
from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.domain.reconcile import Fates
from tnimport.ledger import schema
from tnimport.ledger.claims import work
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import reap
from tnimport.ledger.imports import control, numbers, polling, submitting
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.messaging import outgoing, sending
from tnimport.ledger.messaging.outgoing import NewMessage

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Tx


def test_a_message_nobody_took_goes_back_uncounted(desk: Desk) -> None:
    desk.available(3)
    for _ in range(4):
        desk.grant(Lane.NUMBERS)
        desk.passes(31)
        assert desk.reap() == 1
    row = desk.row(schema.work)
    assert (row.state, row.strikes, row.attempts, row.first, row.last) == (work.WAITING, 0, 0, 0, 3)


def test_nothing_goes_back_before_its_time(desk: Desk) -> None:
    desk.available(3)
    run = desk.run(Lane.NUMBERS)
    desk.passes(119)
    assert desk.reap() == 0
    desk.finish(run)


def test_after_a_vanished_run_the_rest_goes_out_one_by_one_and_is_looked_up_first(desk: Desk) -> None:
    import_id = desk.available(5)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], again=[desk.again(1, wait=5)], first=2))
    desk.vanish(run)
    again, *looks = desk.rows(schema.work)
    assert (again.first, again.last, again.look, again.strikes) == (1, 2, False, 0)
    assert [(one.first, one.last) for one in looks] == [(2, 3), (3, 4), (4, 5)]
    assert {(one.lane, one.look, one.lost, one.strikes) for one in looks} == {("lookups", True, True, 1)}
    assert "claim_expired" in desk.kinds(import_id)


def test_a_number_that_ends_three_runs_fails_and_the_others_go_on(desk: Desk) -> None:
    import_id = desk.available(2)
    desk.vanish(desk.run(Lane.NUMBERS))
    deadly, harmless = (desk.take(grant) for grant in desk.claim(Lane.LOOKUPS).grants)
    desk.finish(harmless)
    desk.vanish(deadly)
    desk.vanish(desk.run(Lane.LOOKUPS))
    assert desk.counts(import_id) == {"imported": 1, "failed": 1}
    row = desk.row(schema.numbers, pos=deadly.first)
    assert (row.stage, row.code, row.attempts) == ("import", "needs_attention", 3)
    assert desk.state(import_id) == "partial"


def test_strikes_stay_with_a_number_whose_look_ends_well_in_between(desk: Desk) -> None:
    import_id = desk.available(1)
    for _ in range(3):
        desk.vanish(desk.run(Lane.NUMBERS))
        for grant in desk.claim(Lane.LOOKUPS).grants:
            look = desk.take(grant)
            desk.record(look, Flush(again=[desk.again(0, counted=False)], first=1, last=True))
    assert desk.counts(import_id) == {"failed": 1}


def test_a_removal_that_ends_three_runs_fails_at_its_stage(desk: Desk) -> None:
    import_id = desk.accept(1, action=Action.REMOVE)
    for _ in range(3):
        desk.vanish(desk.run(Lane.LOOKUPS))
    assert desk.row(schema.numbers).stage == "release"
    assert desk.state(import_id) == "failed"


@pytest.mark.parametrize("orders", [1, 2])
def test_a_vanished_run_that_had_written_everything_leaves_no_work(desk: Desk, orders: int) -> None:
    import_id = desk.available(orders, 1)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], first=1))
    desk.vanish(run)
    assert not desk.rows(schema.work, order_id=run.order_id)
    desk.finish_all()
    assert desk.state(import_id) == "complete"


def test_ranges_without_an_open_number_go_with_their_order(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 0.1, holding=2)
    import_id = desk.accept(4)
    bad = dict.fromkeys(("9192380002", "9192380003"), ("c", "d"))
    fates = Fates(frozenset({"9192380000", "9192380001"}), bad)
    polling.ended(desk.ledger, desk.accepted(desk.run(Lane.DASHBOARD)), "PARTIAL", fates)
    desk.passes(100)
    for grant in desk.claim(Lane.NUMBERS).grants:
        desk.finish(desk.take(grant))
    assert desk.state(import_id) == "partial"
    assert not desk.rows(schema.work)


@pytest.mark.parametrize("sent", [False, True])
def test_a_step_of_an_order_that_ends_three_runs_holds_the_import_for_a_person(desk: Desk, *, sent: bool) -> None:
    import_id = desk.accept(5)
    for _ in range(3):
        run = desk.run(Lane.DASHBOARD)
        if sent:
            submitting.sending(desk.ledger, run)
        desk.vanish(run)
    assert desk.state(import_id) == "held"
    assert desk.rows(schema.imports)[0].held_code == "needs_attention"
    assert desk.row(schema.orders).state == ("submitting" if sent else "planned")
    control.resume(desk.ledger, import_id)
    desk.end_well(desk.accepted(desk.run(Lane.DASHBOARD)))
    desk.finish_all()
    assert desk.state(import_id) == "complete"


def test_an_application_step_that_ends_three_runs_holds_every_import_that_waits_for_it(desk: Desk) -> None:
    wish = desk.wish(name="ours", url="https://us")
    waiting = [desk.accept(1, application=wish), desk.accept(2, application=wish)]
    other = desk.accept(1)
    for _ in range(3):
        desk.vanish(desk.run(Lane.APPLICATIONS))
    assert [desk.state(import_id) for import_id in (*waiting, other)] == ["held", "held", "queued"]
    assert not desk.claim(Lane.APPLICATIONS).grants


@pytest.mark.parametrize(
    ("called", "end"), [(False, ("failed", "needs_attention")), (True, ("unknown", "run_vanished"))]
)
def test_a_callers_message_that_ends_three_runs_is_ended(desk: Desk, called: bool, end: tuple[str, str]) -> None:
    new = NewMessage(account="default", sender="9192380000", recipient="+12065550123", text="Hi")
    outgoing.store(desk.ledger, [new], key=None, fingerprint="f")
    for turn in range(3):
        run = desk.run(Lane.MESSAGES)
        if called and turn == 0:
            sending.calling(desk.ledger, run)
        desk.passes(121)
        desk.reap()
    row = desk.row(schema.messages)
    assert (row.state, row.code) == end
    assert not desk.rows(schema.work)


def test_a_step_that_is_the_accounts_own_and_ends_three_runs_holds_nobody(desk: Desk) -> None:
    import_id = desk.accept(1, application=None, action=Action.REMOVE)
    with desk.ledger.write() as tx:
        work.plan(tx, Task.SUBMIT_ORDER, "default", Lane.MESSAGES, tx.now)
    for _ in range(3):
        desk.vanish(desk.run(Lane.MESSAGES))
    assert desk.state(import_id) == "queued"


def test_a_cancel_that_was_cut_short_is_finished(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = desk.accept(5, 2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(control, "close_if_stopped", killed)
    with pytest.raises(KeyboardInterrupt):
        control.cancel(desk.ledger, import_id)
    assert desk.counts(import_id) == {"requested": 5}
    assert not desk.claim(Lane.DASHBOARD).grants
    desk.reap()
    assert desk.counts(import_id) == {"cancelled": 5}
    assert desk.state(import_id) == "cancelled"


def test_the_numbers_of_a_run_that_vanishes_with_a_cancelled_import_are_looked_up_before_it_ends(desk: Desk) -> None:
    import_id = desk.available(5, 3)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], first=1))
    control.cancel(desk.ledger, import_id)
    desk.vanish(run)
    assert desk.counts(import_id) == {"imported": 1, "available": 2, "cancelled": 2}
    desk.finish(desk.run(Lane.LOOKUPS))
    other = desk.run(Lane.LOOKUPS)
    desk.record(other, Flush(again=[desk.again(other.first, lost=True)], first=other.last, last=True))  # not there
    assert desk.counts(import_id) == {"imported": 2, "cancelled": 3}
    assert desk.state(import_id) == "cancelled"


def test_work_of_the_account_itself_that_vanishes_three_times_holds_no_import(desk: Desk) -> None:
    removal = desk.accept(1, action=Action.REMOVE)  # it goes to no application
    with desk.ledger.write() as tx:
        vanished = {"state": work.RUNNING, "token": "t", "until": 1, "strikes": 2, "due_at": 1}
        own = {"task": Task.POLL_ORDER, "account": "default", "lane": Lane.DASHBOARD}
        tx.run(sa.insert(schema.work).values(**own, **vanished))
    desk.reap()
    assert desk.state(removal) == "queued"


def test_many_late_claims_go_back_in_one_look(desk: Desk) -> None:
    import_id = desk.available(7, 1)
    desk.claim(Lane.NUMBERS)
    desk.passes(31)
    assert desk.reap() == 7
    assert desk.reap() == 0
    desk.finish_all()
    assert desk.state(import_id) == "complete"


def test_a_look_finds_the_numbers_of_its_work(desk: Desk) -> None:
    desk.available(3)
    desk.vanish(desk.run(Lane.NUMBERS))
    run = desk.run(Lane.LOOKUPS)
    assert (run.task, run.look, run.lost) == (Task.IMPORT_NUMBERS, True, True)
    (place,) = numbers.load(desk.ledger, run).places
    assert (place.pos, place.tn) == (0, "9192380000")


def test_a_claim_that_cannot_be_taken_back_keeps_no_other_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.accept(2, 1)
    bad, good = (desk.run(Lane.DASHBOARD) for _ in range(2))
    real = reap._strike

    def strike(tx: Tx, row: sa.Row[object]) -> None:
        if row.id == bad.id:
            raise KeyError("a bad row")
        real(tx, row)

    with monkeypatch.context() as broken:
        broken.setattr(reap, "_strike", strike)
        desk.passes(CLAIM_SECONDS + 1)
        with pytest.raises(KeyError):
            desk.reap()
    assert [desk.row(schema.work, id=run.id).strikes for run in (bad, good)] == [0, 1]
    assert desk.reap() == 1


def test_an_import_that_somebody_keeps_locked_keeps_no_other_one(postgres_ledger: Ledger) -> None:
    desk = opened_desk(emptied(postgres_ledger))
    locked, free = desk.accept(2, 1), desk.accept(1)
    runs = [desk.run(Lane.DASHBOARD) for _ in range(3)]
    desk.passes(CLAIM_SECONDS + 1)
    with desk.ledger.write() as tx:  # so that each strike holds its import
        tx.run(sa.update(schema.work).values(strikes=reap.STRIKES - 1))
    hasty = Ledger(postgres_ledger.url, lock_seconds=0.02)
    with desk.ledger.write() as tx:
        tx.run(sa.select(schema.imports).where(schema.imports.c.id == locked).with_for_update())
        reap.reap(hasty)
    hasty.close()
    states = {run.import_id: desk.row(schema.work, id=run.id).state for run in runs}
    assert states == {locked: work.RUNNING, free: work.WAITING}
    assert desk.reap() == 2
