"""What is shown of a bulk submission."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

import pytest
from celery.worker.request import Request
from kombu.message import Message

from tasks.showing import Submission, shown
from tnimport.contract import Task

if TYPE_CHECKING:
    from celery import Celery

NUMBERS = ["+19192381139", "9192381140"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"numbers": NUMBERS, "client_ref": "batch-7"}, "{'client_ref': 'batch-7', 'numbers': 2}"),
        ({"numbers": NUMBERS, "account": "north", "notify_url": "https://u:p@h"}, "{'account': 'north', 'numbers': 2}"),
        ({"numbers": "+19192381139"}, "{'numbers': 'no list'}"),
        ({"numbers": [], "client_ref": "x" * 65}, "{'numbers': 0}"),
        ({"client_ref": ["+19192381139"]}, "{'numbers': 'no list'}"),
        ({}, "{'numbers': 'no list'}"),
    ],
)
def test_only_the_reference_and_the_count_are_shown(fields: dict, text: str) -> None:
    assert shown(fields) == text


@pytest.mark.parametrize("positional", [[], [NUMBERS]])
def test_a_received_message_shows_no_number_whatever_its_sender_wanted_to_show(
    celery_app: Celery, positional: list
) -> None:
    kwargs = {"numbers": NUMBERS, "client_ref": "batch-7"}
    headers = {"id": "one", "task": Task.SUBMIT_IMPORT.value, "argsrepr": repr(positional), "kwargsrepr": repr(kwargs)}
    body = dumps([positional, kwargs, {}])
    message = Message(
        body, headers=headers, content_type="application/json", content_encoding="utf-8", delivery_info={}
    )
    received = Submission(message, app=celery_app, task=celery_app.tasks[Task.SUBMIT_IMPORT.value])
    plain = Request(message, app=celery_app, task=celery_app.tasks[Task.SUBMIT_IMPORT.value])
    assert "9192381139" in f"{plain.info()}"
    told = f"{received.info()}{received.kwargsrepr}{received.argsrepr}"
    assert "919238" not in told
    assert "batch-7" in told
    assert received.kwargs == kwargs


def test_the_worker_receives_bulk_submissions_as_such(celery_app: Celery) -> None:
    assert celery_app.tasks[Task.SUBMIT_IMPORT.value].Request is Submission
