"""Half a megabyte of anything costs a second or two, and no memory out of proportion; a square would take minutes."""

import time
import tracemalloc

import pytest

from tnimport.bandwidth.catapult_replies import read_page
from tnimport.bandwidth.errors import CarrierError
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.externaltns import read_order, read_orders
from tnimport.bandwidth.location import next_query
from tnimport.bandwidth.phone_numbers import read_phone_number

SIZE = 500_000  # enough for a square to show: it would take minutes
WHOLE = b"<O><OrderId>o</OrderId>%s</O>"


def many(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


@pytest.mark.parametrize(
    "body",
    [
        many(b"<?xml "),
        many(b"<!-- "),
        many(b"<!--x-->"),
        many(b"<a:"),
        many(b"<a "),
        many(b"&amp;"),
        many(b"& "),
        many(b"<![CDATA["),
        many(b"<a b:c='1' "),
        b"<a" + many(b" "),
        b"<a>" * (SIZE // 7) + b"</a>" * (SIZE // 7),
        WHOLE % many(b"<a/>"),
        WHOLE % many(b"<Errors/>"),
        WHOLE % many(b"<TelephoneNumber>9195550100</TelephoneNumber>"),
        WHOLE % many(b"<Error><Code>1</Code></Error>"),
        WHOLE % (b"<Error><Description>" * 60 + many(b"x") + b"</Description></Error>" * 60),
        WHOLE % (b"<Error><Code>1</Code>" * 60 + many(b"<a/>") + b"</Error>" * 60),
        WHOLE % (b"<a>" * 200 + many(b"<TelephoneNumber/>") + b"</a>" * 200),
        many(b"<O><OrderId>1</OrderId></O>").join((b"<L>", b"</L>")),
    ],
    ids=lambda body: body[:24].decode() + "…",
)
def test_heavy_xml_is_read_or_refused_in_time(body: bytes) -> None:
    began = time.process_time()
    for read in (read_order, read_orders):
        try:
            read(Reply(200, {}, body))
        except CarrierError as error:
            assert error.code in {"unreadable_answer", "doctype_refused"}  # noqa: PT017 - either outcome will do
    assert time.process_time() - began < 60


@pytest.mark.parametrize(
    "body", [b"[" * SIZE, many(b"[]"), b"[" + many(b"{},") + b"{}]", b'["' + many(b"\\u0000") + b'"]']
)
def test_heavy_json_is_read_or_refused_in_time(body: bytes) -> None:
    began = time.process_time()
    try:
        assert read_page(Reply(200, {}, body), read_phone_number).items == ()
    except CarrierError as error:
        assert error.code == "unreadable_answer"  # noqa: PT017 - either outcome will do
    assert time.process_time() - began < 60


@pytest.mark.parametrize("piece", ["<", "<>", "rel=", 'rel="', '<x?y>; rel="', "<x?y>;rel=next"])
def test_a_heavy_link_header_is_read_in_time(piece: str) -> None:
    began = time.process_time()
    next_query(piece * (65536 // len(piece)))
    assert time.process_time() - began < 30


def test_reading_a_large_order_takes_little_more_memory_than_its_numbers() -> None:
    reply = Reply(200, {}, WHOLE % many(b"<TelephoneNumber>9195550100</TelephoneNumber>"))
    tracemalloc.start()
    read_order(reply)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * SIZE
