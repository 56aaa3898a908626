"""Where steps meet Celery: a claim is taken once, and Celery is told the truth about what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from celery import Celery, states
from structlog.testing import capture_logs

from tasks import claims
from tasks.catalogue import register_all
from tnimport.contract import QUEUE_OF, Task
from tnimport.domain.accounts import Paces
from tnimport.ledger.claims import work
from tnimport.ledger.housekeeping import reap
from tnimport.ledger.imports import control
from tnimport.ledger.schema import lanes
from tnimport.ledger.schema import work as work_table
from workers.publisher import payload_of, task_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import fakeredis

    from tests.tasks.conftest import World

NUMBER = "9192381000"


@pytest.fixture
def deliver(celery_app: Celery):
    """Run a grant's message as a worker would; what Celery makes of it comes back."""

    def deliver(grant, **changed):
        payload = dict(payload_of(grant)) | changed
        task = celery_app.tasks[grant.task.value]
        return task.apply(kwargs=payload, task_id=str(task_id(grant)), retries=grant.attempts)

    return deliver


def test_a_message_is_worked_on_once_and_doubles_do_nothing(world: World, deliver: Callable[..., Any]) -> None:
    import_id = world.submit(NUMBER)
    grant = world.grant(Task.SUBMIT_ORDER)
    assert deliver(grant).result["carrier_order_id"]
    for _ in range(3):
        again = deliver(grant)
        assert (again.state, again.result) == (states.SUCCESS, claims.NOT_OURS)
    assert world.effects(NUMBER)["orders"] == 1
    assert world.view(import_id).counts["ordered"] == 1


def test_a_late_message_of_a_claim_that_was_sent_anew_does_nothing(world: World, deliver: Callable[..., Any]) -> None:
    world.submit(NUMBER)
    old = world.grant(Task.SUBMIT_ORDER)
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    reap.reap(world.ledger)
    new = world.grant(Task.SUBMIT_ORDER)
    assert new.serial == old.serial + 1
    assert deliver(old).result == claims.NOT_OURS
    assert deliver(new).result["carrier_order_id"]


def test_a_message_about_nothing_does_nothing(world: World, deliver: Callable[..., Any]) -> None:
    world.submit(NUMBER)
    grant = world.grant(Task.SUBMIT_ORDER)
    assert deliver(grant, work=4711).result == claims.NOT_OURS


@pytest.mark.parametrize("task", [name for name in QUEUE_OF if name not in {Task.SUBMIT_IMPORT, Task.PRUNE}])
@pytest.mark.parametrize("kwargs", [{}, {"work": 1}, {"work": "1", "serial": None}, {"numbers": ["9195551234"]}])
def test_a_message_that_names_no_work_is_ignored_with_one_line(
    celery_app: Celery, task: Task, kwargs: dict[str, object]
) -> None:
    with capture_logs() as lines:
        done = celery_app.tasks[task.value].apply(args=["what"], kwargs=kwargs)
    assert (done.state, done.result) == (states.SUCCESS, claims.NO_WORK)
    assert lines == [{"event": "message_without_work", "task": task.value, "log_level": "warning"}]


def test_waiting_is_a_retry_of_the_same_task_with_one_more_retry_each_time(
    world: World, deliver: Callable[..., Any]
) -> None:
    world.sandbox.switch(order_outcome="stuck-processing")
    world.submit(NUMBER)
    deliver(world.grant(Task.SUBMIT_ORDER))
    seen = []
    for look in (1, 2, 3):
        grant = world.grant(Task.POLL_ORDER)
        result = deliver(grant)
        assert result.state == states.RETRY
        assert (str(result.result), result.result.when) == (f"PROCESSING, look {look}", world.account.poll_first)
        seen.append((result.id, grant.attempts))
    assert seen == [(seen[0][0], retries) for retries in (0, 1, 2)]
    world.sandbox.release()
    last = world.grant(Task.POLL_ORDER)
    end = deliver(last)
    assert (end.state, end.id, last.attempts) == (states.SUCCESS, seen[0][0], 3)
    assert end.result == {"status": "COMPLETE", "good": 1, "failed": 0, "unaccounted": 0}


def test_nothing_is_put_back_into_the_broker_by_a_step_that_waits(
    world: World, deliver: Callable[..., Any], redis_client: fakeredis.FakeRedis
) -> None:
    world.sandbox.switch(order_outcome="stuck-processing")
    world.submit(NUMBER)
    deliver(world.grant(Task.SUBMIT_ORDER))
    deliver(world.grant(Task.POLL_ORDER))
    assert redis_client.keys("*") == []


