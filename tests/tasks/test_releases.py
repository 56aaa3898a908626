"""Removal: numbers are deleted at Catapult, then ordered away from the Dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tasks.results import Done
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.contract import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.tasks.conftest import World

NUMBERS = [f"91923810{index:02}" for index in range(10)]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def imported(world: World):
    """Numbers that are in service and at Catapult, and an import that removes them."""

    def make(*numbers: str, at_catapult: bool = True) -> str:
        spec = ApplicationSpec(name="ours", incoming_message_url="https://example.com/inbound")
        application = world.access.catapult.create_application(spec, 5)
        world.sandbox.put_in_service(numbers)
        for number in numbers if at_catapult else ():
            world.access.catapult.import_number(f"+1{number}", application, 5)
        import_id = world.submit(*numbers, action="REMOVE", application=None)
        world.opened()
        return import_id

    return make


def released(world: World) -> None:
    while Task.RELEASE_NUMBERS in {row.task for row in world.waiting()}:
        world.run(Task.RELEASE_NUMBERS)


def test_a_removal_deletes_at_catapult_then_orders_away_and_nothing_is_left(
    world: World, imported: Callable[..., str]
) -> None:
    import_id = imported(*NUMBERS)
    assert world.run(Task.RELEASE_NUMBERS) == Done({"found": 10})
    assert world.run(Task.RELEASE_NUMBERS) == Done({"released": 10})
    assert world.view(import_id).counts["released"] == 10
    assert world.at_catapult() == {}
    world.run(Task.SUBMIT_ORDER)
    assert world.view(import_id).counts["ordered"] == 10
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["removed"] == 10
    assert world.view(import_id).state == "complete"
    assert world.sandbox.state("dashboards")["dashboards"][world.sandbox.account_id]["numbers"] == {}
    assert world.waiting() == []


def test_a_number_that_catapult_does_not_hold_is_only_ordered_away(world: World, imported: Callable[..., str]) -> None:
    import_id = imported(*NUMBERS, at_catapult=False)
    assert world.run(Task.RELEASE_NUMBERS) == Done({"released": 10})
    world.run(Task.SUBMIT_ORDER)
    world.run(Task.POLL_ORDER)
    assert world.view(import_id).counts["removed"] == 10
    assert world.sandbox.calls("catapult.numbers.delete") == []


@pytest.mark.parametrize("kind", ["cut-after", "cut-before", "error", "error-after", "rate-limited"])
def test_a_deletion_whose_answer_was_lost_is_repeated_until_it_is_gone(
    world: World, imported: Callable[..., str], kind: str
) -> None:
    import_id = imported(*NUMBERS[:3])
    world.sandbox.fault("catapult.numbers.delete", kind, count=1)
    released(world)
    assert world.at_catapult() == {}
    assert world.view(import_id).counts["released"] == 3


@pytest.mark.parametrize("kind", ["cut-before", "error", "rate-limited", "html"])
def test_a_look_before_a_removal_is_repeated(world: World, imported: Callable[..., str], kind: str) -> None:
    import_id = imported(*NUMBERS[:3])
    world.sandbox.fault("catapult.numbers.get", kind, count=1, skip=1)
    released(world)
    assert world.at_catapult() == {}
    assert world.view(import_id).counts["released"] == 3


def test_a_number_whose_deletion_is_refused_fails_at_the_release_and_is_not_ordered_away(
    world: World, imported: Callable[..., str]
) -> None:
    bad = "9192380952"
    import_id = imported(NUMBERS[0], bad)
    released(world)
    failed = world.numbers(import_id)[bad]
    assert (failed.state, failed.stage) == ("failed", "release")
    world.run(Task.SUBMIT_ORDER)
    world.run(Task.POLL_ORDER)
    assert world.fates(import_id)[NUMBERS[0]] == ("removed", None)
    assert world.effects(bad)["removals"] == 0
    assert set(world.at_catapult()) == {bad}
    assert world.view(import_id).state == "partial"


def test_a_look_that_is_refused_for_good_fails_the_number_at_the_release(
    world: World, imported: Callable[..., str]
) -> None:
    import_id = imported(NUMBERS[0])
    body = json.dumps({"category": "bad-request", "code": "validation-error", "message": "no"})
    world.sandbox.fault("catapult.numbers.get", "answer", status=400, headers=JSON, body=body)
    released(world)
    world.sandbox.clear_faults()
    failed = world.numbers(import_id)[NUMBERS[0]]
    assert (failed.state, failed.stage, failed.code) == ("failed", "release", "validation-error")


@pytest.mark.parametrize(("last_four", "code"), [("0953", "25040"), ("0954", "25120")])
def test_a_number_that_the_order_cannot_remove_fails_at_the_order(
    world: World, imported: Callable[..., str], last_four: str, code: Any
) -> None:
    bad = f"919238{last_four}"
    import_id = imported(NUMBERS[0], bad)
    released(world)
    world.run(Task.SUBMIT_ORDER)
    world.run(Task.POLL_ORDER)
    failed = world.numbers(import_id)[bad]
    assert (failed.state, failed.stage, failed.code) == ("failed", "order", code)
    assert world.fates(import_id)[NUMBERS[0]] == ("removed", None)


def test_a_removal_order_that_is_refused_fails_the_released_numbers(world: World, imported: Callable[..., str]) -> None:
    import_id = imported(*NUMBERS[:2])
    released(world)
    told = "<ErrorCode>5095</ErrorCode><Description>no</Description>"
    body = f"<ErrorResponse><ResponseStatus>{told}</ResponseStatus></ErrorResponse>"
    headers = {"Content-Type": "application/xml"}
    world.sandbox.fault("dashboard.orders.create", "answer", status=400, headers=headers, body=body, count=1)
    world.run(Task.SUBMIT_ORDER)
    assert {(one.state, one.stage) for one in world.numbers(import_id).values()} == {("failed", "order")}
    assert world.waiting() == []


def test_wrong_credentials_stop_a_removal_and_hold_it(world: World, imported: Callable[..., str]) -> None:
    import_id = imported(*NUMBERS[:3])
    world.run(Task.RELEASE_NUMBERS)
    world.sandbox.fault("catapult.numbers.delete", "unauthorized", count=1, skip=1)
    assert world.run(Task.RELEASE_NUMBERS) == Done({"released": 1, "stopped": 1})
    assert world.view(import_id).state == "held"
    world.mended()
    released(world)
    assert world.view(import_id).counts["released"] == 3
