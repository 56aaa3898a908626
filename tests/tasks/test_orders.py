"""Steps 1 and 2: submitting an order and looking at it, with every answer that the carrier may give."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.catalogue import STEPS
from tasks.results import Done, Later
from tnimport.contract import Task
from tnimport.domain import backoff
from tnimport.ledger.imports import control
from tnimport.ledger.schema import orders
from tnimport.ledger.schema import work as work_table

if TYPE_CHECKING:
    from typing import Any

    from tests.ledger.conftest import Clock
    from tests.tasks.conftest import World

GOOD, ALSO_GOOD = "9192381000", "2062381001"
BLAMED = "9192381777"
XML = {"Content-Type": "application/xml"}
HOUR = 3600.0


def test_an_accepted_order_is_looked_at_next(world: World) -> None:
    import_id = world.submit(GOOD, ALSO_GOOD)
    result = world.run(Task.SUBMIT_ORDER)
    assert isinstance(result, Done)
    order = world.order(import_id)
    assert (order["state"], order["carrier_order_id"]) == ("accepted", result.counts["carrier_order_id"])
    assert world.view(import_id).counts["ordered"] == 2
    assert world.in_how_long(Task.POLL_ORDER) == pytest.approx(world.account.poll_first, abs=1)


def test_what_is_sent_is_what_was_asked_for(world: World) -> None:
    import_id = world.submit(GOOD, customer_order_id="ICPA123ABC")
    world.run(Task.SUBMIT_ORDER)
    (placed,) = world.sandbox.state("dashboards")["dashboards"][world.sandbox.account_id]["orders"]
    reference = world.order(import_id)["reference"]
    assert reference.startswith("ICPA123ABC")
    assert placed["customer_order_id"] == reference
    assert placed["numbers"] == 1
    assert list(world.sandbox.state("effects")["effects"]) == [GOOD]


def test_a_rate_limited_order_was_not_placed_and_waits_for_the_reset(world: World) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "rate-limited", count=1, seconds=30)
    result = world.run(Task.SUBMIT_ORDER)
    assert isinstance(result, Later)
    assert 25 < result.seconds <= 31
    assert world.order(import_id)["state"] == "planned"
    assert 25 < world.in_how_long(Task.SUBMIT_ORDER) <= 31
    world.run(Task.SUBMIT_ORDER)
    assert world.order(import_id)["state"] == "accepted"
    assert world.effects(GOOD)["orders"] == 1


def test_an_order_that_never_left_is_still_planned_and_sent_without_asking_first(world: World, free_port: int) -> None:
    import_id = world.submit(GOOD)
    world.nobody_listens(free_port)
    assert isinstance(world.run(Task.SUBMIT_ORDER), Later)
    assert world.order(import_id)["state"] == "planned"
    world.mended()
    assert isinstance(world.run(Task.SUBMIT_ORDER), Done)
    assert [call["endpoint"] for call in world.sandbox.calls("dashboard")] == ["dashboard.orders.create"]


@pytest.mark.parametrize("kind", ["cut-after", "truncated", "error-after"])
def test_an_order_whose_answer_was_lost_is_asked_for_and_adopted(world: World, kind: str) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", kind, count=1)
    assert isinstance(world.run(Task.SUBMIT_ORDER), Later)
    assert world.order(import_id)["state"] == "submitting"
    assert world.view(import_id).counts["requested"] == 1
    assert isinstance(world.run(Task.SUBMIT_ORDER), Done)
    assert world.order(import_id)["state"] == "accepted"
    assert world.effects(GOOD)["orders"] == 1
    assert len(world.sandbox.calls("dashboard.orders.create")) == 1


def test_an_order_that_does_not_appear_is_asked_for_until_it_is_settled_and_then_sent_again(world: World) -> None:
    world.change(order_settle=600)
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-before", count=1)
    world.run(Task.SUBMIT_ORDER)
    for _ in range(3):
        assert isinstance(world.run(Task.SUBMIT_ORDER), Later)
        assert world.order(import_id)["state"] == "submitting"
    assert len(world.sandbox.calls("dashboard.orders.create")) == 1
    reference = world.order(import_id)["reference"]
    world.earlier(orders, "sent_at", 601)
    assert world.run(Task.SUBMIT_ORDER) == Later("the lost order is not seen yet", world.http_timeout)
    assert world.run(Task.SUBMIT_ORDER) == Later("the lost order never appeared; it is sent again", 0)
    assert world.order(import_id)["state"] == "planned"
    world.run(Task.SUBMIT_ORDER)
    assert world.order(import_id)["state"] == "accepted"
    assert world.order(import_id)["reference"] == reference
    assert world.effects(GOOD)["orders"] == 1


def test_an_order_that_is_lost_again_and_again_is_asked_for_as_soon_as_the_first_time(world: World) -> None:
    import_id = world.submit(GOOD)
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).where(work_table.c.import_id == import_id).values(attempts=9))
    world.sandbox.fault("dashboard.orders.create", "cut-after", count=1)
    result = world.run(Task.SUBMIT_ORDER)
    assert isinstance(result, Later)
    assert result.seconds <= backoff.RETRY_FIRST
    (left,) = [row for row in world.waiting() if row.task == Task.SUBMIT_ORDER]
    assert left.attempts == 1


def test_a_clock_that_is_put_forward_does_not_send_an_order_again_that_is_still_on_its_way(world: World) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-after", count=1)
    world.run(Task.SUBMIT_ORDER)
    world.earlier(orders, "sent_at", 100_000)
    empty(world)
    assert world.run(Task.SUBMIT_ORDER) == Later("the lost order is not seen yet", world.http_timeout)
    assert isinstance(world.run(Task.SUBMIT_ORDER), Done)
    assert world.order(import_id)["state"] == "accepted"
    assert len(world.sandbox.calls("dashboard.orders.create")) == 1


def test_a_wait_for_a_lost_order_does_not_outlast_the_time_it_may_still_appear_in(world: World) -> None:
    world.change(order_settle=600)
    world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-before", count=1)
    world.run(Task.SUBMIT_ORDER)
    world.earlier(orders, "sent_at", 590)
    result = world.run(Task.SUBMIT_ORDER)
    assert isinstance(result, Later)
    assert 0 < result.seconds <= 10


def test_a_list_that_cannot_be_had_tells_nothing_of_the_order(world: World) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-after", count=1)
    world.run(Task.SUBMIT_ORDER)
    world.sandbox.fault("dashboard.orders.list", "error", count=1)
    world.earlier(orders, "sent_at", 100_000)
    assert isinstance(world.run(Task.SUBMIT_ORDER), Later)
    assert world.order(import_id)["state"] == "submitting"
    empty(world)
    assert world.run(Task.SUBMIT_ORDER) == Later("the lost order is not seen yet", world.http_timeout)
    world.run(Task.SUBMIT_ORDER)
    assert world.order(import_id)["state"] == "accepted"
    assert world.effects(GOOD)["orders"] == 1


def test_wrong_credentials_while_asking_hold_the_import_and_keep_the_doubt(world: World) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-after", count=1)
    world.run(Task.SUBMIT_ORDER)
    world.sandbox.fault("dashboard.orders.list", "unauthorized", count=1)
    assert "held" in world.run(Task.SUBMIT_ORDER).counts
    assert world.view(import_id).state == "held"
    assert world.order(import_id)["state"] == "submitting"
    control.resume(world.ledger, import_id)
    world.run(Task.SUBMIT_ORDER)
    assert world.effects(GOOD)["orders"] == 1


def listed(*placed: tuple[str, str, str]) -> str:
    rows = "".join(
        f"<OrderIdUserIdDate><orderId>{order_id}</orderId><CustomerOrderId>{reference}</CustomerOrderId>"
        f"<OrderDate>{date}</OrderDate><OrderStatus>PROCESSING</OrderStatus></OrderIdUserIdDate>"
        for order_id, reference, date in placed
    )
    return f"<ResponseSelectWrapper><ListOrderIdUserIdDate>{rows}</ListOrderIdUserIdDate></ResponseSelectWrapper>"


def empty(world: World) -> None:
    """The next list does not show what is there."""
    body = listed(("1", "somebody-else", "2018"))
    world.sandbox.fault("dashboard.orders.list", "answer", status=200, headers=XML, body=body, count=1)


def test_of_several_listed_orders_the_oldest_with_exactly_our_reference_is_adopted(world: World) -> None:
    import_id = world.submit(GOOD)
    world.sandbox.fault("dashboard.orders.create", "cut-before", count=1)
    world.run(Task.SUBMIT_ORDER)
    ours = world.order(import_id)["reference"]
    first, second = "2018-01-01T00:00:00.000Z", "2018-01-02T00:00:00.000Z"
    body = listed(
        ("11111111-1111-4111-8111-111111111111", ours + "x", first),
        ("22222222-2222-4222-8222-222222222222", ours, second),
        ("33333333-3333-4333-8333-333333333333", ours, first),
        ("44444444-4444-4444-8444-444444444444", "x" + ours, first),
    )
    headers = {"Content-Type": "application/xml"}
    world.sandbox.fault("dashboard.orders.list", "answer", status=200, headers=headers, body=body, count=1)
    assert isinstance(world.run(Task.SUBMIT_ORDER), Done)
    assert world.order(import_id)["carrier_order_id"] == "33333333-3333-4333-8333-333333333333"


def test_a_refused_order_fails_all_its_numbers_with_the_carriers_reason(world: World) -> None:
    import_id = world.submit("9192380916", GOOD)
    assert "refused" in world.run(Task.SUBMIT_ORDER).counts
    fates = world.numbers(import_id)
    assert {(one.state, one.stage) for one in fates.values()} == {("failed", "order")}
    assert all(one.code and one.description for one in fates.values())
    assert world.view(import_id).state == "failed"
    assert world.waiting() == []


def test_a_refusal_that_blames_some_numbers_fails_those_and_sends_the_others_again(world: World) -> None:
    import_id = world.submit(GOOD, BLAMED)
    body = (
        "<ExternalTnsOrderResponse><ErrorList><Error><Code>5070</Code><Description>Not valid</Description>"
        f"<TelephoneNumber>{BLAMED}</TelephoneNumber></Error></ErrorList></ExternalTnsOrderResponse>"
    )
    headers = {"Content-Type": "application/xml"}
    world.sandbox.fault("dashboard.orders.create", "answer", status=400, headers=headers, body=body, count=1)
    assert "refused" in world.run(Task.SUBMIT_ORDER).counts
    assert "carrier_order_id" in world.run(Task.SUBMIT_ORDER).counts
    fates = world.numbers(import_id)
    assert (fates[BLAMED].state, fates[BLAMED].stage, fates[BLAMED].code) == ("failed", "order", "5070")
    assert fates[GOOD].state == "ordered"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "http_401"), (403, "25010")],
    ids=["wrong password", "feature off"],
)
def test_a_fault_of_the_account_holds_the_import_with_an_instruction_and_loses_no_number(
    world: World, status: Any, code: Any
) -> None:
    import_id = world.submit(GOOD)
    if status == 401:
        world.password("wrong")
    else:
        world.sandbox.switch(feature_off=True)
    assert "held" in world.run(Task.SUBMIT_ORDER).counts
    view = world.view(import_id)
    assert view.state == "held"
    assert view.held["instruction"]
    assert view.counts["requested"] == 1
    assert world.order(import_id)["state"] == "planned"
    if status == 403:
        assert view.held["code"] == code
    world.sandbox.switch(feature_off=False)
    world.mended()
    world.run(Task.SUBMIT_ORDER)
    assert world.order(import_id)["state"] == "accepted"


def test_wrong_credentials_hold_every_import_of_the_account(world: World) -> None:
    first, second = world.submit(GOOD), world.submit(ALSO_GOOD)
    world.password("wrong")
    world.run(Task.SUBMIT_ORDER)
    assert {world.view(one).state for one in (first, second)} == {"held"}


def ordered(world: World, *numbers: str) -> str:
    import_id = world.submit(*numbers)
    world.run(Task.SUBMIT_ORDER)
    return import_id


def test_an_unfinished_order_is_looked_at_again_and_never_fails(world: World) -> None:
    world.sandbox.switch(order_outcome="stuck-processing")
    import_id = ordered(world, GOOD)
    for looks in (1, 2, 3):
        result = world.run(Task.POLL_ORDER)
        assert result == Later(f"PROCESSING, look {looks}", world.account.poll_first)
        assert world.order(import_id)["polls"] == looks
    world.earlier(orders, "accepted_at", 86_400 * 30)
    assert world.run(Task.POLL_ORDER) == Later("PROCESSING, look 4", world.account.poll_max)
    assert world.in_how_long(Task.POLL_ORDER) == pytest.approx(world.account.poll_max, abs=1)
    assert world.view(import_id).counts["ordered"] == 1


def test_a_complete_order_makes_every_number_available(world: World) -> None:
    import_id = ordered(world, GOOD, ALSO_GOOD)
    result = world.run(Task.POLL_ORDER)
    assert result == Done({"status": "COMPLETE", "good": 2, "failed": 0, "unaccounted": 0})
    assert world.view(import_id).counts["available"] == 2


@pytest.mark.parametrize("listing", [True, False], ids=["failed ones listed too", "only good ones listed"])
@pytest.mark.parametrize("shape", ["A", "B"])
def test_a_partial_order_gives_each_number_its_own_fate(world: World, shape: str, listing: bool) -> None:
    world.sandbox.switch(shape=shape, failed_numbers_listed=listing)
    bad = {"9192380900": "25060", "9192380901": "25070", "9192380905": "25060"}
    import_id = ordered(world, GOOD, *bad, "9192380906")
    result = world.run(Task.POLL_ORDER)
    assert result == Done({"status": "PARTIAL", "good": 1, "failed": 3, "unaccounted": 1})
    fates = world.fates(import_id)
    assert fates.pop(GOOD) == ("available", None)
    assert fates.pop("9192380906") == ("unaccounted", "unaccounted")
    assert fates == {number: ("failed", code) for number, code in bad.items()}


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [("9192380915", "FAILED", "25090"), ("9192380914", "EXCEPTION", None)],
)
def test_an_order_that_failed_as_a_whole_fails_its_numbers(world: World, number: str, status: Any, code: Any) -> None:
    import_id = ordered(world, GOOD, number)
    result = world.run(Task.POLL_ORDER)
    assert result.counts["status"] == status
    fates = world.fates(import_id)
    assert {state for state, _ in fates.values()} == {"failed"}
    if code:
        assert {why for _, why in fates.values()} == {code}
    assert world.view(import_id).state == "failed"


@pytest.mark.parametrize(("status", "fate"), [("PARTIAL", "unaccounted"), ("COMPLETE", "good")])
def test_an_error_beside_the_order_that_names_no_number_leaves_partial_in_doubt(
    world: World, status: str, fate: str
) -> None:
    import_id = ordered(world, GOOD, ALSO_GOOD)
    order_id = world.order(import_id)["carrier_order_id"]
    numbers = "".join(f"<TelephoneNumber>{tn}</TelephoneNumber>" for tn in (GOOD, ALSO_GOOD))
    body = (
        f"<ExternalTnsOrderResponse><ProcessingStatus>{status}</ProcessingStatus><ExternalTnsOrder><OrderId>{order_id}"
        f"</OrderId><TelephoneNumbers>{numbers}</TelephoneNumbers></ExternalTnsOrder>"
        "<Errors><Error><Code>25060</Code></Error></Errors></ExternalTnsOrderResponse>"
    )
    headers = {"Content-Type": "application/xml"}
    world.sandbox.fault("dashboard.orders.get", "answer", status=200, headers=headers, body=body, count=1)
    counts = dict.fromkeys(("good", "failed", "unaccounted"), 0) | {fate: 2}
    assert world.run(Task.POLL_ORDER) == Done({"status": status} | counts)
    shown = ("available", None) if fate == "good" else ("unaccounted", "unaccounted")
    assert set(world.fates(import_id).values()) == {shown}


def test_a_status_nobody_knows_is_waited_for(world: World) -> None:
    import_id = ordered(world, GOOD)
    order_id = world.order(import_id)["carrier_order_id"]
    body = (
        f"<ExternalTnsOrderResponse><OrderId>{order_id}</OrderId><Status>MARINATING</Status></ExternalTnsOrderResponse>"
    )
    headers = {"Content-Type": "application/xml"}
    world.sandbox.fault("dashboard.orders.get", "answer", status=200, headers=headers, body=body, count=1)
    result = world.run(Task.POLL_ORDER)
    assert isinstance(result, Later)
    assert world.view(import_id).counts["ordered"] == 1
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["available"] == 1


def vanish(world: World) -> None:
    world.sandbox.fault("dashboard.orders.get", "answer", status=404, headers={}, body="", count=1)


def test_an_order_that_the_carrier_does_not_show_and_then_shows_again_goes_on(world: World) -> None:
    world.sandbox.switch(order_outcome="stuck-processing")
    import_id = ordered(world, GOOD)
    vanish(world)
    assert isinstance(world.run(Task.POLL_ORDER), Later)
    world.earlier(orders, "missing_since", 500)
    assert isinstance(world.run(Task.POLL_ORDER), Later)  # it is back
    vanish(world)
    assert isinstance(world.run(Task.POLL_ORDER), Later)
    world.earlier(orders, "missing_since", 500)
    vanish(world)
    assert isinstance(world.run(Task.POLL_ORDER), Later), "the first absence must not count for the second"
    world.sandbox.release()
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["available"] == 1


def test_an_order_that_stays_away_for_longer_than_it_may_fails_with_a_reason_of_its_own(world: World) -> None:
    world.change(order_settle=600)
    import_id = ordered(world, GOOD, ALSO_GOOD)
    vanish(world)
    assert isinstance(world.run(Task.POLL_ORDER), Later)
    world.earlier(orders, "missing_since", 601)
    vanish(world)
    result = world.run(Task.POLL_ORDER)
    assert isinstance(result, Later)
    assert result.seconds >= world.http_timeout
    vanish(world)
    assert world.run(Task.POLL_ORDER) == Done({"status": "GONE", "failed": 2})
    assert set(world.fates(import_id).values()) == {("failed", "order_gone")}
    assert world.view(import_id).state == "failed"


def test_a_clock_that_is_put_forward_does_not_make_an_order_gone(world: World, clock: Clock) -> None:
    world.sandbox.switch(order_outcome="stuck-processing")
    import_id = ordered(world, GOOD)
    vanish(world)
    world.run(Task.POLL_ORDER)
    clock.step(HOUR)
    vanish(world)
    assert isinstance(world.run(Task.POLL_ORDER), Later)
    assert isinstance(world.run(Task.POLL_ORDER), Later), "it is there"
    for _ in range(2):
        vanish(world)
        assert isinstance(world.run(Task.POLL_ORDER), Later), "the absence before counts no more"
    world.sandbox.release()
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["available"] == 1


@pytest.mark.parametrize("kind", ["error", "cut-before", "cut-after", "rate-limited", "html", "empty", "truncated"])
def test_a_look_that_fails_is_repeated_and_changes_nothing(world: World, kind: str) -> None:
    import_id = ordered(world, GOOD)
    world.sandbox.fault("dashboard.orders.get", kind, count=1)
    assert isinstance(world.run(Task.POLL_ORDER), Later)
    assert world.view(import_id).counts["ordered"] == 1
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["available"] == 1


def test_a_run_that_stood_still_until_its_claim_was_over_sends_nothing(world: World) -> None:
    world.submit(GOOD)
    run = world.take(world.grant(Task.SUBMIT_ORDER))
    assert isinstance(STEPS[Task.SUBMIT_ORDER](world.job(run, deadline=monotonic())), Later)
    assert world.sandbox.calls("dashboard.orders.create") == []
    world.run(Task.SUBMIT_ORDER)
    assert world.effects(GOOD)["orders"] == 1


@pytest.mark.parametrize("fault", [{"kind": "error"}, {"kind": "answer", "status": 404, "headers": {}, "body": ""}])
def test_after_many_looks_one_that_fails_does_not_put_the_next_one_off(world: World, fault: dict[str, Any]) -> None:
    world.change(poll_first=2, poll_max=30)
    world.sandbox.switch(order_outcome="stuck-processing")
    ordered(world, GOOD)
    for _ in range(12):
        world.run(Task.POLL_ORDER)
    world.sandbox.fault("dashboard.orders.get", count=1, **fault)
    world.run(Task.POLL_ORDER)
    assert world.in_how_long(Task.POLL_ORDER) <= 30


def test_wrong_credentials_while_looking_hold_the_import_and_leave_the_order_where_it_is(world: World) -> None:
    import_id = ordered(world, GOOD)
    world.sandbox.fault("dashboard.orders.get", "unauthorized", count=1)
    assert "held" in world.run(Task.POLL_ORDER).counts
    assert world.view(import_id).state == "held"
    assert world.order(import_id)["state"] == "accepted"
    control.resume(world.ledger, import_id)
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["available"] == 1


def test_an_order_that_failed_for_the_account_is_withdrawn_and_placed_anew_under_another_reference(
    world: World,
) -> None:
    import_id = world.submit(GOOD, ALSO_GOOD, site_id="12345")
    world.run(Task.SUBMIT_ORDER)
    first = world.order(import_id)
    result = world.run(Task.POLL_ORDER)
    assert result.counts["status"] == "FAILED"
    assert "held" in result.counts
    view = world.view(import_id)
    assert view.state == "held"
    assert view.counts["requested"] == 2
    again = world.order(import_id)
    assert again["state"] == "planned"
    assert again["reference"] != first["reference"]
    assert len(again["reference"]) <= 40
    control.resume(world.ledger, import_id)
    world.run(Task.SUBMIT_ORDER)
    assert world.order(import_id)["carrier_order_id"] != first["carrier_order_id"]


def test_a_locked_account_is_no_reason_to_fail_a_number(world: World) -> None:
    import_id = ordered(world, GOOD, "9192380913")  # FAILED with 5012, "account locked", which names no number
    assert world.run(Task.POLL_ORDER).counts == {"status": "FAILED", "held": "5012"}
    assert world.view(import_id).counts["requested"] == 2


def test_a_fault_of_one_site_does_not_hold_the_other_imports(world: World) -> None:
    wrong, right = world.submit(GOOD, site_id="12345"), world.submit(ALSO_GOOD)
    world.run(Task.SUBMIT_ORDER)
    world.run(Task.POLL_ORDER)
    assert world.view(wrong).state == "held"
    assert world.view(right).state == "queued"
