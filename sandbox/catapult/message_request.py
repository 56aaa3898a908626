"""Reads and judges one message to be sent."""

import re
from typing import Any, Final

from sandbox.call import Call
from sandbox.catapult.callback_fields import LONGEST_TIMEOUT, check_method, check_timeout, check_url
from sandbox.catapult.json_in import optional_text, text
from sandbox.catapult.problems import Problem, invalid, missing
from sandbox.catapult.state import Message
from sandbox.ids import resource_id
from sandbox.scenarios import fate_of

LONGEST_TEXT: Final = 2048
_SEGMENT: Final = 160
_NUMBER: Final = re.compile(r"\+?(1[0-9]{10})")
_RECIPIENT: Final = re.compile(r"\+?([1-9][0-9]{6,14})")


def read_message(call: Call, given: dict[str, Any]) -> Message:
    """The message asked for, not yet sent, or the refusal that it deserves."""
    sender = _own_number(call, text(given, "message", "from"))
    recipient = _e164(_RECIPIENT, text(given, "message", "to"))
    if recipient is None or fate_of(recipient) == "message-refused":
        raise invalid("Invalid phone number: to")
    user = call.carrier.users[call.account.user_id]
    receipts = given.get("receiptRequested", "none")
    fields = _content(given) | _callback(given)
    if receipts not in ("none", "all", "error") or (receipts != "none" and fields["media"]):
        raise invalid("The property 'receiptRequested' must be none, all or error, and none with media.")
    return Message(
        message_id=resource_id("m"),
        sort_key=next(user.sort_keys),
        direction="out",
        sender=sender,
        recipient=recipient,
        # Our choice: a message is queued first, whatever its account's queue.
        state="queued",
        fields={**fields, "receiptRequested": receipts},
        delivery_state="waiting" if receipts != "none" else None,
    )


def _own_number(call: Call, given: str) -> str:
    number = _e164(_NUMBER, given)
    # Our choice: the guide's own example has no + before the sender's number, so that form is taken as well.
    if number is None or number not in call.carrier.users[call.account.user_id].by_number:
        message = f"The number {given[:40]} is not allocated to this user"
        raise Problem(401, "authorization", "number-access-denied", message, ("number", given[:40]))
    return number


def _e164(pattern: re.Pattern[str], given: str) -> str | None:
    found = pattern.fullmatch(given.strip())
    return f"+{found[1]}" if found else None


def _content(given: dict[str, Any]) -> dict[str, Any]:
    body = optional_text(given, "text")
    media = given.get("media") or []
    if not isinstance(media, list) or not all(isinstance(one, str) for one in media):
        raise invalid("The property 'media' must be a list of URLs.")
    if not body and not media:
        raise missing("message", "text")
    if len(body or "") > LONGEST_TEXT:
        raise invalid(f"The property 'text' may hold {LONGEST_TEXT} characters at most.")
    # Our choice: segments are counted as for plain text of 160 characters; a message with media is one.
    segments = 1 if media else max(1, -(-len(body or "") // _SEGMENT))
    return {"text": body or "", "media": media, "segmentCount": segments}


def _callback(given: dict[str, Any]) -> dict[str, Any]:
    for name in ("callbackUrl", "fallbackUrl"):
        check_url(given, name)
    check_timeout(given, "callbackTimeout")
    check_method(given, "callbackHttpMethod")
    tag = {"tag": optional_text(given, "tag")}
    if not given.get("callbackUrl"):
        return tag
    return {
        **tag,
        "callbackUrl": given["callbackUrl"],
        "callbackHttpMethod": given.get("callbackHttpMethod", "post"),
        "callbackTimeout": given.get("callbackTimeout", LONGEST_TIMEOUT),
        "fallbackUrl": given.get("fallbackUrl"),
    }
