"""The Dashboard tells of an order: challenge first, hardened, and harmless whatever it says."""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.ledger.schema import orders, work
from tnimport.web.carrier.callers import proof

if TYPE_CHECKING:
    import requests

    from tests.web.conftest import Seed, Serve, Web
    from tnimport.ledger.engine import Ledger

PATH = "/callbacks/default/orders"
BASIC = {"Authorization": "Basic " + b64encode(b"tnimport:canary-secret").decode()}
XML = {"Content-Type": "application/xml; charset=utf-8"}
TOLD = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Notification><SubscriptionId>s-1</SubscriptionId><OrderType>{kind}</OrderType>{order}<Status>COMPLETE</Status>
<LastModifiedDate>2026-11-25T10:00:00Z</LastModifiedDate></Notification>"""
BY_ID, BY_REFERENCE = "<OrderId>c-1</OrderId>", "<CustomerOrderId> r-1 </CustomerOrderId>"
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Notification><OrderId>&b;</OrderId></Notification>'


@pytest.fixture
def called(serve: Serve, ledger: Ledger, seed: Seed) -> Web:
    """A web process with one order at the carrier, whose next look is far away."""
    seed(ledger)
    with ledger.write() as tx:
        tx.run(sa.update(orders).values(state="accepted", carrier_order_id="c-1", reference="r-1"))
        tx.run(sa.update(work).values(due_at=tx.now + 300))
    return serve(ledger, callback_secrets={"default": "canary-secret"})


def tell(web: Web, order: str = BY_ID, kind: str = "externalTns", **options: object) -> requests.Response:
    headers = XML | BASIC | dict(options.pop("headers", {}))
    return web.post(PATH, TOLD.format(order=order, kind=kind), headers=headers)


def waits(web: Web) -> bool:
    with web.ledger.read() as tx:
        return bool(tx.run(sa.select(work.c.due_at)).scalar_one() > tx.now)


def test_the_challenge_comes_first_and_then_the_order_is_woken(called: Web) -> None:
    first = called.post(PATH, TOLD.format(order=BY_ID, kind="externalTns"), headers=XML)
    assert (first.status_code, first.headers["WWW-Authenticate"][:6]) == (401, "Basic ")
    assert waits(called)
    assert tell(called).status_code == 200
    assert not waits(called)


@pytest.mark.parametrize(
    ("order", "kind", "waiting"),
    [
        (BY_REFERENCE, "EXTERNALTNS", False),
        ("<OrderId>unknown</OrderId>" + BY_REFERENCE, "externalTns", False),
        ("<OrderId>unknown</OrderId>", "externalTns", True),
        (BY_ID, "portins", True),
    ],
)
def test_every_notification_is_answered_200_and_only_ours_wake(
    called: Web, order: str, kind: str, *, waiting: bool
) -> None:
    assert tell(called, order, kind).status_code == 200
    assert waits(called) is waiting


@pytest.mark.parametrize(
    "body", [b"", b"canary", b"<canary/>", b"<Notification/>", b'{"OrderId": "c-1"}', BOMB, b"<Notification><OrderId>"]
)
def test_what_is_none_is_400_without_a_trace(called: Web, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = called.post(PATH, body, headers=XML | BASIC)
    assert answer.status_code == 400
    assert waits(called)
    ours = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("tnimport"))
    assert "canary" not in answer.text + ours


def test_what_is_too_large_is_413(called: Web) -> None:
    assert tell(called, BY_ID + "x" * 300_000).status_code == 413


def test_a_get_is_taken_and_does_nothing(called: Web) -> None:
    assert called.get(f"{PATH}?OrderId=c-1", headers=BASIC).json() == {"status": "ok"}
    assert called.get(f"{PATH}?probe=n", headers=BASIC).json() == {"proof": proof("canary-secret", "n")}
    assert called.get(PATH).status_code == 401
    assert waits(called)
