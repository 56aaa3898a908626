"""What a message holds, and what becomes of claims while Redis is down."""

from __future__ import annotations

import json
from ast import literal_eval
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.catalogue import STEPS
from tasks.intake import submit
from tnimport.contract import QUEUE_OF, Queue, Task
from tnimport.domain.lanes import Lane, pace_of
from tnimport.ledger.claims import work
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.schema import lanes
from tnimport.ledger.schema import work as work_table
from workers.dispatching import Dispatcher
from workers.publisher import WINDOW, BrokerAway, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import fakeredis
    from celery import Celery

    from tests.tasks.conftest import World

NUMBERS = ["9192381000", "2062381001", "4152381002"]
GRANT = Grant(
    work=7, serial=3, task=Task.POLL_ORDER, import_id="imp_1", order_id=5, application_ref=None, count=1, attempts=2
)


@pytest.fixture
def read(redis_client: fakeredis.FakeRedis):
    """Every message of every queue, decoded: its headers, its arguments, and all of its text."""

    def read():
        found = []
        for queue in Queue:
            for raw in redis_client.lrange(queue.value, 0, -1):
                message = json.loads(raw)
                body = b64decode(message["body"]).decode()
                args, kwargs, _embed = json.loads(body)
                found.append(
                    {
                        "queue": queue.value,
                        "headers": message["headers"],
                        "args": args,
                        "kwargs": kwargs,
                        "text": raw.decode() + body,
                    }
                )
        return found

    return read


def test_a_message_holds_ids_and_counts_and_keeps_the_identity_of_its_order(
    publisher: Publisher, read: Callable[[], list[dict[str, Any]]]
) -> None:
    assert publisher.publish([GRANT]) == []
    (message,) = read()
    assert message["queue"] == "orders"
    assert message["args"] == []
    assert message["kwargs"] == {"work": 7, "serial": 3, "import_id": "imp_1", "order_id": 5, "count": 1}
    assert message["headers"]["task"] == "tnimport.poll_order"
    assert message["headers"]["retries"] == 2
    assert message["headers"]["eta"] is None
    shown = literal_eval(message["headers"]["kwargsrepr"])
    assert shown == message["kwargs"]
    assert next(iter(shown)) == "import_id"  # a row of Flower shows the beginning


def test_each_look_at_an_order_has_the_same_task_id_and_each_grant_its_own(
    publisher: Publisher, read: Callable[[], list[dict[str, Any]]]
) -> None:
    looks = [replace(GRANT, serial=serial, attempts=serial) for serial in range(3)]
    grants = [replace(GRANT, task=Task.IMPORT_NUMBERS, serial=serial) for serial in range(3)]
    other = replace(GRANT, order_id=6)
    publisher.publish([*looks, *grants, other])
    ids = [message["headers"]["id"] for message in read() if message["headers"]["task"] == "tnimport.poll_order"]
    assert len(ids) == 4
    assert len(set(ids)) == 2
    assert len({message["headers"]["id"] for message in read() if message["queue"] == "numbers"}) == 3


@pytest.mark.parametrize("task", list(STEPS))
def test_every_task_goes_to_its_own_queue_and_to_no_other(
    publisher: Publisher, read: Callable[[], list[dict[str, Any]]], task: Task
) -> None:
    publisher.publish([replace(GRANT, task=task)])
    assert [message["queue"] for message in read()] == [QUEUE_OF[task].value]


def test_no_number_and_no_secret_is_in_any_message_of_a_whole_import(
    world: World, publisher: Publisher, read: Callable[[], list[dict[str, Any]]]
) -> None:
    application = {"name": "canary-name", "incoming_message_url": "https://canary.example/in"}
    world.submit(*NUMBERS, application=application, customer_order_id="CANARYORDER", client_ref="canary-ref")
    texts = []
    for task in (Task.SUBMIT_ORDER, Task.POLL_ORDER, Task.ENSURE_APPLICATION, Task.ENSURE_APPLICATION):
        publisher.publish([world.grant(task)])
        texts += [message["text"] for message in read()]
        _give_back(world)
        world.run(task)
    publisher.publish([world.grant(Task.IMPORT_NUMBERS)])
    texts += [message["text"] for message in read()]
    access = world.access
    secrets = {world.sandbox.password, "dC0xOnMtMQ", "d2lsZUNveW90ZTpjYXRjaFRoYXRCaXJk", world.sandbox.username}
    assert len(texts) >= 5
    assert access.account.account_id
    for word in (*NUMBERS, *secrets, "canary", "CANARY", world.sandbox.account_id):
        assert not any(word in text for text in texts), word


