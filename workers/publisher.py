"""Puts grants on their queues, and says how much room the broker has."""

from collections.abc import Iterable
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tnimport.contract import QUEUE_OF, Payload, Queue, Task
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.housekeeping.heartbeats import ANSWERS

WINDOW: Final = 64  # messages that wait in one queue: a few seconds of work, whatever an import's size
_TASKS: Final = uuid5(NAMESPACE_URL, "tnimport/tasks")
# In Flower's order: whose work it is and how much comes first, for a row shows the beginning of it.
_SHOWN: Final = ("import_id", "order_id", "message_id", "delivery_id", "count", "work", "serial")
_ONE_ROW: Final = frozenset(
    {
        Task.SUBMIT_ORDER,
        Task.POLL_ORDER,
        Task.ENSURE_APPLICATION,
        Task.ENSURE_SUBSCRIPTION,
        Task.SEND_MESSAGE,
        Task.VERIFY_NUMBERS,
        Task.DELIVER_WEBHOOK,
    }
)


class BrokerAway(Exception):
    """Redis cannot be reached, hangs, or is full."""


class Publisher:
    """Publishes over one connection of the app's pool."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def room(self) -> dict[Queue, int]:
        """How many messages each queue may still take.

        Raises:
            BrokerAway: nobody answers in time.
        """
        try:
            with self._app.pool.acquire(block=True) as connection:
                lengths = [connection.default_channel.client.llen(queue.value) for queue in Queue]
        except AWAY as error:
            raise BrokerAway(type(error).__name__) from error
        return {queue: max(0, WINDOW - length) for queue, length in zip(Queue, lengths, strict=True)}

    def answers(self) -> str:
        """Whether Redis answers now: `answers`, or the kind of fault that was met."""
        try:
            with self._app.pool.acquire(block=True) as connection:
                connection.default_channel.client.ping()
        except AWAY as error:
            return type(error.__cause__ or error).__name__
        return ANSWERS

    def publish(self, grants: Iterable[Grant]) -> list[Grant]:
        """Send each grant; returns those that certainly were not sent, or may not have been."""
        left = list(grants)
        try:
            with self._app.producer_or_acquire() as producer:
                while left:
                    self._send(left[0], producer)
                    left.pop(0)
        except AWAY:
            pass
        return left

    def _send(self, grant: Grant, producer: object) -> None:
        payload = payload_of(grant)
        self._app.send_task(
            grant.task.value,
            kwargs=payload,
            kwargsrepr=repr({name: payload[name] for name in _SHOWN if name in payload}),
            task_id=str(task_id(grant)),
            queue=QUEUE_OF[grant.task].value,
            retries=grant.attempts,
            producer=producer,
            ignore_result=True,
        )


# kombu translates redis-py's errors only while it publishes; OSError is a refused connection.
AWAY: Final = (OperationalError, OSError, RedisError)


def payload_of(grant: Grant) -> Payload:
    """What the message holds: ids and counts only."""
    payload = Payload(
        work=grant.work,
        serial=grant.serial,
        import_id=grant.import_id or "",
        order_id=grant.order_id,
        count=grant.count,
    )
    if grant.message_id:
        payload["message_id"] = grant.message_id
    if grant.delivery_id:
        payload["delivery_id"] = grant.delivery_id
    return payload


def task_id(grant: Grant) -> UUID:
    """The steps of one thing keep one id over all their runs, so that Flower shows one row; a grant has its own."""
    if grant.task in _ONE_ROW:
        thing = None if grant.order_id is grant.application_ref is None else f"{grant.order_id}/{grant.application_ref}"
        subject = grant.message_id or grant.delivery_id or thing or f"work {grant.work}"
        return uuid5(_TASKS, f"{grant.task}/{subject}")
    return uuid5(_TASKS, f"{grant.task}/{grant.work}/{grant.serial}")
