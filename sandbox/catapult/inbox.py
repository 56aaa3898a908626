"""Receives messages for numbers that live here and hands them to their applications."""

from typing import Any

from sandbox.carrier import Carrier
from sandbox.catapult import errors
from sandbox.catapult.events import Target, message_event, tell
from sandbox.catapult.state import Application, CatapultUser, Message
from sandbox.ids import resource_id
from sandbox.scenarios import fate_of


def receive(carrier: Carrier, sender: str, recipient: str, content: dict[str, Any], origin: str) -> str | None:
    """Give the message to the user whose number it is for; its id there, or None where nobody has the number."""
    user = carrier.number_owners.get(recipient)
    if user is None:
        return None
    message = Message(
        message_id=resource_id("m"),
        sort_key=next(user.sort_keys),
        direction="in",
        sender=sender,
        recipient=recipient,
        state="received",
        fields={name: content[name] for name in ("text", "media", "segmentCount")},
    )
    user.messages[message.message_id] = message
    _hand_over(carrier, user, message, origin)
    return message.message_id


def _hand_over(carrier: Carrier, user: CatapultUser, message: Message, origin: str) -> None:
    number = user.by_number[message.recipient]
    application = user.applications.get(number.application_id or "")
    if application is None:
        text = f"No application is configured for number {message.recipient}"
        errors.add(user, "not-found", "no-application-for-number", text, number=message.recipient)
        return
    if not application.fields.get("incomingMessageUrl"):
        return
    fate = fate_of(message.recipient)
    event = message_event(user, message, origin, application_id=application.application_id, receipt=False)
    copies = {"callback-twice": 2, "callback-lost": 0}.get(fate, 1)
    for _ in range(copies):
        _call(carrier, application, event, late=fate == "callback-late")


def _call(carrier: Carrier, application: Application, event: dict[str, Any], *, late: bool) -> None:
    fields = application.fields
    target = Target(
        url=fields["incomingMessageUrl"],
        fallback=fields.get("incomingMessageFallbackUrl"),
        method=fields["callbackHttpMethod"],
        seconds=fields["incomingMessageUrlCallbackTimeout"] / 1000,
    )
    tell(carrier, event, target, wait=carrier.switches.slow_seconds if late else 0.0)