def _give_back(world: World) -> None:
    with world.ledger.write() as tx:
        tx.run(sa.update(work_table).where(work_table.c.state == work.SENT).values(state=work.WAITING, until=None))


def test_room_is_what_is_left_of_a_few_seconds_of_work(publisher: Publisher, redis_client: fakeredis.FakeRedis) -> None:
    publisher.publish([GRANT] * 10)
    room = publisher.room()
    assert room[Queue.ORDERS] == WINDOW - 10
    assert room[Queue.NUMBERS] == WINDOW
    publisher.publish([GRANT] * WINDOW)
    assert publisher.room()[Queue.ORDERS] == 0


def test_with_redis_down_the_publisher_says_so(broker: fakeredis.FakeServer, publisher: Publisher) -> None:
    publisher.publish([GRANT])
    broker.connected = False
    with pytest.raises(BrokerAway):
        publisher.room()
    assert publisher.publish([GRANT, GRANT]) == [GRANT, GRANT]
    broker.connected = True
    assert publisher.room()[Queue.ORDERS] == WINDOW - 1
    assert publisher.publish([GRANT]) == []


def test_what_was_sent_before_redis_went_away_is_not_taken_back(
    broker: fakeredis.FakeServer, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, grants = publisher._send, [replace(GRANT, work=number) for number in range(4)]

    def send(grant: Grant, producer: object) -> None:
        broker.connected = grant.work < 2
        really(grant, producer)

    monkeypatch.setattr(publisher, "_send", send)
    assert publisher.publish(grants) == grants[2:]


class NoRoomIsKnown(Publisher):
    """Redis goes away between the question for room and the publishing."""

    def room(self) -> dict[Queue, int]:
        return dict.fromkeys(Queue, WINDOW)


def test_claims_whose_messages_could_not_be_sent_go_back_with_their_tokens(
    world: World, broker: fakeredis.FakeServer, celery_app: Celery, read: Callable[[], list[dict[str, Any]]]
) -> None:
    world.change(paces=replace(world.account.paces, dashboard_per_second=50))
    full = pace_of(world.account.paces, Lane.DASHBOARD).depth
    world.submit(NUMBERS[0])
    accounts = {world.account.name: world.account}
    dispatcher = Dispatcher(world.ledger, accounts, NoRoomIsKnown(celery_app), claim_seconds=60)
    broker.connected = False
    dispatcher.once()
    with world.ledger.read() as tx:
        assert tx.run(sa.select(lanes.c.tokens).where(lanes.c.name == "dashboard")).scalar_one() == full
    (row,) = world.waiting()
    assert (row.attempts, row.strikes) == (0, 0)
    broker.connected = True
    dispatcher.once()
    assert [message["headers"]["task"] for message in read()] == ["tnimport.submit_order"]


def test_an_import_is_accepted_with_redis_down_and_its_work_starts_when_it_is_back(
    world: World, broker: fakeredis.FakeServer, celery_app: Celery, read: Callable[[], list[dict[str, Any]]]
) -> None:
    broker.connected = False
    dispatcher = Dispatcher(world.ledger, {world.account.name: world.account}, Publisher(celery_app), claim_seconds=60)
    fields = {"numbers": NUMBERS, "application": {"id": "a-1"}}
    import_id = submit(world.parts, fields, task_id="one")["import_id"]
    assert 0 < dispatcher.once() < 5
    assert world.view(import_id).state == "queued"
    broker.connected = True
    dispatcher.once()
    (message,) = read()
    assert message["kwargs"]["import_id"] == import_id
