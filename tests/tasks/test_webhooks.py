"""The step that tells others: what they get, and what becomes of it when they do not take it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import fakeredis
import pytest
import sqlalchemy as sa
from celery import Celery
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from tasks.results import Done, Later, Result
from tasks.webhooks import deliver_webhook
from tests.servers.receiver import Receiver, receiver
from tests.tasks.conftest import World
from tnimport.contract import Task
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.reach import Reach
from tnimport.domain.webhooks import DeliveryState
from tnimport.ledger.imports import control
from tnimport.ledger.messaging import inbound
from tnimport.ledger.messaging.inbound import Call
from tnimport.ledger.schema import deliveries
from tnimport.webhooks.sending import Sender
from workers.handing import hand_on_by
from workers.publisher import Publisher, payload_of

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWI="
RECEIVED = MessageEvent(
    message_id="m-1",
    kind="message",
    event_type="mms",
    sender="+19195550101",
    recipient="+19195550102",
    text="Grüße",
    media=("https://media.example/1.png",),
    said_at="2026-11-25T03:00:00Z",
)
RECEIPT = replace(
    RECEIVED,
    message_id="m-2",
    kind="receipt:not-delivered",
    tag="mine",
    delivery_state="not-delivered",
    delivery_code="403",
    delivery_description="It was refused.",
)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """Somebody who is told."""
    with ExitStack() as stack:
        yield stack.enter_context(receiver())


@pytest.fixture
def telling(world: World, hook: Receiver) -> World:
    """The world, with somebody who signs and may call this machine."""
    world.change(signs=True, inbound_url=f"{hook.url}?token=t")
    world.sender = Sender([SECRET], Reach(["127.0.0.0/8"]))
    return world


def came_in(world: World, event: MessageEvent = RECEIVED) -> None:
    assert inbound.store(world.ledger, [Call(world.account, event)]) == [True]


def attempt(world: World) -> Result:
    return world.run(Task.DELIVER_WEBHOOK)


def owed(world: World) -> sa.Row[Any]:
    with world.ledger.read() as tx:
        return tx.run(sa.select(deliveries)).one()


def checked(hook: Receiver) -> Any:
    """What the latest webhook says, if its signature is right."""
    return Webhook(SECRET).verify(hook.told[-1].body, hook.told[-1].headers)


def test_an_import_that_ended_is_told_in_short(telling: World, hook: Receiver) -> None:
    import_id = telling.submit("9195550001", client_ref="batch 7", notify_url=f"{hook.url}?key=k")
    control.cancel(telling.ledger, import_id)
    assert attempt(telling) == Done({"status": 204})
    event = checked(hook)
    assert hook.told[0].path == "/hook?key=k"
    assert event["type"] == "import.finished"
    data = event["data"]
    assert (data["id"], data["state"], data["client_ref"]) == (import_id, "cancelled", "batch 7")
    assert data["counts"]["cancelled"] == data["counts"]["rows"] == 1
    assert data["links"]["self"] == f"/v1/imports/{import_id}"
    assert event["timestamp"] == data["finished_at"]
    assert len(hook.told[0].body) < 2_000
    assert (owed(telling).state, owed(telling).status, owed(telling).attempts) == ("delivered", 204, 1)


def test_a_held_import_is_told_with_its_instruction(telling: World, hook: Receiver) -> None:
    telling.submit("9195550001", notify_url=hook.url)
    telling.password("wrong")
    telling.run(Task.SUBMIT_ORDER)
    telling.mended()  # what is told is what has happened, though it is over
    attempt(telling)
    event = checked(hook)
    assert (event["type"], event["data"]["state"]) == ("import.held", "held")
    assert event["data"]["held"]["instruction"]


def test_a_message_is_handed_on_whole(telling: World, hook: Receiver) -> None:
    came_in(telling)
    attempt(telling)
    event = checked(hook)
    assert hook.told[0].path == "/hook?token=t"
    assert event["type"] == "message.received"
    assert event["data"].pop("received_at") == event["timestamp"]
    assert event["data"] == {
        "account": "default",
        "message_id": "m-1",
        "event_type": "mms",
        "from": "+19195550101",
        "to": "+19195550102",
        "text": "Grüße",
        "media": ["https://media.example/1.png"],
        "tag": None,
        "application_id": None,
        "time": "2026-11-25T03:00:00Z",
    }


def test_a_receipt_tells_what_became_of_the_message(telling: World, hook: Receiver) -> None:
    came_in(telling, RECEIPT)
    attempt(telling)
    event = checked(hook)
    assert event["type"] == "message.failed"
    told = {name: event["data"][name] for name in ("message_id", "tag", "delivery_state", "delivery_code")}
    assert told == {"message_id": "m-2", "tag": "mine", "delivery_state": "not-delivered", "delivery_code": "403"}


def test_an_answer_that_is_lost_brings_the_same_id_again(telling: World, hook: Receiver) -> None:
    came_in(telling)
    telling.http_timeout = 1
    hook.awake.clear()
    first = attempt(telling)
    assert isinstance(first, Later)
    assert (first.message, owed(telling).code, owed(telling).state) == ("timeout", "timeout", "waiting")
    assert 4 < telling.in_how_long(Task.DELIVER_WEBHOOK) < 6
    hook.awake.set()
    telling.http_timeout = 30
    assert attempt(telling) == Done({"status": 204})
    one, two = hook.told
    assert one.headers["webhook-id"] == two.headers["webhook-id"] == owed(telling).id
    assert one.body == two.body


def test_a_worker_that_dies_in_between_brings_the_same_id_again(telling: World, hook: Receiver) -> None:
    came_in(telling)
    run = telling.take(telling.grant(Task.DELIVER_WEBHOOK))
    job = telling.job(run)
    dying = replace(job, parts=replace(job.parts, sender=Dying(hook)))
    with pytest.raises(KeyboardInterrupt):
        deliver_webhook(dying)
    assert (owed(telling).attempts, owed(telling).state) == (1, "waiting")
    telling.ends(run)
    attempt(telling)
    assert [told.headers["webhook-id"] for told in hook.told] == [owed(telling).id] * 2


class Dying(Sender):
    """A process that is killed when its POST is out."""

    def __init__(self, hook: Receiver) -> None:
        super().__init__([SECRET], Reach(["127.0.0.0/8"]))
        self.url = hook.url

    def post(self, *args: Any, **options: Any) -> Any:
        super().post(*args, **options)
        raise KeyboardInterrupt


def test_one_who_is_gone_is_told_no_more(telling: World, hook: Receiver) -> None:
    came_in(telling)
    hook.answers = [(410, {})]
    assert attempt(telling) == Done({"disabled": "http_410"})
    assert (owed(telling).state, owed(telling).status) == (DeliveryState.DISABLED, 410)
    assert telling.waiting() == []


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again(telling: World, hook: Receiver, status: int) -> None:
    came_in(telling)
    hook.answers = [(status, {"Location": hook.url})]
    later = attempt(telling)
    assert isinstance(later, Later)
    assert (owed(telling).state, owed(telling).code, owed(telling).status) == ("waiting", f"http_{status}", status)
    assert len(hook.told) == 1


@pytest.mark.parametrize(("status", "seconds"), [(429, 600), (503, 600), (500, 5)])
def test_a_receiver_that_is_overwhelmed_says_how_long_to_wait(
    telling: World, hook: Receiver, status: int, seconds: float
) -> None:
    came_in(telling)
    hook.answers = [(status, {"Retry-After": "600"})]
    attempt(telling)
    assert telling.in_how_long(Task.DELIVER_WEBHOOK) == pytest.approx(seconds, rel=0.2)


def test_after_ten_attempts_it_has_failed(telling: World, hook: Receiver) -> None:
    came_in(telling)
    hook.answers = [(500, {})]
    for _ in range(9):
        assert isinstance(attempt(telling), Later)
    assert attempt(telling) == Done({"failed": "http_500"})
    assert (owed(telling).state, owed(telling).attempts, len(hook.told)) == ("failed", 10, 10)
    assert telling.waiting() == []


def test_an_address_that_may_not_be_called_has_failed_at_once(telling: World, hook: Receiver) -> None:
    telling.sender = Sender([SECRET], Reach())
    came_in(telling)
    assert attempt(telling) == Done({"failed": "address_refused"})
    assert hook.asked == 0


def test_without_a_secret_nothing_is_sent(telling: World, hook: Receiver) -> None:
    came_in(telling)
    telling.sender = Sender([], Reach(["127.0.0.0/8"]))
    assert attempt(telling) == Done({"failed": "not_signed"})
    assert hook.asked == 0


def test_what_the_settings_no_longer_name_is_not_told(telling: World, hook: Receiver) -> None:
    came_in(telling)
    telling.change(inbound_url=None)
    assert attempt(telling) == Done({"failed": "no_receiver"})
    assert hook.asked == 0


def test_a_mended_address_counts_at_once(telling: World, hook: Receiver) -> None:
    telling.change(inbound_url="http://127.0.0.1:1/wrong")
    came_in(telling)
    assert isinstance(attempt(telling), Later)
    telling.change(inbound_url=hook.url)
    assert attempt(telling) == Done({"status": 204})


def test_a_process_that_stops_makes_no_attempt_and_counts_none(telling: World, hook: Receiver) -> None:
    came_in(telling)
    telling.stopping.set()
    assert attempt(telling) == Later("stopping", 0)
    assert (owed(telling).attempts, hook.asked) == (0, 0)
    assert len(telling.waiting()) == 1


# A task of theirs.


@pytest.fixture
def handing(world: World, celery_app: Celery) -> World:
    """The world, with a queue of somebody else's on the broker."""
    world.change(inbound_task="theirs.received", inbound_queue="theirs")
    world.hand_on = hand_on_by(celery_app)
    return world


