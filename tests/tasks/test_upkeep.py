"""Pruning, from the dispatcher that sees it is due to the worker that does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.upkeep import run_prune
from tnimport.contract import Queue, Task
from tnimport.ledger.housekeeping import upkeep
from tnimport.ledger.housekeeping.upkeep import PRUNE
from tnimport.ledger.imports import control
from tnimport.ledger.reading import reads
from tnimport.ledger.schema import imports, sums, work
from tnimport.ledger.schema import upkeep as table
from workers.housekeeping import Housekeeping

if TYPE_CHECKING:
    import fakeredis
    from celery import Celery

    from tests.tasks.conftest import World


def due(world: World) -> None:
    upkeep.claim(world.ledger, PRUNE, 3600)
    with world.ledger.write() as tx:
        tx.run(sa.update(table).values(due_at=tx.now))


def over(world: World, *numbers: str) -> str:
    """An import that ended long ago."""
    import_id = world.submit(*numbers)
    control.cancel(world.ledger, import_id)
    with world.ledger.write() as tx:
        tx.run(sa.update(imports).values(finished_at=imports.c.finished_at - 31 * 86_400))
    return import_id


def messages(redis_client: fakeredis.FakeRedis) -> list[dict]:
    waiting = redis_client.lrange(Queue.UPKEEP.value, 0, -1)
    return [json.loads(message)["headers"] for message in waiting]


def serial(world: World) -> int:
    with world.ledger.read() as tx:
        return int(tx.run(sa.select(table.c.serial)).scalar_one())


def test_of_many_dispatchers_one_sends_the_message_and_it_holds_a_serial_only(
    world: World, celery_app: Celery, redis_client: fakeredis.FakeRedis
) -> None:
    due(world)
    for _ in range(3):
        Housekeeping(world.ledger, celery_app).once()
    (message,) = messages(redis_client)
    assert (message["task"], message["kwargsrepr"]) == (Task.PRUNE.value, "{'serial': 1}")


def test_a_dispatcher_looks_once_a_minute(world: World, celery_app: Celery, redis_client: fakeredis.FakeRedis) -> None:
    keeping = Housekeeping(world.ledger, celery_app)
    keeping.once()
    due(world)
    keeping.once()
    assert messages(redis_client) == []


def test_what_cannot_be_sent_is_due_again(
    world: World, celery_app: Celery, broker: fakeredis.FakeServer, redis_client: fakeredis.FakeRedis
) -> None:
    due(world)
    broker.connected = False
    keeping = Housekeeping(world.ledger, celery_app, look_seconds=0)
    keeping.once()
    broker.connected = True
    assert messages(redis_client) == []
    keeping.once()
    assert [message["kwargsrepr"] for message in messages(redis_client)] == ["{'serial': 2}"]


def test_the_task_forgets_what_is_over_and_runs_once(world: World, celery_app: Celery) -> None:
    gone, kept = over(world, "9192381139"), world.submit("9192381140")
    due(world)
    Housekeeping(world.ledger, celery_app).once()
    prune = celery_app.tasks[Task.PRUNE.value]
    result = prune.apply(kwargs={"serial": serial(world)}).result
    assert result == {"imports": 1, "orders": 1, "numbers": 1, "events": result["events"]}
    assert [view.id for view in reads.imports_page(world.ledger)[0]] == [kept]
    assert reads.import_view(world.ledger, gone) is None
    assert "skipped" in prune.apply(kwargs={"serial": serial(world)}).result


def test_a_run_that_is_asked_to_stop_leaves_the_rest_to_the_next(world: World, celery_app: Celery) -> None:
    over(world, "9192381139")
    due(world)
    Housekeeping(world.ledger, celery_app).once()
    world.stopping.set()
    assert "numbers" not in run_prune(world.parts, serial(world))
    world.stopping.clear()
    occasion = upkeep.claim(world.ledger, PRUNE, 3600)
    assert occasion is not None
    assert run_prune(world.parts, occasion.serial)["numbers"] == 1


def test_what_is_left_is_added_up_afterwards(world: World, celery_app: Celery) -> None:
    over(world, "9192381139")
    kept = world.submit("9192381140")
    control.cancel(world.ledger, kept)
    with world.ledger.write() as tx:
        tx.run(sa.update(imports).where(imports.c.id == kept).values(finished_at=tx.now - 100))
    due(world)
    Housekeeping(world.ledger, celery_app).once()
    run_prune(world.parts, serial(world))
    with world.ledger.read() as tx:
        data = tx.run(sa.select(sums.c.data)).scalar_one()
    assert sum(count for *_, count in data["imports"]) == 1


def test_a_ledger_that_is_away_is_no_failure_of_the_task(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("", {}, OSError())

    monkeypatch.setattr(upkeep, "take", away)
    assert run_prune(world.parts, 1) == {}


def test_no_work_of_the_ledger_is_needed_for_it(world: World, celery_app: Celery) -> None:
    due(world)
    Housekeeping(world.ledger, celery_app).once()
    with world.ledger.read() as tx:
        assert tx.run(sa.select(sa.func.count()).select_from(work)).scalar() == 0
