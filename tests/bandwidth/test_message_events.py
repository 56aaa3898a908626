"""Callbacks of the messages API, in both forms and with all that may be missing or odd."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tnimport.bandwidth.message_events import UnreadableEvent, from_json, read_event
from tnimport.domain.inbound import MessageEvent

# Of the shape of Bandwidth guide, step 6.
POSTED = {
    "eventType": "sms",
    "direction": "in",
    "messageId": "m-1",
    "messageUri": "https://api.example/v1/users/u-1/messages/m-1",
    "from": "+13233326955",
    "to": "+14352154439",
    "text": "Hello & good-bye",
    "applicationId": "a-1",
    "time": "2026-11-14T16:13:06.076Z",
    "state": "received",
}
PLAIN = MessageEvent(
    message_id="m-1",
    kind="message",
    event_type="sms",
    sender="+13233326955",
    recipient="+14352154439",
    text="Hello & good-bye",
    application_id="a-1",
    said_at="2026-11-14T16:13:06.076Z",
)


def told(**changes: Any) -> MessageEvent:
    return read_event({name: value for name, value in (POSTED | changes).items() if value is not None})


def test_json_and_query_tell_the_same() -> None:
    assert from_json(json.dumps(POSTED).encode()) == read_event(POSTED) == PLAIN


def test_an_event_alone_in_a_list_is_taken_and_a_byte_order_mark_is_none_of_it() -> None:
    assert from_json(json.dumps([POSTED]).encode()) == PLAIN
    assert from_json("\ufeff".encode() + json.dumps(POSTED).encode()) == PLAIN


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"text": None}, "text", ""),
        ({"time": "2026-12-01T16:04:49Z"}, "said_at", "2026-12-01T16:04:49Z"),
        ({"time": None}, "said_at", None),
        ({"segmentCount": 2, "unknown": {"deep": []}}, "text", "Hello & good-bye"),
        ({"from": "14352154439"}, "sender", "+14352154439"),
        ({"from": " 14352154439"}, "sender", "+14352154439"),
        ({"from": "12345"}, "sender", "12345"),
        ({"from": "+442071838750"}, "sender", "+442071838750"),
        ({"to": ["+14352154439"]}, "recipient", "+14352154439"),
        ({"eventType": "MMS"}, "event_type", "mms"),
        ({"media": ["https://a.example/1", "https://a.example/2"]}, "media", ("https://a.example/1", "https://a.example/2")),
        ({"media": "[https://a.example/1,2, https://a.example/3]"}, "media", ("https://a.example/1,2", "https://a.example/3")),
        ({"media": "[]"}, "media", ()),
        ({"media": {"no": "list"}}, "media", ()),
        ({"text": "a\x00b\ud800"}, "text", "a\ufffdb\ufffd"),
        ({"text": "line\nline"}, "text", "line\nline"),
        ({"text": 7}, "text", "7"),
        ({"direction": None}, "kind", "message"),
        ({"direction": "out", "state": "sent"}, "kind", "out:sent"),
        ({"direction": "out", "state": None}, "kind", "out:unknown"),
        ({"direction": "out", "deliveryState": "delivered", "deliveryCode": 0}, "kind", "receipt:delivered"),
        ({"direction": "out", "deliveryState": "not-delivered", "deliveryCode": 750}, "delivery_code", "750"),
    ],
)  # fmt: skip
def test_what_may_be_missing_or_odd_is_taken(changes: dict[str, Any], name: str, value: object) -> None:
    assert getattr(told(**changes), name) == value


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"messageId": None}, "messageId"),
        ({"messageId": "m" * 65}, "messageId"),
        ({"messageId": {"a": 1}}, "messageId"),
        ({"from": None}, "from"),
        ({"to": "9" * 41}, "to"),
        ({"to": ["+14352154439", "+14352154440"]}, "to"),
        ({"eventType": "incomingcall"}, "eventType"),
    ],
)
def test_what_is_no_event_is_refused_by_the_name_of_its_part(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(UnreadableEvent, match=f"^{part}$"):
        told(**changes)


def test_an_event_in_latin_1_is_read_as_answers_are() -> None:
    event = from_json(json.dumps(POSTED | {"text": "caf\xe9"}, ensure_ascii=False).encode("latin-1"))
    assert (event.message_id, event.text) == (PLAIN.message_id, "caf\xe9")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"\xff", b"[" * 100_000, b"{", b"[{}, {}]"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableEvent, match=r"^body$"):
        from_json(body)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
NAMES = [*POSTED, "media", "tag", "deliveryState", "deliveryCode", "deliveryDescription"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), anything, max_size=4))
def test_whatever_comes_is_an_event_that_can_be_stored_or_is_refused(changes: dict[str, Any]) -> None:
    try:
        event = read_event(POSTED | changes)
    except UnreadableEvent:
        return
    kept = [value for name in MessageEvent.__dataclass_fields__ if isinstance(value := getattr(event, name), str)]
    assert not any("\0" in value for value in (*kept, *event.media))
    "".join((*kept, *event.media)).encode()
    assert max(len(event.sender), len(event.recipient), len(event.kind)) <= 41
