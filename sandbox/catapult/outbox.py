"""Sends messages: through their states, to numbers that live here, with the events that were asked for."""

from typing import Final

from sandbox.call import Call
from sandbox.carrier import Carrier
from sandbox.catapult import errors
from sandbox.catapult.events import Target, message_event, tell
from sandbox.catapult.inbox import receive
from sandbox.catapult.state import CatapultUser, Message
from sandbox.scenarios import fate_of

_REJECTED: Final = ("not-delivered", "750", "Destination Rejected Message")
_DELIVERED: Final = ("delivered", "0", "Message Delivered to Carrier")


def send(call: Call, message: Message) -> None:
    """Accept the message; it is sent and delivered in its own time."""
    user = call.carrier.users[call.account.user_id]
    user.messages[message.message_id] = message
    origin = call.request.origin
    seconds = call.carrier.switches.message_delay
    call.carrier.timers.later(seconds / 2, _begin, message)
    call.carrier.timers.later(seconds, _sent, call.carrier, user, message, origin)


def _begin(message: Message) -> None:
    message.state = "sending"


def _sent(carrier: Carrier, user: CatapultUser, message: Message, origin: str) -> None:
    if fate_of(message.recipient) == "message-error":
        message.state = "error"
        text = f"The message {message.message_id} could not be sent"
        errors.add(user, "unavailable", "message-gateway-unavailable", text, messageId=message.message_id)
        _report(carrier, user, message, origin, receipt=False)
        return
    message.state = "sent"
    _report(carrier, user, message, origin, receipt=False)
    carrier.timers.later(carrier.switches.message_delay, _arrived, carrier, user, message, origin)


def _arrived(carrier: Carrier, user: CatapultUser, message: Message, origin: str) -> None:
    """The other side has it, or has refused it."""
    refused = fate_of(message.recipient) == "not-delivered"
    wanted = message.fields["receiptRequested"]
    if wanted != "none":
        outcome = _REJECTED if refused else _DELIVERED
        message.delivery_state, message.delivery_code, message.delivery_description = outcome
    if not refused:
        receive(carrier, message.sender, message.recipient, message.fields, origin)
    if wanted == "all" or (wanted == "error" and refused):
        _report(carrier, user, message, origin, receipt=True)


def _report(carrier: Carrier, user: CatapultUser, message: Message, origin: str, *, receipt: bool) -> None:
    """Tell the URL that the message names, if it names one."""
    fields = message.fields
    if not fields.get("callbackUrl"):
        return
    target = Target(
        url=fields["callbackUrl"],
        fallback=fields.get("fallbackUrl"),
        method=fields["callbackHttpMethod"],
        seconds=fields["callbackTimeout"] / 1000,
    )
    tell(carrier, message_event(user, message, origin, application_id=None, receipt=receipt), target)
