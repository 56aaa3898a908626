from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.imports import control, numbers, submitting
from tnimport.ledger.imports.numbers import Flush

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.grants import Grant

ACCOUNTS = {"default": Account(name="default", account_id="9999999")}


def test_a_claim_is_sent_then_taken_then_recorded(desk: Desk) -> None:
    import_id = desk.available(3)
    grant = desk.grant(Lane.NUMBERS)
    assert (grant.task, grant.import_id, grant.count) == (Task.IMPORT_NUMBERS, import_id, 3)
    assert desk.row(schema.work).state == work.SENT
    run = desk.take(grant)
    assert desk.row(schema.work).state == work.RUNNING
    desk.finish(run)
    assert desk.counts(import_id) == {"imported": 3}
    assert desk.state(import_id) == "complete"


def test_a_doubled_message_does_nothing(desk: Desk) -> None:
    desk.available(3)
    grant = desk.grant(Lane.NUMBERS)
    run = desk.take(grant)
    assert desk.take(grant) is None
    desk.finish(run)
    assert desk.take(grant) is None


def test_a_late_message_does_nothing_while_another_one_is_under_way(desk: Desk) -> None:
    desk.available(3)
    late = desk.grant(Lane.NUMBERS)
    desk.passes(31)
    desk.reap()
    again = desk.grant(Lane.NUMBERS)
    assert (again.work, again.serial) == (late.work, late.serial + 1)
    assert desk.take(late) is None
    assert desk.take(again) is not None


def test_a_message_of_work_that_is_over_finds_no_other_work_under_its_id(desk: Desk) -> None:
    late = []
    for _ in range(2):  # the second import's work stands where the first one's has stood
        desk.available(3)
        late.append(desk.grant(Lane.NUMBERS))
        assert [desk.take(grant) for grant in late[:-1]] == [None] * (len(late) - 1)
        desk.finish(desk.take(late[-1]))


def test_a_message_that_could_not_be_sent_gives_its_token_back(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 1, holding=5)
    desk.available(9)
    desk.passes(100)
    grants = desk.claim(Lane.NUMBERS).grants
    assert len(grants) == 5
    assert desk.lane(Lane.NUMBERS).tokens == pytest.approx(0, abs=0.9)
    paced = {"default": Account(name="default", account_id="9", paces=ACCOUNTS["default"].paces)}
    dispatch.unsend(desk.ledger, grants[2:], paced)
    assert desk.lane(Lane.NUMBERS).tokens == pytest.approx(3, abs=0.9)
    assert [desk.take(grant) is None for grant in grants] == [False, False, True, True, True]


def test_taking_back_a_message_that_was_taken_changes_nothing(desk: Desk) -> None:
    desk.available(3)
    grant = desk.grant(Lane.NUMBERS)
    run = desk.take(grant)
    dispatch.unsend(desk.ledger, [grant], ACCOUNTS)
    desk.finish(run)


def test_taking_back_a_message_of_an_account_without_settings_leaves_its_work_waiting(desk: Desk) -> None:
    desk.available(3)
    dispatch.unsend(desk.ledger, [desk.grant(Lane.NUMBERS)], {})
    assert desk.row(schema.work).state == work.WAITING


def test_a_run_that_lost_its_claim_writes_nothing(desk: Desk) -> None:
    import_id = desk.available(3)
    run = desk.run(Lane.NUMBERS)
    desk.vanish(run)
    with pytest.raises(ClaimLost):
        desk.record(
            run, Flush(settled=[desk.imported(0)], again=[desk.again(1)], first=2, trouble=Trouble(limited=True))
        )
    assert desk.counts(import_id) == {"available": 3}
    assert desk.lane(Lane.NUMBERS).paused_until <= 0


def test_an_outcome_is_written_once(desk: Desk) -> None:
    import_id = desk.available(3)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(settled=[desk.imported(0)], first=1))
    with pytest.raises(ClaimLost):
        desk.record(run, Flush(settled=[desk.imported(1), desk.failed(0)], first=2))
    assert desk.counts(import_id) == {"available": 2, "imported": 1}


def test_results_come_in_batches_and_the_rest_goes_back(desk: Desk) -> None:
    import_id = desk.available(10)
    run = desk.run(Lane.NUMBERS)
    assert desk.record(run, Flush(settled=[desk.imported(0), desk.failed(1)], first=2))
    assert not desk.record(run, Flush(settled=[desk.imported(2)], first=3, last=True))
    assert desk.counts(import_id) == {"available": 7, "imported": 2, "failed": 1}
    rest = desk.run(Lane.NUMBERS)
    assert [place.pos for place in numbers.load(desk.ledger, rest).places] == list(range(3, 10))
    desk.finish(rest)
    assert desk.state(import_id) == "partial"


def test_a_number_to_try_again_is_work_of_its_own(desk: Desk) -> None:
    import_id = desk.available(4)
    run = desk.run(Lane.NUMBERS)
    again = [desk.again(1, wait=60), desk.again(2, look=True, lost=True, counted=False)]
    desk.record(run, Flush(settled=[desk.imported(0), desk.imported(3)], again=again, first=4, last=True))
    later, look = desk.rows(schema.work)
    assert (later.first, later.last, later.lane, later.attempts, later.look) == (1, 2, "numbers", 1, False)
    assert (look.first, look.last, look.lane, look.attempts, look.look, look.lost) == (2, 3, "lookups", 0, True, True)
    assert not desk.claim(Lane.NUMBERS).grants
    desk.finish(desk.run(Lane.LOOKUPS))
    desk.passes(60)
    desk.finish(desk.run(Lane.NUMBERS))
    assert desk.state(import_id) == "complete"


