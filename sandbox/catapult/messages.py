"""messages: send one or up to fifty, list, fetch."""

from typing import Any, Final

from sandbox.call import Call
from sandbox.catapult import outbox
from sandbox.catapult.json_in import as_object, read
from sandbox.catapult.json_out import answer, created, location
from sandbox.catapult.message_filters import page_of_messages
from sandbox.catapult.message_request import read_message
from sandbox.catapult.paging import listed
from sandbox.catapult.problems import Problem, as_json, invalid, not_found
from sandbox.catapult.state import Message, stamp
from sandbox.faults.apply import after_by_name, instead_by_name
from sandbox.scenarios import fate_of
from sandbox.wire.message import Response

MOST_AT_ONCE: Final = 50


def create(call: Call) -> Response:
    """POST messages: 201 for one, 202 with a result each for an array."""
    body = read(call.request)
    if isinstance(body, list):
        return _batch(call, body)
    message = read_message(call, as_object(body))
    fate = fate_of(message.recipient)
    if fate == "message-limited-once" and call.carrier.journal.times(fate, message.recipient) == 1:
        return instead_by_name("rate-limited", call)
    outbox.send(call, message)
    response = created(call, "messages", message.message_id)
    return _trouble_after(call, fate, message.recipient, response)


def _trouble_after(call: Call, fate: str, number: str, response: Response) -> Response:
    """What reserved recipients do to the answer of a message that is on its way."""
    kinds = {"message-503-after": "error-after", "message-cut-after": "cut-after"}
    if fate in kinds and call.carrier.journal.times(fate, number) == 1:
        return after_by_name(kinds[fate], call, response)
    return response


def _batch(call: Call, bodies: list[Any]) -> Response:
    # Our choice: a batch counts as one call against the limit, and an empty one is refused.
    if not bodies:
        raise invalid("The list of messages is empty.")
    if len(bodies) > MOST_AT_ONCE:
        text = f"The multi message request has {len(bodies)} messages, more than the limit of {MOST_AT_ONCE}."
        raise Problem(403, "limit", "multi-message-limit", text)
    return answer([_one_of_batch(call, body) for body in bodies], 202)


def _one_of_batch(call: Call, body: object) -> dict[str, Any]:
    try:
        message = read_message(call, as_object(body))
    except Problem as problem:
        return {"result": "error", "error": as_json(problem, call.request)}
    outbox.send(call, message)
    where = location(call, "messages", message.message_id)
    return {"result": "accepted"} | ({"location": where} if where else {})


def index(call: Call) -> Response:
    """GET messages, newest first."""
    user = call.carrier.users[call.account.user_id]
    found, link = page_of_messages(call, list(user.messages.values()))
    return listed([shown(one) for one in found], link)


def fetch(call: Call) -> Response:
    """GET messages/{id}."""
    wanted = call.params["message"]
    message = call.carrier.users[call.account.user_id].messages.get(wanted)
    if message is None:
        raise not_found("message", wanted)
    return answer(shown(message))


def shown(message: Message) -> dict[str, Any]:
    """The message as it is shown."""
    fields = {
        "id": message.message_id,
        "messageId": message.message_id,
        "from": message.sender,
        "to": message.recipient,
        "time": stamp(message.time),
        "direction": message.direction,
        "state": message.state,
        "deliveryState": message.delivery_state,
        "deliveryCode": message.delivery_code,
        "deliveryDescription": message.delivery_description,
        **message.fields,
    }
    return {name: value for name, value in fields.items() if value is not None}
