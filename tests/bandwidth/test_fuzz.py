"""No answer whatsoever brings anything out of a decipherer but its value or one error of the tree, and in no time."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tnimport.bandwidth import texts
from tnimport.bandwidth.catapult_replies import read_created
from tnimport.bandwidth.errors import CarrierError, NotFound, OutcomeUnknown, Permanent, RateLimited
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.externaltns import read_order
from tnimport.bandwidth.location import last_segment, next_query
from tnimport.bandwidth.waiting import LONGEST, retry_after

Reader = Callable[[Reply, Any], Any]
SAMPLES = sorted((Path(__file__).parent / "replies").iterdir())

statuses = st.sampled_from([100, 200, 201, 202, 204, 206, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503, 999])
headers = st.dictionaries(
    st.sampled_from(["location", "link", "content-type", "retry-after", "x-ratelimit-reset", "date", "content-length"]),
    st.text(max_size=60)
    | st.sampled_from(["application/xml; charset=utf-16", "/v1/users/u/phoneNumbers/n-1", '<?page=1>; rel="next"'])
    | st.integers(-(10**20), 10**20).map(str),
    max_size=4,
)
names = st.sampled_from(
    [
        "ExternalTnsOrder",
        "ExternalTnsOrders",
        "OrderId",
        "ProcessingStatus",
        "Order",
        "Errors",
        "Error",
        "Code",
        "ErrorCode",
        "Description",
        "TelephoneNumbers",
        "TelephoneNumber",
        "ResponseStatus",
        "ErrorList",
        "TotalCount",
        "Links",
        "next",
        "Site",
        "Id",
        "SipPeer",
        "PeerId",
        "Subscription",
        "SubscriptionId",
        "CallbackSubscription",
        "Expiry",
        "html",
        "x:y",
    ]
)
xml = st.recursive(
    st.text(max_size=15).map(lambda text: text.replace("<", "&lt;"))
    | st.sampled_from(["9195550100", "COMPLETE", "5016", "&amp;", "&x;", "<![CDATA[9]]>", "<!-- -->", "<?a b?>"]),
    lambda inner: st.builds("<{0}>{1}</{0}>".format, names, st.lists(inner, max_size=5).map("".join)),
    max_leaves=25,
)
keys = st.sampled_from(
    [
        "id",
        "number",
        "applicationId",
        "application",
        "numberState",
        "code",
        "category",
        "message",
        "details",
        "name",
        "value",
        "result",
        "location",
        "error",
        "media",
        "text",
        "messageId",
        "segmentCount",
        "autoAnswer",
        "incomingMessageUrlCallbackTimeout",
        "callbackHttpMethod",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=20,
)
bodies = (
    st.binary(max_size=300)
    | xml.map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.builds(lambda text, code: text.encode(code, "replace"), xml, st.sampled_from(["utf-16", "latin-1", "utf-32"]))
    | values.map(lambda value: json.dumps(value).encode())
)


def outcome(read: Callable[[], object]) -> CarrierError | None:
    """Return the error of the tree, or None for a value; anything else goes through and fails the test."""
    try:
        read()
    except CarrierError as error:
        return error
    return None


def deciphers(reader: Reader, reply: Reply, asked: object = None) -> None:
    """Read, and check what holds for every outcome."""
    began = time.thread_time()
    error = outcome(lambda: reader(reply, asked))
    if error is not None:
        assert str(error).isprintable()
        str(error).encode()
        assert error.code
        assert error.status == reply.status
        assert error.retry_after is None or 0 < error.retry_after <= LONGEST
    assert time.thread_time() - began < 5


@given(statuses, headers, bodies)
@settings(max_examples=20, deadline=None)
def test_any_answer_is_deciphered(reader: Reader, status: int, fields: dict[str, str], body: bytes) -> None:
    deciphers(reader, Reply(status, fields, body, 1767225600.0))


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_a_real_answer_with_bytes_changed_is_deciphered(reader: Reader, data: st.DataObject) -> None:
    folder = data.draw(st.sampled_from(SAMPLES))
    said = json.loads((folder / "status.json").read_text())
    body = bytearray((folder / "body").read_bytes()[:2000])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=6))
    deciphers(reader, Reply(said["status"], said["headers"], bytes(body), 1767225600.0))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_an_answer_cut_anywhere_never_gains_a_better_fate(data: st.DataObject) -> None:
    whole = (Path(__file__).parent / "replies" / "order-2016-complete" / "body").read_bytes().strip()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    error = outcome(lambda: read_order(Reply(200, {}, cut)))
    assert error is not None
    assert error.code == "unreadable_answer"


@given(st.sampled_from([200, 201, 202, 299, 300, 302, 408, 500, 502, 503, 504, 599]), headers, st.binary(max_size=50))
def test_a_creation_whose_answer_says_nothing_is_of_unknown_outcome(
    status: int, fields: dict[str, str], body: bytes
) -> None:
    fields.pop("location", None)
    error = outcome(lambda: read_created(Reply(status, fields, b"<" + body), "phoneNumbers"))
    assert type(error) is OutcomeUnknown


@given(headers, st.none() | st.text(max_size=30) | st.integers().map(str))
def test_a_wait_is_never_nonsense(fields: dict[str, str], reset: str | None) -> None:
    wait = retry_after(Reply(429, fields, b"", 1767225600.0), reset)
    assert wait is None or 0 < wait <= LONGEST


@given(st.text(max_size=80) | st.from_regex(r"(https?://[a-z]{0,5})?(/[a-zA-Z0-9.%;?#]{0,8}){0,4}", fullmatch=True))
def test_an_id_from_a_url_can_stand_in_a_path(url: str) -> None:
    found = last_segment(url, "phoneNumbers")
    assert found is None or (found not in {"", ".", ".."} and "/" not in found)


@given(st.text(max_size=200))
def test_a_next_page_is_a_query_and_nothing_else(link: str) -> None:
    found = next_query(link)
    assert found is None or (found.isascii() and not set(found) & set(' \r\n#<>"'))


@given(st.text())
def test_texts_of_the_carrier_can_be_stored(text: str) -> None:
    for made in (texts.clean(text), texts.description(text), texts.code(text) or ""):
        made.encode()
        assert not any(ord(letter) < 32 for letter in made)
    assert len(texts.description(text)) <= texts.LONGEST_DESCRIPTION


@given(st.from_regex(r"[2-9][0-9]{9}", fullmatch=True), st.sampled_from(["{}", "+1{}", "1{}", " {} ", "+1-{}", "({})"]))
def test_a_number_is_ten_digits_here_and_e164_there(ten: str, form: str) -> None:
    assert texts.number(form.format(ten)) == ten
    assert texts.e164(form.format(ten)) == "+1" + ten


def test_not_found_is_a_kind_of_permanent_and_rate_limited_is_not() -> None:
    assert issubclass(NotFound, Permanent)
    assert not issubclass(RateLimited, Permanent)
