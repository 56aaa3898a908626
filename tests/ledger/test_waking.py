"""Word of an order: wakes the look at it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain import notifying
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema
from tnimport.ledger.imports import control, orders, polling, submitting, waking
from tnimport.ledger.messaging import subscriptions

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.work import Run

URL = "https://tn.example/callbacks/default/orders"


@pytest.fixture
def asleep(desk: Desk) -> Run:
    """An order whose next look is far away; the run of the last one."""
    subscriptions.channel(desk.ledger, "default", URL)
    ensuring = desk.run(Lane.DASHBOARD)
    subscriptions.made(desk.ledger, ensuring, "s-1")
    desk.passes(60)
    desk.accept(1)
    run = desk.accepted(desk.run(Lane.DASHBOARD))
    polling.unfinished(desk.ledger, run, "PROCESSING", 300)
    return run


def wake(desk: Desk, order: str | None = None, account: str = "default", reference: str | None = None) -> bool:
    (row,) = desk.rows(schema.orders)
    return waking.wake(desk.ledger, account, carrier_order_id=order or row.carrier_order_id, reference=reference)


def due_in(desk: Desk) -> float:
    with desk.ledger.read() as tx:
        return float(desk.row(schema.work).due_at - tx.now)


def test_word_of_an_order_makes_its_look_due(desk: Desk, asleep: Run) -> None:
    assert not desk.claim(Lane.DASHBOARD).grants
    assert wake(desk)
    (grant,) = desk.claim(Lane.DASHBOARD).grants
    assert grant.order_id == asleep.order_id


def test_of_an_order_of_which_word_has_come_no_look_is_the_last(desk: Desk) -> None:
    desk.accept(1)
    run = desk.run(Lane.DASHBOARD)
    submitting.sending(desk.ledger, run)
    orders.wait(desk.ledger, run, 60, "order_not_seen", over=True)
    assert desk.row(schema.work).lost
    assert wake(desk, "unheard-of", reference=desk.row(schema.orders).reference)
    assert not desk.row(schema.work).lost


def test_words_of_others_change_nothing(desk: Desk, asleep: Run) -> None:
    assert not wake(desk, "unheard-of")
    assert not wake(desk, account="north")
    assert not waking.wake(desk.ledger, "default", carrier_order_id=None, reference=None)
    assert due_in(desk) > 290


def test_the_reference_is_as_good_as_the_carriers_id(desk: Desk, asleep: Run) -> None:
    assert wake(desk, "other", reference=desk.row(schema.orders).reference)
    assert due_in(desk) <= 0


def test_a_flood_makes_one_look_a_second(desk: Desk, asleep: Run) -> None:
    for _ in range(5):
        assert wake(desk)
    look = desk.run(Lane.DASHBOARD)
    assert polling.unfinished(desk.ledger, look, "PROCESSING", 300, looked_at=0) <= notifying.AT_MOST_EACH
    for _ in range(5):
        assert wake(desk)
    assert 0 < due_in(desk) <= notifying.AT_MOST_EACH


def test_the_order_of_an_import_that_is_paused_is_looked_at_for_a_word(desk: Desk, asleep: Run) -> None:
    control.pause(desk.ledger, str(asleep.import_id))
    assert not desk.claim(Lane.DASHBOARD).grants
    assert wake(desk)
    assert desk.run(Lane.DASHBOARD).order_id == asleep.order_id


def test_an_end_without_word_is_kept_until_its_word_comes(desk: Desk, asleep: Run) -> None:
    desk.passes(301)
    desk.end_well(desk.run(Lane.DASHBOARD))
    missed = desk.row(schema.subscriptions)
    assert (missed.untold_order, missed.told_at) == (desk.row(schema.orders).carrier_order_id, None)
    wake(desk, "another")
    assert desk.row(schema.subscriptions).untold_at is not None
    assert not wake(desk)
    late = desk.row(schema.subscriptions)
    assert (late.untold_at, late.untold_order) == (None, None)
    assert late.told_at is not None


def test_an_end_of_which_word_has_come_is_no_miss(desk: Desk, asleep: Run) -> None:
    wake(desk)
    desk.end_well(desk.run(Lane.DASHBOARD))
    assert desk.row(schema.subscriptions).untold_at is None


def test_a_miss_counts_from_its_first_and_again_when_it_was_forgiven(desk: Desk, asleep: Run) -> None:
    def missed(order: str) -> float | None:
        with desk.ledger.write() as tx:
            subscriptions.untold(tx, "default", order, tx.now)
        return desk.row(schema.subscriptions).untold_at

    first = missed("a")
    assert missed("b") == first
    assert desk.row(schema.subscriptions).untold_order == "a"
    desk.passes(notifying.PROBATION + 1)
    wake(desk, "another")
    missed("c")
    assert desk.row(schema.subscriptions).untold_order == "c"


def test_the_accounts_own_work_is_not_held_up_by_orders_at_the_carrier(desk: Desk) -> None:
    import_id = desk.accept(40, 1)
    for _ in range(16):
        run = desk.run(Lane.DASHBOARD)
        submitting.sending(desk.ledger, run)
        submitting.accepted(desk.ledger, run, f"c-{run.order_id}", "RECEIVED", 300)
    subscriptions.channel(desk.ledger, "default", URL)
    assert [grant.task for grant in desk.claim(Lane.DASHBOARD).grants] == ["tnimport.ensure_subscription"]
    assert desk.state(import_id) == "running"
