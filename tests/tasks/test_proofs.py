"""Verification from the request to the end: the steps, the sandbox, and its messages looped back as callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.intake import submit
from tasks.results import Done, Later
from tnimport.contract import Task
from tnimport.ledger.imports import control
from tnimport.ledger.proving import proofs
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from typing import Any

    from tests.tasks.conftest import World

NUMBERS = ["9192381000", "2062381001", "4152381002", "9192381003"]
WISH = {"name": "ours"}
OURS = "https://tn.example/callbacks/default"


@pytest.fixture
def calling(world: World) -> World:
    """An account that Bandwidth can call."""
    world.change(callback_url=OURS)
    world.sandbox.switch(message_delay=0)
    return world


def imported(world: World, *numbers: str, **options: Any) -> str:
    """An import through to the point where its numbers are imported."""
    import_id = world.available(*numbers, **{"application": WISH, "verify": "all"} | options)
    while Task.ENSURE_APPLICATION in {row.task for row in world.waiting()}:
        world.run(Task.ENSURE_APPLICATION)
    world.opened()
    while Task.IMPORT_NUMBERS in {row.task for row in world.waiting()}:
        world.run(Task.IMPORT_NUMBERS)
    return import_id


def looped_back(world: World, *, losing: frozenset[str] = frozenset()) -> int:
    """What came in at the sandbox arrives at our callback, but for what comes to these numbers."""
    held = world.sandbox.state("users")["users"][world.sandbox.user_id]["messages"]
    came = [one for one in held if one["direction"] == "in" and one["to"][-10:] not in losing]
    with world.ledger.write() as tx:
        for one in came:
            said = {"sender": one["from"], "recipient": one["to"], "text": one["text"]}
            assert proofs.arrived(tx, world.account.name, **said)
    return len(came)


def send_all(world: World) -> None:
    while Task.SEND_MESSAGE in {row.task for row in world.waiting()}:
        world.run(Task.SEND_MESSAGE)


def test_numbers_that_exchange_messages_are_verified_and_the_import_is_complete(calling: World) -> None:
    world = calling
    import_id = imported(world, *NUMBERS)
    view = world.view(import_id)
    assert (view.state, view.counts["imported"], view.finished_at) == ("running", 4, None)
    assert view.verify == "all"
    assert isinstance(world.run(Task.VERIFY_NUMBERS), Later)
    waits = world.view(import_id).waiting_on
    assert waits is not None
    assert (waits["what"], waits["left"]) == ("verify", 4)
    send_all(world)
    assert looped_back(world) == 4
    assert world.run(Task.VERIFY_NUMBERS) == Done({"verified": 4})
    view = world.view(import_id)
    assert (view.state, view.counts["verified"]) == ("complete", 4)
    assert {one["kind"] for one in reads.events_of(world.ledger, import_id)} >= {"verify_ended", "import_finished"}
    assert world.waiting() == []
    assert len(world.sandbox.calls("catapult.messages.create")) == 4


def test_a_number_whose_messages_are_lost_is_imported_and_says_so(calling: World) -> None:
    world = calling
    world.change(verify_seconds=0.001)
    import_id = imported(world, *NUMBERS)
    world.run(Task.VERIFY_NUMBERS)
    send_all(world)
    looped_back(world, losing=frozenset({NUMBERS[1]}))
    assert isinstance(world.run(Task.VERIFY_NUMBERS), Done)
    fates = world.fates(import_id)
    assert fates[NUMBERS[1]] == ("imported", "received_nothing")
    (before,) = [number for number, fate in fates.items() if fate == ("imported", "sent_nothing_arrived")]
    assert before in NUMBERS
    assert [fate for fate in fates.values() if fate == ("verified", None)] == [("verified", None)] * 2
    assert world.view(import_id).state == "complete"
    assert world.numbers(import_id)[before].stage == "verify"


def test_an_estimate_is_made_of_the_messages_pace(calling: World) -> None:
    world = calling
    import_id = imported(world, *NUMBERS)
    world.run(Task.VERIFY_NUMBERS)
    slow = {world.account.name: type(world.account.paces)(messages_per_second=0.5)}
    view = reads.import_view(world.ledger, import_id, slow)
    assert view is not None
    assert view.eta is not None
    with world.ledger.read() as tx:
        assert 7 < view.eta - tx.now < 9


def test_a_resumed_import_sends_no_message_twice(calling: World) -> None:
    world = calling
    import_id = imported(world, *NUMBERS)
    world.run(Task.VERIFY_NUMBERS)
    world.sandbox.fault("catapult.messages.create", "unauthorized", count=1)
    world.run(Task.SEND_MESSAGE)
    assert world.view(import_id).state == "held"
    control.resume(world.ledger, import_id)
    send_all(world)
    assert looped_back(world) == 4
    assert world.run(Task.VERIFY_NUMBERS) == Done({"verified": 4})
    assert len(world.sandbox.calls("catapult.messages.create", status=201)) == 4


def test_without_a_callback_it_is_refused(world: World) -> None:
    answer = submit(world.parts, {"numbers": NUMBERS, "application": {"id": "a-1"}, "verify": "all"}, task_id="one")
    assert "no_callback" in str(answer)
