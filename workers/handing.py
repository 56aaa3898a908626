"""Hands an event on to a Celery task of the operator's own, on a queue of theirs on our broker."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from kombu.entity import Queue as KombuQueue

from tasks.parts import HandOn, NotHandedOn
from workers.publisher import AWAY


def hand_on_by(app: Celery) -> HandOn:
    """How events are handed on over the connections of this app."""

    def hand_on(task: str, queue: str, event_id: str, event: Mapping[str, Any]) -> None:
        try:
            app.send_task(
                task,
                kwargs=dict(event),
                # What Flower and their worker's log show: not the message.
                kwargsrepr=repr({"id": event_id, "type": event.get("type")}),
                task_id=event_id,
                queue=KombuQueue(queue, routing_key=queue),  # type: ignore[no-untyped-call]  # kombu publishes no types
                ignore_result=True,
            )
        except AWAY as error:
            raise NotHandedOn(type(error).__name__) from error

    return hand_on
