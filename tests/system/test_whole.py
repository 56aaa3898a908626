"""Every number is working or accounted for, and what we say is what the carrier has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.system.conftest import Stack

USUAL_CLAIMS = {"TNIMPORT_HTTP_TIMEOUT": "30", "TNIMPORT_CLAIM_SECONDS": "120"}
EXPECTED = {
    "0900": ("failed", "25060"),
    "0901": ("failed", "25070"),
    "0902": ("failed", "25090"),
    "0905": ("failed", "25060"),
    "0906": ("unaccounted", "unaccounted"),
    "0931": ("failed", "application_conflict"),
    "0932": ("present", "present"),
    "0933": ("imported", None),
    "0934": ("imported", None),
    "0935": ("failed", "validation-error"),
    "0936": ("imported", None),
    "0937": ("imported", None),
    "0938": ("failed", "restricted-number"),
    "0941": ("imported", None),
    "0945": ("imported", None),
}


def test_each_number_of_a_file_ends_as_its_story_says_and_the_carrier_agrees(
    stack: Stack, numbers: Callable[..., list[str]]
) -> None:
    rows = numbers(40, *EXPECTED)
    lines = ["name,number", *(f"row,{number}" for number in rows), f"again,{rows[0]}", "", "bad,no number"]
    import_id = stack.submit_csv("\n".join(lines))
    view = stack.finished(import_id)
    found = {number: (one["state"], one["code"]) for number, one in stack.numbers(import_id).items()}
    assert found == {number: EXPECTED.get(number[-4:], ("imported", None)) for number in rows}
    assert view["state"] == "partial"
    counts = view["counts"]
    assert (counts["rows"], counts["duplicate"], counts["rejected"], counts["blank"]) == (len(rows) + 3, 1, 1, 1)
    held, effects = stack.at_catapult(), stack.effects()
    ours = {number: one["number_id"] for number, one in stack.numbers(import_id).items() if one["state"] == "imported"}
    assert ours == {number: held[number]["id"] for number in ours}
    assert max(effects[number]["orders"] for number in rows) == 1
    assert max(effects[number]["most_resources"] for number in rows) == 1
    assert max(effects[number]["imports"] for number in ours) == 1


def test_no_number_at_all_is_an_import_that_is_through_at_once(stack: Stack) -> None:
    import_id = stack.submit(["", "no number"])
    view = stack.finished(import_id)
    assert view["counts"]["rows"] == 2
    assert view["orders"] == []


def test_one_number_is_enough(stack: Stack, numbers: Callable[..., list[str]]) -> None:
    (number,) = numbers(1)
    import_id = stack.submit([number])
    assert stack.finished(import_id)["state"] == "complete"
    assert stack.books(import_id)[number]["state"] == "imported"


def test_ten_thousand_numbers_work_in_twenty_orders(stack: Stack, numbers: Callable[..., list[str]]) -> None:
    stack.restart("worker", "dispatcher", **USUAL_CLAIMS)
    rows = numbers(10_000)
    import_id = stack.submit(rows)
    view = stack.finished(import_id, 300)
    assert view["state"] == "complete"
    assert view["counts"]["imported"] == 10_000
    assert len(view["orders"]) == 20
    stack.books(import_id)


def test_plain_celery_submits_an_import_and_a_redelivery_makes_no_second(
    stack: Stack, numbers: Callable[..., list[str]], until: Callable[..., Any]
) -> None:
    from celery import Celery  # noqa: PLC0415 - a program that has nothing of ours

    fields = {"numbers": numbers(3), "application": {"name": "plain", "incoming_message_url": "https://example.com/p"}}
    with Celery(broker=stack.redis_url, set_as_current=False) as app:
        for _ in range(3):
            app.send_task(
                "tnimport.submit_import", kwargs=fields | {"client_ref": "from celery"}, queue="intake", task_id="one"
            )
        app.send_task(
            "tnimport.submit_import", kwargs={"numbers": 1, "client_ref": "bad one"}, queue="intake", task_id="two"
        )

    def found() -> list[dict[str, Any]]:
        return list(stack.http("GET", "/v1/imports?client_ref=from%20celery")["imports"])

    (made,) = until(found, "the import that plain Celery sent")
    refusal = until(
        lambda: stack.http("GET", "/v1/imports?client_ref=bad%20one")["refusal"], "the refusal of the other one"
    )
    assert refusal
    stack.finished(made["id"])
    until(lambda: stack.redis.llen("intake") == 0, "every message was taken")
    (made,) = found()
    assert made["counts"]["imported"] == 3
    assert max(stack.effects()[number]["orders"] for number in fields["numbers"]) == 1
