"""`tnimport.submit_import`: how other services hand over a list, once, whatever the broker repeats."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from celery import Celery
from celery.exceptions import Retry

from tasks import intake
from tnimport.contract import Task
from tnimport.intake import keys
from tnimport.intake.accept import InProgress
from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import fakeredis

    from tests.tasks.conftest import World

FIELDS = {"numbers": ["9192381000", "9192381000", "no number", ""], "application": {"id": "a-1"}}


def test_the_same_message_twice_makes_one_import(world: World) -> None:
    first = intake.submit(world.parts, FIELDS, task_id="one")
    again = intake.submit(world.parts, FIELDS, task_id="one")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["import_id"] == again["import_id"]
    assert len(reads.imports_page(world.ledger)[0]) == 1


def test_another_message_with_the_same_content_makes_another_import(world: World) -> None:
    ids = {intake.submit(world.parts, FIELDS, task_id=one)["import_id"] for one in ("one", "two")}
    assert len(ids) == 2


def test_a_client_ref_is_the_key_whatever_the_task_id(world: World) -> None:
    fields = FIELDS | {"client_ref": "spring"}
    ids = {intake.submit(world.parts, fields, task_id=one)["import_id"] for one in ("one", "two")}
    (view,), _ = reads.imports_page(world.ledger, client_ref="spring")
    assert ids == {view.id}


def test_every_row_of_a_message_is_in_one_bucket(world: World) -> None:
    import_id = intake.submit(world.parts, FIELDS, task_id="one")["import_id"]
    counts = {name: count for name, count in world.view(import_id).counts.items() if count}
    assert counts == {"rows": 4, "requested": 1, "duplicate": 1, "rejected": 1, "blank": 1}


def test_a_refusal_says_everything_at_once_and_is_found_by_the_client_ref(world: World) -> None:
    fields = {"numbers": "no list", "sight_id": 1, "on_present": "explode", "client_ref": "spring"}
    answer = intake.submit(world.parts, fields, task_id="one")
    problems = reads.refusal(world.ledger, keys.of_client_ref("spring"))
    assert {problem["code"] for problem in problems} == set(answer["refused"])
    assert {problem["pointer"] for problem in problems} >= {"/numbers", "/sight_id", "/on_present"}
    assert reads.imports_page(world.ledger)[0] == []


def test_a_message_with_positional_arguments_is_refused_where_its_sender_looks(
    world: World, celery_app: Celery
) -> None:
    answer = celery_app.tasks[Task.SUBMIT_IMPORT.value](["9192381000"], client_ref="spring")
    assert answer == {"refused": ["invalid_value"]}
    (told,) = reads.refusal(world.ledger, keys.of_client_ref("spring"))
    assert "keyword arguments only" in told["detail"]


@pytest.mark.parametrize("client_ref", [None, "", "x" * 256, 7])
def test_a_refusal_without_a_usable_client_ref_is_found_by_the_task_id(world: World, client_ref: Any) -> None:
    fields = {"numbers": "no list"} | ({} if client_ref is None else {"client_ref": client_ref})
    assert "refused" in intake.submit(world.parts, fields, task_id="one")
    assert reads.refusal(world.ledger, keys.of_task("one"))


def test_the_same_client_ref_for_another_list_is_refused_and_the_first_stays(world: World) -> None:
    first = intake.submit(world.parts, FIELDS | {"client_ref": "spring"}, task_id="one")
    other = FIELDS | {"client_ref": "spring", "numbers": ["2062381001"]}
    assert intake.submit(world.parts, other, task_id="two") == {"refused": ["key_conflict"]}
    (view,), _ = reads.imports_page(world.ledger, client_ref="spring")
    assert view.id == first["import_id"]


class Sent:
    """What the task publishes instead of ending."""

    def __init__(self, app: Celery, redis_client: object) -> None:
        self.task = app.tasks[Task.SUBMIT_IMPORT.value]
        self.redis = redis_client

    def run(self, **options: object) -> object:
        """Run the task as a worker would, not eagerly, so that a retry is published."""
        self.task.push_request(
            id="one", args=[], kwargs=FIELDS, called_directly=False, delivery_info={"routing_key": "intake"}, **options
        )
        try:
            return self.task.run(**FIELDS)
        finally:
            self.task.pop_request()


@pytest.fixture
def sent(celery_app: Celery, redis_client: fakeredis.FakeRedis) -> Sent:
    """The task with the broker that it publishes to."""
    return Sent(celery_app, redis_client)


@pytest.mark.parametrize("error", [sa.exc.OperationalError("", {}, OSError()), InProgress()], ids=["away", "busy"])
def test_while_the_ledger_is_away_the_message_is_kept_in_the_broker_and_tried_again(
    world: World, sent: Sent, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def accept(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as away:
        away.setattr(intake, "accept", accept)
        with pytest.raises(Retry) as retry:
            sent.run(retries=3)
    assert retry.value.when == intake.RETRY_SECONDS
    (kept,) = messages(sent.redis)
    assert kept["headers"]["id"] == "one"
    assert kept["headers"]["retries"] == 4
    assert kept["kwargs"] == FIELDS
    assert sent.run()["replayed"] is False


def test_the_sender_is_told_when_the_ledger_stays_away(
    world: World, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT a secret", {"a": "secret"}, OSError())

    monkeypatch.setattr(intake, "accept", accept)
    with pytest.raises(Exception, match="OperationalError") as given_up:
        sent.run(retries=intake.RETRIES)
    assert "secret" not in str(given_up.value)
    assert messages(sent.redis) == []


def test_a_ledger_file_that_cannot_be_opened_counts_as_away(world: World, sent: Sent, tmp_path: Path) -> None:
    world.ledger = Ledger(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder'}")
    with pytest.raises(Retry):
        sent.run()


def messages(redis_client: object, queue: str = "intake") -> list[dict]:
    """The decoded messages of a queue."""
    found = []
    for raw in redis_client.lrange(queue, 0, -1):
        message = json.loads(raw)
        _args, kwargs, _embed = json.loads(b64decode(message["body"]))
        found.append({"headers": message["headers"], "kwargs": kwargs, "raw": raw})
    return found
