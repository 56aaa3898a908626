"""The names by which processes know each other: tasks, queues and what a message holds.

Every message is JSON with keyword arguments. Internal ones hold ids and counts only: no number, no name, no secret.
`submit_import` comes from others, and carries the numbers.
"""

from enum import StrEnum
from typing import Final, NotRequired, TypedDict


class Queue(StrEnum):
    """One Celery queue for each concern, so that a flood of one cannot starve another."""

    INTAKE = "intake"
    ORDERS = "orders"
    NUMBERS = "numbers"
    MESSAGES = "messages"
    WEBHOOKS = "webhooks"
    UPKEEP = "upkeep"


class Task(StrEnum):
    """Every task by its public name; a renamed task loses the messages of a rolling deploy."""

    SUBMIT_IMPORT = "tnimport.submit_import"
    SUBMIT_ORDER = "tnimport.submit_order"
    POLL_ORDER = "tnimport.poll_order"
    ENSURE_SUBSCRIPTION = "tnimport.ensure_subscription"
    ENSURE_APPLICATION = "tnimport.ensure_application"
    IMPORT_NUMBERS = "tnimport.import_numbers"
    RELEASE_NUMBERS = "tnimport.release_numbers"
    DELIVER_WEBHOOK = "tnimport.deliver_webhook"
    SEND_MESSAGE = "tnimport.send_message"
    VERIFY_NUMBERS = "tnimport.verify_numbers"
    PRUNE = "tnimport.prune"


QUEUE_OF: Final[dict[Task, Queue]] = {
    Task.SUBMIT_IMPORT: Queue.INTAKE,
    Task.SUBMIT_ORDER: Queue.ORDERS,
    Task.POLL_ORDER: Queue.ORDERS,
    Task.ENSURE_SUBSCRIPTION: Queue.ORDERS,
    Task.ENSURE_APPLICATION: Queue.NUMBERS,
    Task.IMPORT_NUMBERS: Queue.NUMBERS,
    Task.RELEASE_NUMBERS: Queue.NUMBERS,
    Task.DELIVER_WEBHOOK: Queue.WEBHOOKS,
    Task.SEND_MESSAGE: Queue.MESSAGES,
    Task.VERIFY_NUMBERS: Queue.MESSAGES,
    Task.PRUNE: Queue.UPKEEP,
}


class Payload(TypedDict):
    """What a message of an internal task holds; `work` and `serial` name the claim, the rest is for Flower."""

    work: int
    serial: int
    import_id: str
    order_id: int | None
    count: int
    message_id: NotRequired[str]
    delivery_id: NotRequired[str]
