"""Whatever the sandbox calls an application about is taken by the real web application: both methods, late, twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sandbox.pytest_plugin import sandbox, sandbox_server  # noqa: F401 - fixtures
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.messages import MessageSpec
from tnimport.bandwidth.transport import Transport
from tnimport.domain.callbacks import with_secret
from tnimport.ledger.schema import inbound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.testing import RunningSandbox
    from tests.web.conftest import Serve, Web
    from tnimport.ledger.engine import Ledger

SECRET = "canary:secret/1"
SENDER = "+19195550001"
METHODS = pytest.mark.parametrize("method", ["POST", "GET"])


class Carrier:
    """The sandbox's account, whose messages come to us; `other` is a number of theirs that sends."""

    def __init__(self, sandbox: RunningSandbox, catapult: Catapult, web: Web) -> None:  # noqa: F811 - not the fixture
        self.sandbox, self.catapult, self.web = sandbox, catapult, web
        self.ours = with_secret(f"{web.url}/callbacks/default/messages", SECRET)

    def number(self, line: str, **spec: Any) -> str:
        """A number of ours, on an application of its own."""
        plain = {"name": line, "incoming_message_url": self.ours}
        application_id = self.catapult.create_application(ApplicationSpec(**plain | spec), 5)
        self.sandbox.put_in_service([f"919555{line}"])
        self.catapult.import_number(f"+1919555{line}", application_id, 5)
        return f"+1919555{line}"

    def told(self, count: int) -> list[sa.Row[Any]]:
        """What is stored when the carrier has called so often, in whatever order it came."""
        deadline = time.monotonic() + 20
        while len(calls := self.sandbox.state("callbacks")["callbacks"]) < count:
            assert time.monotonic() < deadline, calls
            time.sleep(0.02)  # looking again, not guessing
        assert calls[-1]["outcome"] == "delivered"
        with self.web.ledger.read() as tx:
            return list(tx.run(sa.select(inbound).order_by(inbound.c.kind)))


@pytest.fixture
def carrier(sandbox: RunningSandbox, serve: Serve, ledger: Ledger) -> Iterator[Carrier]:  # noqa: F811 - as above
    transport = Transport()
    dashboard = DashboardCredentials(
        account_id=sandbox.account_id, username=sandbox.username, password=sandbox.password
    )
    credentials = CatapultCredentials(user_id=sandbox.user_id, token=sandbox.token, secret=sandbox.secret)
    catapult = Catapult(sandbox.catapult_url, credentials, dashboard, transport)
    yield Carrier(sandbox, catapult, serve(ledger, callback_secrets={"default": SECRET}))
    transport.close()


@METHODS
def test_a_message_from_outside(carrier: Carrier, method: str) -> None:
    number = carrier.number("0101", callback_http_method=method)
    text = "Hällo & good-bye = 100 %? +1 \U0001f44b\nline"
    message_id = carrier.sandbox.inbound(SENDER, number, text)
    (row,) = carrier.told(1)
    assert (row.message_id, row.kind, row.event_type) == (message_id, "message", "sms")
    assert (row.sender, row.recipient, row.text) == (SENDER, number, text)
    assert row.application_id.startswith("a-")


@METHODS
@pytest.mark.parametrize(("line", "seconds"), [("0966", 0.0), ("0968", 0.2)])
def test_one_that_is_told_twice_or_late(carrier: Carrier, method: str, line: str, seconds: float) -> None:
    carrier.sandbox.switch(slow_seconds=seconds)
    number = carrier.number(line, callback_http_method=method)
    carrier.sandbox.inbound(SENDER, number, "again")
    assert len(carrier.told(2 if line == "0966" else 1)) == 1


@METHODS
def test_pictures_and_receipts(carrier: Carrier, method: str) -> None:
    number = carrier.number("0102", callback_http_method=method)
    other = carrier.number("0103")
    media = ("https://a.example/1,2.png", "https://a.example/3.png")
    back: dict[str, Any] = {"callback_url": carrier.ours, "callback_http_method": method}
    carrier.catapult.send_message(MessageSpec(sender=other, to=number, text="look", media=media, tag="t 1", **back), 5)
    sent, came_in = sorted(carrier.told(2), key=lambda row: row.kind, reverse=True)
    assert (came_in.event_type, came_in.media) == ("mms", list(media))
    assert (sent.kind, sent.tag) == ("out:sent", "t 1")
    for to in (number, "+19195550960"):  # the second is not delivered
        carrier.catapult.send_message(MessageSpec(sender=other, to=to, text="?", receipt_requested="all", **back), 5)
    kinds = {row.kind: row for row in carrier.told(7)}
    assert kinds["receipt:delivered"].delivery_code == "0"
    assert kinds["receipt:not-delivered"].delivery_description == "Destination Rejected Message"


@METHODS
def test_the_fallback_is_taken_where_the_first_address_fails(carrier: Carrier, method: str) -> None:
    wrong = carrier.ours.replace("/default/", "/nobody/")
    number = carrier.number(
        "0104", callback_http_method=method, incoming_message_url=wrong, incoming_message_fallback_url=carrier.ours
    )
    carrier.sandbox.inbound(SENDER, number, "second way")
    (row,) = carrier.told(2)
    assert row.text == "second way"
