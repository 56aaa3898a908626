"""What is owed to those who asked to be told, and what becomes of it."""

from typing import Any

import sqlalchemy as sa

from tests.ledger.conftest import ACCOUNT, Desk
from tnimport.domain.accounts import Account
from tnimport.domain.webhooks import DeliveryState
from tnimport.ledger import deliveries
from tnimport.ledger import schema as tables


def account(**settings: Any) -> Account:
    return Account(name=ACCOUNT, account_id="9999999", signs=True, **settings)


def came_in(desk: Desk, owner: Account, message_id: str = "m-1", event: str = "message.received") -> int:
    """A message that the carrier has called us about, and what is owed for it."""
    with desk.ledger.write() as tx:
        values = {"account": ACCOUNT, "message_id": message_id, "kind": event, "received_at": tx.now}
        said = {"sender": "+19195550101", "recipient": "+19195550102", "text": "hello", "media": []}
        row = sa.insert(tables.inbound).values(**values, **said).returning(tables.inbound.c.id)
        inbound_id = int(tx.run(row).scalar_one())
        deliveries.owe_inbound(tx, owner, inbound_id, event)
    return inbound_id


def test_what_comes_in_is_owed_to_everybody_the_settings_name(desk: Desk) -> None:
    owner = account(inbound_url="https://a.example/in?token=t", inbound_task="theirs.received", inbound_queue="theirs")
    inbound_id = came_in(desk, owner)
    owed = desk.rows(tables.deliveries)
    assert {(row.target, row.address) for row in owed} == {
        ("url", "https://a.example/in?…"),
        ("task", "theirs.received"),
    }
    for row in owed:
        assert (row.account, row.type, row.inbound_id) == (ACCOUNT, "message.received", inbound_id)
        assert (row.state, row.attempts, row.import_id) == (DeliveryState.WAITING, 0, None)


def test_where_the_settings_name_nobody_nothing_is_owed(desk: Desk) -> None:
    came_in(desk, account())
    assert desk.rows(tables.deliveries) == []