def test_an_attempt_while_the_carrier_as_a_whole_is_failing_is_not_counted(desk: Desk) -> None:
    desk.available(2)
    run = desk.run(Lane.NUMBERS)
    for _ in range(5):
        desk.record(run, Flush(first=0, trouble=Trouble(limited=False)))
    desk.record(run, Flush(again=[desk.again(0)], first=1, last=True))
    assert {row.attempts for row in desk.rows(schema.work)} == {0}


def test_while_the_carrier_as_a_whole_is_failing_the_pause_of_the_lane_is_the_only_wait(desk: Desk) -> None:
    desk.accept(2)
    down = Trouble(limited=False)
    waits = []
    for _ in range(8):
        run = desk.run(Lane.DASHBOARD)
        submitting.sending(desk.ledger, run)
        submitting.not_sent(desk.ledger, run, 100, "connect", down)
        (row,) = (row for row in desk.rows(schema.work) if row.task == Task.SUBMIT_ORDER)
        with desk.ledger.read() as tx:
            waits.append((row.attempts, round(row.due_at - tx.now, -1)))
        desk.passes(101)
    assert waits == [*((attempt, 100) for attempt in range(1, 6)), *[(5, 0)] * 3]


def test_calls_that_were_not_made_give_their_tokens_back(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 10, holding=100)
    desk.available(80, max_per_minute=600)
    desk.passes(100)
    run = desk.run(Lane.NUMBERS)
    assert run.tokens == 2
    own = desk.row(schema.lanes, name=f"import:{run.import_id}").tokens
    desk.record(run, Flush(settled=[desk.imported(0)], first=1, last=True, unused=1))
    assert 98.1 <= desk.lane(Lane.NUMBERS).tokens <= 100  # which it may have filled up to in the meantime
    assert desk.row(schema.lanes, name=f"import:{run.import_id}").tokens == own + 1


def paused_and_resumed(desk: Desk, import_id: str, grants: list[Grant]) -> None:
    control.pause(desk.ledger, import_id)
    assert not any(map(desk.take, grants))
    control.resume(desk.ledger, import_id)


def nobody_takes_it(desk: Desk, *_: object) -> None:
    desk.passes(31)
    desk.reap()


@pytest.mark.parametrize(("own", "least"), [(None, 16), (1e-6, 1)])
@pytest.mark.parametrize("nothing_comes_of", [paused_and_resumed, nobody_takes_it])
def test_messages_of_which_nothing_comes_cost_no_tokens(
    desk: Desk, nothing_comes_of: Callable[[Desk, str, list[Grant]], None], own: float | None, least: int
) -> None:
    desk.paced(Lane.NUMBERS, 1e-9, holding=40)
    import_id = desk.available(60, max_per_minute=own)
    with desk.ledger.write() as tx:
        tx.run(sa.update(schema.lanes).values(tokens=40))
    for _ in range(3):
        grants = desk.claim(Lane.NUMBERS).grants
        assert least <= sum(grant.count for grant in grants)
        assert desk.lane(Lane.NUMBERS).tokens == pytest.approx(40 - len(grants))
        nothing_comes_of(desk, import_id, grants)
        assert desk.lane(Lane.NUMBERS).tokens == pytest.approx(40)


def test_what_a_range_holds_no_longer_is_passed_over(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 10, holding=100)
    import_id = desk.available(6)
    desk.passes(100)
    order_id = desk.row(schema.orders).id
    first, second, third = (desk.take(grant) for grant in desk.claim(Lane.NUMBERS).grants)
    assert [(run.order_id, run.first, run.last) for run in (first, second, third)] == [
        (order_id, 0, 2),
        (order_id, 2, 4),
        (order_id, 4, 6),
    ]
    for run in (third, first, second):
        desk.finish(run)
    assert desk.counts(import_id) == {"imported": 6}


def test_an_idle_lane_tells_when_its_next_work_is_due(desk: Desk) -> None:
    desk.available(1)
    run = desk.run(Lane.NUMBERS)
    desk.record(run, Flush(again=[desk.again(0, wait=60)], first=1, last=True))
    due = dispatch.due_lanes(desk.ledger)
    assert due.ready == []
    assert due.next_at - due.now == pytest.approx(60, abs=5)
    round_ = desk.claim(Lane.NUMBERS)
    assert round_.grants == []
    assert round_.wake_at - round_.now == pytest.approx(60, abs=5)
    desk.passes(60)
    assert dispatch.due_lanes(desk.ledger).ready == [("default", Lane.NUMBERS)]


def test_no_more_is_sent_than_the_broker_has_room_for(desk: Desk) -> None:
    desk.paced(Lane.NUMBERS, 10, holding=100)
    desk.available(80)
    desk.passes(100)
    assert len(desk.claim(Lane.NUMBERS, room=3).grants) == 3
    assert len(desk.claim(Lane.NUMBERS, room=0).grants) == 0


def test_a_column_that_does_not_exist_is_a_mistake_that_is_told(desk: Desk) -> None:
    """A parameter that a statement does not know would be passed over without a word."""
    desk.accept(1)
    run = desk.run(Lane.DASHBOARD)
    for write in (work.fence, partial(work.later, due_at=0.0)):
        with desk.ledger.write() as tx, pytest.raises(KeyError):
            write(tx, run, atempts=1)
