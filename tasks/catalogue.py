"""Every task by its public name. A name is a contract: a test holds this list against `tnimport.contract`."""

from collections.abc import Callable, Mapping
from typing import Final

from celery import Celery

from tasks.applications import ensure_application
from tasks.claims import Step, register
from tasks.intake import register_intake
from tasks.messages import send_message
from tasks.numbers import import_numbers
from tasks.orders import poll_order, submit_order
from tasks.parts import Parts
from tasks.proofs import verify_numbers
from tasks.releases import release_numbers
from tasks.subscriptions import ensure_subscription
from tasks.upkeep import register_upkeep
from tasks.webhooks import deliver_webhook
from tnimport.contract import Task

STEPS: Final[Mapping[Task, Step]] = {
    Task.SUBMIT_ORDER: submit_order,
    Task.POLL_ORDER: poll_order,
    Task.ENSURE_SUBSCRIPTION: ensure_subscription,
    Task.ENSURE_APPLICATION: ensure_application,
    Task.IMPORT_NUMBERS: import_numbers,
    Task.RELEASE_NUMBERS: release_numbers,
    Task.DELIVER_WEBHOOK: deliver_webhook,
    Task.SEND_MESSAGE: send_message,
    Task.VERIFY_NUMBERS: verify_numbers,
}


def register_all(app: Celery, parts: Callable[[], Parts]) -> None:
    """Make every step a task of the app."""
    for name, step in STEPS.items():
        register(app, parts, name, step)
    register_intake(app, parts)
    register_upkeep(app, parts)