def test_a_message_is_handed_to_a_task_of_theirs(handing: World, redis_client: fakeredis.FakeRedis) -> None:
    came_in(handing)
    assert attempt(handing) == Done({"status": "handed on"})
    (raw,) = redis_client.lrange("theirs", 0, -1)
    message = json.loads(raw)
    args, kwargs, _ = _body(message)
    assert args == []
    assert (kwargs["id"], kwargs["type"]) == (owed(handing).id, "message.received")
    assert (kwargs["data"]["text"], kwargs["data"]["to"]) == ("Grüße", "+19195550102")
    headers = message["headers"]
    assert (headers["task"], headers["id"]) == ("theirs.received", owed(handing).id)
    assert "Grüße" not in headers["kwargsrepr"]
    assert "5550" not in headers["kwargsrepr"]
    assert owed(handing).state == "delivered"


def _body(message: dict[str, Any]) -> Any:
    return json.loads(b64decode(message["body"]))


def test_a_broker_that_is_away_is_tried_again(handing: World, broker: fakeredis.FakeServer) -> None:
    came_in(handing)
    broker.connected = False
    assert isinstance(attempt(handing), Later)
    assert (owed(handing).state, owed(handing).code) == ("waiting", "broker_away")
    broker.connected = True
    assert attempt(handing) == Done({"status": "handed on"})


def test_our_own_message_says_nothing_of_theirs(
    telling: World, publisher: Publisher, redis_client: fakeredis.FakeRedis
) -> None:
    came_in(telling)
    grant = telling.grant(Task.DELIVER_WEBHOOK)
    assert publisher.publish([grant]) == []
    (raw,) = redis_client.lrange("webhooks", 0, -1)
    message = json.loads(raw)
    _, kwargs, _ = _body(message)
    assert kwargs == {
        "work": grant.work,
        "serial": grant.serial,
        "import_id": "",
        "order_id": None,
        "count": 1,
        "delivery_id": owed(telling).id,
    }


def test_nothing_of_a_message_or_a_secret_is_logged(telling: World, hook: Receiver, celery_app: Celery) -> None:
    came_in(telling)
    hook.answers = [(500, {}), (204, {})]
    task = celery_app.tasks[Task.DELIVER_WEBHOOK]
    with capture_logs() as said:
        for _ in range(2):
            task.apply(kwargs=dict(payload_of(telling.grant(Task.DELIVER_WEBHOOK))))
    assert [one["event"] for one in said] == ["step_waits", "step_done"]
    assert not any(word in repr(said) for word in ("Grüße", "5550101", "token=t", SECRET))
