"""Step 4: each number of a grant is imported once, and whatever else happens to it has a name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.results import Done
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.contract import Task
from tnimport.domain.backoff import ATTEMPTS_MOST
from tnimport.ledger.housekeeping import clock as ledgers_clock
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.imports import control
from tnimport.ledger.schema import imports, lanes, orders

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.ledger.conftest import Clock
    from tests.tasks.conftest import World

HOUR = 3600.0
NUMBER = "9192381000"
OTHER = "9192381001"
MANY = [f"91923810{index:02}" for index in range(60)]
JSON = {"Content-Type": "application/json"}
pytestmark = pytest.mark.usefixtures("whole_grants")


def already_there(world: World, number: str, application: str | None = None) -> str:
    """Put a number into Catapult before the import begins; returns its resource."""
    world.sandbox.put_in_service([number])
    theirs = application or world.access.catapult.create_application(
        ApplicationSpec(name="theirs", incoming_message_url="https://example.com/theirs"), 5
    )
    return world.access.catapult.import_number(f"+1{number}", theirs, 5)


def test_a_grant_imports_every_number_and_says_how_many(world: World, available: Callable[..., str]) -> None:
    import_id = available(*MANY)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 60})
    assert world.view(import_id).state == "complete"
    ours = {number: one.number_id for number, one in world.numbers(import_id).items()}
    assert ours == {number: one["id"] for number, one in world.at_catapult().items()}
    assert world.waiting() == []


def test_until_a_first_success_only_one_number_is_tried(world: World, application: str) -> None:
    world.available(*MANY, application={"id": application})
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 1})
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 59})


@pytest.mark.parametrize(
    ("last_four", "code"),
    [("0935", "validation-error"), ("0938", "restricted-number")],
)
def test_a_number_that_the_carrier_refuses_fails_alone(
    world: World, available: Callable[..., str], last_four: str, code: Any
) -> None:
    bad = f"919238{last_four}"
    import_id = available(NUMBER, bad)
    world.run(Task.IMPORT_NUMBERS)
    failed = world.numbers(import_id)[bad]
    assert (failed.state, failed.stage, failed.code) == ("failed", "import", code)
    assert failed.attempts == 1
    assert world.fates(import_id)[NUMBER] == ("imported", None)
    assert world.view(import_id).state == "partial"


def test_a_provider_that_catapult_does_not_know_is_a_fault_of_the_account_and_not_of_the_number(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available("9192380939")
    assert world.run(Task.IMPORT_NUMBERS) == Done({"stopped": 1})
    assert world.view(import_id).held["code"] == "service-provider-not-found"
    assert world.view(import_id).counts["available"] == 1


@pytest.mark.parametrize("kind", ["cut-after", "truncated", "error-after"])
def test_a_number_whose_answer_was_lost_is_looked_up_and_is_ours(
    world: World, available: Callable[..., str], kind: str
) -> None:
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", kind, count=1)
    world.run(Task.IMPORT_NUMBERS)
    assert world.the_work().look
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 1})
    assert world.fates(import_id) == {NUMBER: ("imported", None)}
    assert world.effects(NUMBER)["imports"] == 1
    assert len(world.sandbox.calls("catapult.numbers.create")) == 1


def test_a_number_whose_answer_was_lost_is_looked_up_though_its_import_was_cancelled(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(NUMBER, OTHER)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    world.run(Task.IMPORT_NUMBERS)
    control.cancel(world.ledger, import_id)
    not_yet = json.dumps({"category": "not-found", "code": "number-not-found", "message": "not yet"})
    world.sandbox.fault("catapult.numbers.get", "answer", status=404, headers=JSON, body=not_yet, count=1)
    world.run(Task.IMPORT_NUMBERS)  # too early to tell: the carrier may still be at it
    assert 0 < world.in_how_long(Task.IMPORT_NUMBERS) <= 2 * world.http_timeout
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 1})
    assert world.fates(import_id) == {NUMBER: ("imported", None), OTHER: ("cancelled", None)}


def test_a_number_that_is_not_there_long_after_a_cancel_is_cancelled(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", "cut-before", count=1)
    world.run(Task.IMPORT_NUMBERS)
    control.cancel(world.ledger, import_id)
    world.earlier(imports, "cancel_asked_at", 2 * world.http_timeout)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"tried": 1})
    assert world.fates(import_id) == {NUMBER: ("cancelled", None)}
    assert world.effects(NUMBER)["imports"] == 0


def test_a_number_whose_request_was_lost_is_looked_up_and_then_imported(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", "cut-before", count=1)
    world.run(Task.IMPORT_NUMBERS)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"tried": 1})
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 1})
    assert world.fates(import_id) == {NUMBER: ("imported", None)}
    assert world.effects(NUMBER)["imports"] == 1


def test_a_conflict_after_our_own_lost_success_is_a_success(world: World, available: Callable[..., str]) -> None:
    """The look-up came too early to see it; the second import is refused as a duplicate of our first."""
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    world.run(Task.IMPORT_NUMBERS)
    body = json.dumps({"category": "not-found", "code": "number-not-found", "message": "not yet"})
    world.sandbox.fault("catapult.numbers.get", "answer", status=404, headers=JSON, body=body, count=1)
    world.run(Task.IMPORT_NUMBERS)
    world.run(Task.IMPORT_NUMBERS)  # 409
    assert world.effects(NUMBER)["conflicts"] == 1
    assert world.run(Task.IMPORT_NUMBERS) == Done({"imported": 1})
    with world.ledger.read() as tx:
        assert tx.run(sa.text("SELECT added FROM numbers")).scalar_one()
    assert world.fates(import_id) == {NUMBER: ("imported", None)}


@pytest.mark.parametrize(
    ("on_present", "theirs", "fate"),
    [
        ("skip", False, ("present", "present")),
        ("fail", False, ("failed", "duplicate-number")),
        ("refresh", False, ("imported", None)),
        ("skip", True, ("failed", "application_conflict")),
        ("fail", True, ("failed", "application_conflict")),
        ("refresh", True, ("imported", None)),
    ],
)
def test_a_number_that_was_there_before(  # noqa: PLR0917 - fixtures and the columns of the table
    world: World,
    available: Callable[..., str],
    application: str,
    on_present: str,
    theirs: bool,
    fate: tuple[str, str | None],
) -> None:
    import_id = available(NUMBER, on_present=on_present)
    number_id = already_there(world, NUMBER, None if theirs else application)
    calls = len(world.sandbox.calls("catapult.numbers.create"))
    assert world.run(Task.IMPORT_NUMBERS) == Done({"tried": 1})
    world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {NUMBER: fate}
    assert len(world.sandbox.calls("catapult.numbers.create")) == calls + 1
    held = world.at_catapult()[NUMBER]
    assert held["id"] == number_id
    assert (held["application_id"] == application) == (not theirs or on_present == "refresh")
    with world.ledger.read() as tx:
        assert not tx.run(sa.text("SELECT added FROM numbers")).scalar_one(), "undo must not take it away"


def test_a_number_that_was_there_long_before_is_not_ours_because_an_answer_was_lost(
    world: World, available: Callable[..., str], application: str, clock: Clock
) -> None:
    import_id = available(NUMBER)
    already_there(world, NUMBER, application)
    clock.step(HOUR)
    world.earlier(orders, "sent_at", -HOUR)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    for _ in range(2):
        world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {NUMBER: ("present", "present")}


@pytest.mark.parametrize("on_present", ["skip", "fail"])
@pytest.mark.parametrize("followed", [False, True])
def test_a_number_is_ours_though_the_clock_was_ahead_when_its_order_was_sent(
    world: World, available: Callable[..., str], clock: Clock, on_present: str, followed: bool
) -> None:
    dispatcher = Process(kind="dispatcher", host="here", pid=1, version="1")
    clock.step(HOUR)
    heartbeats.beat(world.ledger, dispatcher, first=True)
    import_id = available(NUMBER, on_present=on_present)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    world.run(Task.IMPORT_NUMBERS)
    clock.reset()
    if followed:
        ledgers_clock.follow(world.ledger)
        clock.step(2 * HOUR)  # and time passes
    world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {NUMBER: ("imported", None)}


@pytest.mark.parametrize("kind", ["error", "cut-after", "rate-limited"])
def test_a_refresh_whose_change_failed_is_repeated(
    world: World, available: Callable[..., str], application: str, kind: str
) -> None:
    import_id = available(NUMBER, on_present="refresh")
    already_there(world, NUMBER)
    world.run(Task.IMPORT_NUMBERS)
    world.sandbox.fault("catapult.numbers.update", kind, count=1)
    world.run(Task.IMPORT_NUMBERS)
    world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {NUMBER: ("imported", None)}
    assert world.at_catapult()[NUMBER]["application_id"] == application


def test_a_number_that_somebody_else_has_is_tried_a_few_times_and_then_fails(
    world: World, available: Callable[..., str]
) -> None:
    foreign = "9192380930"  # 409, and a look-up gives 404
    import_id = available(foreign)
    for _ in range(4 * ATTEMPTS_MOST):
        if not world.waiting():
            break
        world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {foreign: ("failed", "duplicate-number")}
    assert len(world.sandbox.calls("catapult.numbers.create")) <= ATTEMPTS_MOST


def test_a_number_that_never_works_fails_after_a_few_attempts_while_the_lane_is_well(
    world: World, available: Callable[..., str]
) -> None:
    """A lane on which nothing at all works is in doubt, and then an attempt says nothing about the number."""
    import_id = available("9192380940", *MANY)
    for _ in range(4 * ATTEMPTS_MOST):
        if not world.waiting():
            break
        with world.ledger.write() as tx:
            tx.run(sa.update(lanes).values(trouble=0, opened=True))
        world.run(Task.IMPORT_NUMBERS)
    failed = world.numbers(import_id)["9192380940"]
    assert (failed.state, failed.stage, failed.attempts) == ("failed", "import", ATTEMPTS_MOST)
    assert world.view(import_id).counts["imported"] == 60


def test_a_look_that_cannot_be_made_is_repeated(world: World, available: Callable[..., str]) -> None:
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    world.sandbox.fault("catapult.numbers.get", "error", count=2)
    world.run(Task.IMPORT_NUMBERS)
    for _ in range(2):
        world.run(Task.IMPORT_NUMBERS)
        assert world.the_work().look
    world.run(Task.IMPORT_NUMBERS)
    assert world.fates(import_id) == {NUMBER: ("imported", None)}
    assert len(world.sandbox.calls("catapult.numbers.create")) == 1


def test_a_look_that_is_refused_for_good_fails_the_number_after_a_few_attempts(
    world: World, available: Callable[..., str]
) -> None:
    import_id = available(NUMBER)
    world.sandbox.fault("catapult.numbers.create", "cut-after", count=1)
    body = json.dumps({"category": "bad-request", "code": "validation-error", "message": "no"})
    world.sandbox.fault("catapult.numbers.get", "answer", status=400, headers=JSON, body=body)
    for _ in range(2 * ATTEMPTS_MOST):
        if not world.waiting():
            break
        world.run(Task.IMPORT_NUMBERS)
    world.sandbox.clear_faults()
    assert world.fates(import_id) == {NUMBER: ("failed", "validation-error")}
