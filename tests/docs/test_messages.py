"""docs/messages.md, run as it stands against a running stack, whose web process the sandbox calls."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Service

ORDER_SECONDS = 1.0  # of the sandbox
TRIES = 5  # each has its second; a busy machine may take one of them
WISH = {"name": "told", "incoming_message_url": "https://example.com/m"}


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 180
    while not (found := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)  # looking again, not guessing
    return found


def switch(service: "Service", **values: Any) -> None:
    requests.put(f"{service.sandbox}/control/switches", json=values, timeout=20).raise_for_status()


def test_a_number_is_imported_and_receives_a_message(
    blocks: "list[Block]", run: "Callable[[Block], str]", service: "Service"
) -> None:
    imported, sent, read = [block for block in blocks if block.page.name == "messages.md" and block.runnable][:3]
    run(imported)
    assert json.loads(run(sent))["id"]
    came_in = until(lambda: json.loads(run(read))["inbound"], "the message has come in")
    assert [(one["from"], one["text"]) for one in came_in] == [("+12065550100", "Is this thing on?")]


def test_a_message_is_sent_and_delivered_and_imported_numbers_prove_each_other(
    blocks: "list[Block]", run: "Callable[[Block], str]"
) -> None:
    imported, *_, sent, posted, verified = [
        block for block in blocks if block.page.name == "messages.md" and block.runnable
    ]
    run(imported)
    assert "sent, delivered" in run(sent)
    assert json.loads(run(posted))["state"] in {"queued", "sending", "sent"}
    report = run(verified)
    assert "complete" in report
    assert "verified               3" in report


@pytest.fixture
def end_of_an_order(service: "Service") -> Callable[[str], float]:
    """Import one number; how many seconds later than at the carrier we saw its order's end."""

    def _end(number: str) -> float:
        body = {"numbers": [number], "application": WISH}
        import_id = requests.post(f"{service.web}/v1/imports", json=body, timeout=20).json()["id"]
        view = until(lambda: (v := service.json(f"/v1/imports/{import_id}"))["finished_at"] and v, "it has ended")
        assert view["counts"]["imported"] == 1
        (order,) = view["orders"]
        return seconds_between(order["accepted_at"], order["finished_at"]) - ORDER_SECONDS

    return _end


def seconds_between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def test_the_end_of_an_order_is_seen_by_word_within_a_second_and_without_word_all_the_same(
    service: "Service", end_of_an_order: Callable[[str], float]
) -> None:
    end_of_an_order("9195561600")  # the first has the subscription made, and word of it is the first that comes
    # By then polls come as rarely as they ever do, every six seconds.
    assert any(end_of_an_order(f"919556161{number}") < 1 for number in range(TRIES))
    switch(service, callback_copies=0)
    try:
        end_of_an_order("9195561602")
    finally:
        switch(service, callback_copies=1)
