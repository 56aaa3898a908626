"""Order notifications: asked for once, renewed, given up quietly, and trusted only while they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tasks.results import Done, Later
from tnimport.bandwidth.subscriptions import SubscriptionSpec
from tnimport.contract import Task
from tnimport.domain import notifying
from tnimport.ledger.imports import waking
from tnimport.ledger.schema import subscriptions

if TYPE_CHECKING:
    from tests.tasks.conftest import World

NUMBER = "9192381000"
URL = "https://tn.example/callbacks/default/orders"
ENSURE = Task.ENSURE_SUBSCRIPTION


@pytest.fixture
def told(world: World) -> World:
    """An account whose orders are told of at our address."""
    world.change(orders_url=URL)
    world.sandbox.switch(order_outcome="stuck-processing")
    world.submit(NUMBER)
    return world


def planned(world: World) -> list[Task]:
    return [row.task for row in world.waiting()]


def row(world: World) -> sa.Row[Any]:
    with world.ledger.read() as tx:
        return tx.run(sa.select(subscriptions)).one()


def at_carrier(world: World) -> list[dict[str, Any]]:
    return list(world.sandbox.state("dashboards")["dashboards"][world.sandbox.account_id]["subscriptions"])


def ensured(world: World, most: int = 10) -> Done:
    for _ in range(most):
        result = world.run(ENSURE)
        if isinstance(result, Done):
            return result
    raise AssertionError(f"not through after {most} steps")


def word(world: World) -> bool:
    """Word of the one order comes."""
    with world.ledger.read() as tx:
        carrier_id = tx.run(sa.text("SELECT carrier_order_id FROM orders")).scalar_one()
    return waking.wake(world.ledger, "default", carrier_order_id=carrier_id, reference=None)


def test_the_first_order_of_an_account_has_it_made_once(told: World) -> None:
    assert ENSURE not in planned(told)
    told.run(Task.SUBMIT_ORDER)
    told.run(Task.POLL_ORDER)
    assert planned(told).count(ENSURE) == 1
    assert told.run(ENSURE) == Later("there is no subscription yet", 0)
    made = ensured(told)
    assert made.counts["created"] == "yes"
    (held,) = at_carrier(told)
    assert (held["id"], held["url"]) == (made.counts["subscription"], URL)
    told.run(Task.POLL_ORDER)
    assert ENSURE not in planned(told)


def test_without_an_address_nothing_is_asked_for(world: World) -> None:
    world.submit(NUMBER)
    world.run(Task.SUBMIT_ORDER)
    assert planned(world) == [Task.POLL_ORDER]


@pytest.mark.parametrize("url", [URL, URL.replace("https://", "https://tnimport:old@")])
def test_one_that_is_there_is_taken_over_with_our_password_for_its_whole_life(told: World, url: str) -> None:
    dashboard = told.access.dashboard
    others = [
        SubscriptionSpec(url="https://other.example/", expiry=9999),
        SubscriptionSpec(url=url, order_id="5", expiry=99),
    ]
    theirs = [dashboard.create_subscription(other, 5) for other in others]
    ours = dashboard.create_subscription(SubscriptionSpec(url=url, expiry=60), 5)
    told.run(Task.SUBMIT_ORDER)
    assert ensured(told) == Done({"subscription": ours, "created": "no"})
    assert {held["id"] for held in at_carrier(told)} == {ours, *theirs}
    found = dashboard.get_subscription(ours, 5)
    assert found.expiry is not None
    assert found.expiry > notifying.LIFE - 60


@pytest.mark.parametrize("kind", ["cut-after", "cut-before", "error-after", "empty"])
def test_a_lost_answer_makes_no_second_one(told: World, kind: str) -> None:
    told.run(Task.SUBMIT_ORDER)
    told.run(ENSURE)
    told.sandbox.fault("dashboard.subscriptions.create", kind, count=1)
    assert ensured(told).counts["subscription"] == at_carrier(told)[0]["id"]
    assert len(at_carrier(told)) == 1


def test_it_is_renewed_before_its_end_and_made_anew_if_it_is_gone(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    first = ensured(told).counts["subscription"]
    told.earlier(subscriptions, "expires_at", notifying.LIFE - notifying.RENEWED_BEFORE + 1)
    told.run(Task.POLL_ORDER)
    assert told.run(ENSURE) == Done({"subscription": first, "created": "no"})
    told.access.dashboard.delete_subscription(str(first), 5)
    told.earlier(subscriptions, "expires_at", notifying.LIFE)
    told.run(Task.POLL_ORDER)
    assert isinstance(told.run(ENSURE), Later)
    again = ensured(told).counts
    assert (again["created"], again["subscription"] != first) == ("yes", True)


def test_another_address_begins_anew(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    ensured(told)
    word(told)
    told.change(orders_url=URL.replace("tn.", "moved."))
    told.run(Task.POLL_ORDER)
    assert row(told).told_at is None
    assert ensured(told).counts["created"] == "yes"
    assert row(told).url == told.account.orders_url


@pytest.mark.parametrize(("endpoint", "status"), [("list", 401), ("create", 403), ("create", 400), ("create", 503)])
def test_what_cannot_be_had_harms_no_import_and_is_tried_again_when_it_has_rested(
    told: World, endpoint: str, status: int
) -> None:
    told.run(Task.SUBMIT_ORDER)
    body = "<r><ResponseStatus><ErrorCode>1</ErrorCode><Description>no</Description></ResponseStatus></r>"
    told.sandbox.fault(f"dashboard.subscriptions.{endpoint}", "answer", status=status, body=body)
    assert ensured(told).counts["subscription"] == "given up"
    assert told.view(told.imports()[0]).state == "running"
    told.run(Task.POLL_ORDER)
    assert ENSURE not in planned(told)
    told.sandbox.clear_faults()
    told.earlier(subscriptions, "rest_until", notifying.REST)
    told.run(Task.POLL_ORDER)
    assert ensured(told).counts["created"] == "yes"


def test_it_is_not_asked_for_any_more_when_it_was_switched_off_meanwhile(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    told.change(orders_url=None)
    assert told.run(ENSURE) == Done({"subscription": "not wanted"})
    assert at_carrier(told) == []


def test_orders_are_polled_as_usual_until_word_has_come_and_then_at_the_slowest_pace(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    ensured(told)
    assert told.run(Task.POLL_ORDER) == Later("PROCESSING, look 1", told.account.poll_first)
    assert word(told)
    assert told.in_how_long(Task.POLL_ORDER) <= 0
    assert told.run(Task.POLL_ORDER) == Later("PROCESSING, look 2", told.account.poll_max)
    told.sandbox.release()
    assert word(told)
    assert told.in_how_long(Task.POLL_ORDER) <= notifying.AT_MOST_EACH
    assert isinstance(told.run(Task.POLL_ORDER), Done)
    assert row(told).untold_at is None


def test_word_that_comes_during_a_look_is_followed_by_another(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told.run(Task.SUBMIT_ORDER)
    ensured(told)
    word(told)
    really = told.access.dashboard.get_order

    def get_order(*arguments: Any) -> Any:
        found = really(*arguments)
        with told.ledger.write() as tx:  # the word before was long ago
            tx.run(sa.text("UPDATE orders SET woken_at = woken_at - 60"))
        word(told)
        return found

    monkeypatch.setattr(told.access.dashboard, "get_order", get_order)
    result = told.run(Task.POLL_ORDER)
    assert isinstance(result, Later)
    assert result.seconds <= notifying.AT_MOST_EACH
    monkeypatch.setattr(told.access.dashboard, "get_order", really)
    assert told.run(Task.POLL_ORDER) == Later("PROCESSING, look 2", told.account.poll_max)


def test_an_end_of_which_no_word_has_come_brings_the_usual_pace_back(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    ensured(told)
    word(told)
    second = told.submit("9192381001")
    told.run(Task.SUBMIT_ORDER)
    told.sandbox.release()
    while told.view(second).counts["ordered"]:
        told.run(Task.POLL_ORDER)
    assert row(told).untold_at is not None
    told.earlier(subscriptions, "untold_at", notifying.LATE)
    told.submit("9192381002")
    told.run(Task.SUBMIT_ORDER)
    while not isinstance(result := told.run(Task.POLL_ORDER), Later):
        pass
    assert result.seconds == told.account.poll_first


def test_a_failed_look_is_repeated_as_soon_as_ever(told: World) -> None:
    told.run(Task.SUBMIT_ORDER)
    ensured(told)
    word(told)
    told.sandbox.fault("dashboard.orders.get", "error", count=1)
    result = told.run(Task.POLL_ORDER)
    assert isinstance(result, Later)
    assert result.seconds < told.account.poll_max


def test_word_that_comes_before_the_answer_is_followed_at_once(told: World) -> None:
    reference = told.order(told.imports()[0])["reference"]
    told.sandbox.fault("dashboard.orders.create", "cut-after", count=1)
    told.run(Task.SUBMIT_ORDER)
    assert waking.wake(told.ledger, "default", carrier_order_id="unknown-yet", reference=reference)
    assert told.in_how_long(Task.SUBMIT_ORDER) <= 0
    told.run(Task.SUBMIT_ORDER)
    assert told.in_how_long(Task.POLL_ORDER) <= 0