def test_an_unexpected_error_is_shown_and_its_claim_expires_with_a_strike(
    world: World, deliver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = world.submit(NUMBER)
    with monkeypatch.context() as broken:
        broken.setattr(world.access.dashboard, "create_order", lambda *_: 1 / 0)
        result = deliver(world.grant(Task.SUBMIT_ORDER))
    assert result.state == states.FAILURE
    assert isinstance(result.result, ZeroDivisionError)
    (row,) = rows(world)
    assert row.state == work.RUNNING
    assert world.view(import_id).counts["requested"] == 1
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    assert reap.reap(world.ledger) == 1
    assert [(row.state, row.strikes) for row in rows(world)] == [(work.WAITING, 1)]


def test_a_claim_that_ran_out_in_the_middle_is_said_to_be_lost(
    world: World, deliver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.submit(NUMBER)
    really = world.access.dashboard.create_order

    def slowly(*arguments: object):
        with world.ledger.write() as tx:
            tx.run(sa.update(work_table).values(token="somebody-else"))
        return really(*arguments)

    monkeypatch.setattr(world.access.dashboard, "create_order", slowly)
    assert deliver(world.grant(Task.SUBMIT_ORDER)).result == claims.LOST


def test_a_ledger_that_goes_away_ends_the_run_quietly_and_the_claim_expires(
    world: World, deliver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = world.submit(NUMBER)
    grant = world.grant(Task.SUBMIT_ORDER)

    def away(*_):
        raise sa.exc.OperationalError("", {}, OSError())

    with monkeypatch.context() as gone:
        gone.setattr("tasks.orders.submitting.accepted", away)
        assert deliver(grant).result == claims.LEDGER_AWAY
    (row,) = rows(world)
    assert row.state == work.RUNNING
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).values(until=1))
    reap.reap(world.ledger)
    world.run(Task.SUBMIT_ORDER)  # asks for the order, which exists
    assert world.order(import_id)["state"] == "accepted"
    assert world.effects(NUMBER)["orders"] == 1


def test_a_message_of_an_import_that_was_paused_meanwhile_does_nothing_and_costs_nothing(
    world: World, deliver: Callable[..., Any]
) -> None:
    import_id = world.submit(NUMBER)
    grant = world.grant(Task.SUBMIT_ORDER)
    control.pause(world.ledger, import_id)
    assert deliver(grant).result == claims.NOT_OURS
    assert world.sandbox.calls("dashboard") == []
    control.resume(world.ledger, import_id)
    assert deliver(world.grant(Task.SUBMIT_ORDER)).result["carrier_order_id"]


@pytest.mark.parametrize(("task", "lane"), [(Task.SUBMIT_ORDER, "dashboard"), (Task.IMPORT_NUMBERS, "numbers")])
def test_work_of_an_account_that_this_worker_lacks_is_for_another_worker_and_costs_no_strike(
    world: World, deliver: Callable[..., Any], application: str, task: Task, lane: str
) -> None:
    limited = Paces(dashboard_per_second=600, numbers_per_minute=60_000)
    world.change(paces=limited)
    import_id = (world.submit if task is Task.SUBMIT_ORDER else world.available)(
        NUMBER, application={"id": application}
    )
    grant = world.grant(task)
    before = tokens(world, lane)
    lacking = Celery("lacking", set_as_current=False)
    register_all(lacking, lambda: replace(world.parts, accounts={}))
    with capture_logs() as lines:
        result = lacking.tasks[task.value].apply(kwargs=dict(payload_of(grant)))
    assert (result.state, str(result.result)) == (states.RETRY, "account_not_configured")
    told = {"event": "account_not_configured", "task": task.value, "account": "default", "log_level": "warning"}
    assert lines[0] == told
    (row,) = rows(world)
    assert (row.state, row.strikes, row.attempts, row.token) == (work.WAITING, 0, 0, None)
    assert 0 < world.in_how_long(task) <= claims.NO_ACCOUNT_SECONDS
    assert tokens(world, lane) == before + 1
    deliver(world.grant(task))
    assert world.view(import_id).counts["ordered" if task is Task.SUBMIT_ORDER else "imported"] == 1


def tokens(world: World, lane: str) -> float:
    with world.ledger.read() as tx:
        return float(tx.run(sa.select(lanes.c.tokens).where(lanes.c.name == lane)).scalar_one())


def test_a_long_grant_sends_its_progress_as_an_event(
    world: World, deliver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, celery_app: Celery
) -> None:
    monkeypatch.setattr("tasks.result_buffer.TELL_SECONDS", 0)
    events = []
    monkeypatch.setattr(celery_app.Task, "send_event", lambda _, kind, **fields: events.append((kind, fields)))
    monkeypatch.setattr("tasks.result_buffer.FLUSH_NUMBERS", 2)
    monkeypatch.setattr("tasks.result_buffer.FLUSH_SECONDS", 3600)  # by count only, however slow the machine is
    application = {"name": "ours", "incoming_message_url": "https://example.com/inbound"}
    world.available(*[f"91923810{index:02}" for index in range(5)], application=application)
    world.run(Task.ENSURE_APPLICATION)
    world.run(Task.ENSURE_APPLICATION)
    world.opened()
    deliver(world.grant(Task.IMPORT_NUMBERS))
    assert events == [("task-progress", {"result": "2/5"}), ("task-progress", {"result": "4/5"})]


def rows(world: World):
    with world.ledger.read() as tx:
        return list(tx.run(sa.select(work_table)))


@pytest.mark.parametrize("name", list(Task))
def test_every_task_of_the_contract_is_registered_on_its_queue(celery_app: Celery, name: Task) -> None:
    assert name.value in celery_app.tasks
    assert celery_app.conf.task_routes[name.value] == {"queue": QUEUE_OF[name].value}


def test_nothing_else_is_registered(celery_app: Celery) -> None:
    ours = {name for name in celery_app.tasks if name.startswith("tnimport.")}
    assert ours == {task.value for task in Task}


CONTRACT = {
    "tnimport.submit_import": "intake",
    "tnimport.submit_order": "orders",
    "tnimport.poll_order": "orders",
    "tnimport.ensure_subscription": "orders",
    "tnimport.ensure_application": "numbers",
    "tnimport.import_numbers": "numbers",
    "tnimport.release_numbers": "numbers",
    "tnimport.deliver_webhook": "webhooks",
    "tnimport.send_message": "messages",
    "tnimport.verify_numbers": "messages",
    "tnimport.prune": "upkeep",
}


def test_names_and_queues_are_those_that_others_rely_on() -> None:
    assert {task.value: QUEUE_OF[task].value for task in Task} == CONTRACT
