"""What we owe to those who asked to be told: one row an event and receiver, written in the transaction of the event.

Its id is the one that receivers see, the same at every attempt, so that they notice what they have had already.
"""

from typing import Any

import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.webhooks import DeliveryState, Target, shown
from tnimport.ledger.engine import Tx
from tnimport.ledger.names import identifier
from tnimport.ledger.schema import deliveries


def owe_inbound(tx: Tx, account: Account, inbound_id: int, type: str) -> None:  # noqa: A002  # the field's name on the wire
    """Hand what has come in on, to everybody whom the account's settings name; to nobody where they name none."""
    what = {"account": account.name, "type": type, "inbound_id": inbound_id}
    if account.inbound_url:
        # Where it goes is looked up when it goes: its query may hold a secret, and a mended address counts at once.
        address = shown(account.inbound_url)
        _owe(tx, Target.URL, address, **what)
    if account.inbound_task and account.inbound_queue:
        _owe(tx, Target.TASK, account.inbound_task, **what)


def _owe(tx: Tx, target: Target, address: str, **what: Any) -> None:  # noqa: ANN401  # columns
    delivery_id = f"whk_{identifier(16)}"
    values = {"id": delivery_id, "target": target, "address": address, "state": DeliveryState.WAITING, **what}
    tx.run(sa.insert(deliveries).values(**values, created_at=tx.now, updated_at=tx.now))
