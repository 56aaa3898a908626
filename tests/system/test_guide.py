"""Bandwidth's guide from its first step to its last, on real processes, with both ways of being called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.conftest import Stack

METHODS = ("POST", "GET")
SOMEBODY = "+12065550100"
MORNING = "Good morning, this is a test message"
HELLO = "Is this thing on?"


@pytest.fixture
def reachable(stack: Stack) -> Stack:
    """A stack that the carrier can call back."""
    address = f"http://127.0.0.1:{stack.ports['web']}"
    stack.restart("web", "worker", "dispatcher", TNIMPORT_PUBLIC_URL=address, TNIMPORT_MESSAGES_PER_SECOND="0")
    return stack


def test_lists_of_numbers_are_ordered_imported_and_proven_and_then_send_and_receive(
    reachable: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    lists = {method: numbers(3) for method in METHODS}
    before = len(reachable.sandbox.calls("catapult.messages.create"))
    # Steps 1 to 4, and the proof that each number sends and receives.
    wishes = {method: {"name": f"guide {method}", "callback_http_method": method} for method in METHODS}
    imports = [reachable.submit(lists[one], application=wishes[one], verify="all") for one in METHODS]
    ended = [reachable.finished(import_id) for import_id in imports]
    assert [(view["state"], view["counts"]["verified"]) for view in ended] == [("complete", 3)] * 2
    for mine in lists.values():
        first, second, third = (f"+1{number}" for number in mine)
        # Step 5.
        message = {"from": first, "to": second, "text": MORNING, "receipt_requested": "all"}
        path = f"/v1/messages/{reachable.http('POST', '/v1/messages', message)['id']}"
        until(lambda path=path: reachable.http("GET", path)["delivery_state"] == "delivered", "the receipt has come")
        # Step 6.
        assert reachable.sandbox.inbound(SOMEBODY, third, HELLO)
        for number, heard in ((second, (first, MORNING)), (third, (SOMEBODY, HELLO))):
            until(lambda number=number, heard=heard: heard in received(reachable, number), f"{number} has it")
    sent = len(reachable.sandbox.calls("catapult.messages.create")) - before
    assert sent == sum(len(mine) for mine in lists.values()) + len(METHODS), "a ring's messages, and one each"


def received(stack: Stack, number: str) -> list[tuple[str, str]]:
    """Sender and text of what came in to a number."""
    found = stack.http("GET", f"/v1/inbound?number={number[1:]}")
    return [(one["from"], one["text"]) for one in found["inbound"]]
