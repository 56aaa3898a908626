"""What is told, as JSON: the type of the event, when it happened, and its data.

Of an import it is only the sum and where to read the rest, as it is when it is sent; of a message it is all of it.
"""

from typing import Any, Final

from tnimport.domain.inbound import MESSAGE
from tnimport.domain.instants import instant
from tnimport.ledger import inbound, reads
from tnimport.ledger.deliveries import Owed
from tnimport.ledger.engine import Ledger
from tnimport.ledger.inbound import Stored
from tnimport.ledger.reads import ImportView

_RECEIPT: Final = ("delivery_state", "delivery_code", "delivery_description")


def event_of(ledger: Ledger, owed: Owed) -> dict[str, Any] | None:
    """The event that a delivery tells; None when what it is about has been forgotten."""
    data = _data(ledger, owed)
    return None if data is None else {"type": owed.type, "timestamp": instant(owed.created_at), "data": data}


def _data(ledger: Ledger, owed: Owed) -> dict[str, Any] | None:
    if owed.import_id is not None:
        view = reads.import_view(ledger, owed.import_id)
        return None if view is None else _import(view)
    stored = None if owed.inbound_id is None else inbound.stored(ledger, owed.inbound_id)
    return None if stored is None else _message(stored)


def _import(view: ImportView) -> dict[str, Any]:
    own = f"/v1/imports/{view.id}"
    return {
        "id": view.id,
        "state": view.state,
        "action": view.action,
        "account": view.account,
        "client_ref": view.client_ref,
        "customer_order_id": view.customer_order_id,
        "counts": view.counts,
        "held": view.held,
        "created_at": instant(view.created_at),
        "finished_at": instant(view.finished_at),
        "links": {"self": own, "numbers": f"{own}/numbers", "page": f"/imports/{view.id}"},
    }


def _message(row: Stored) -> dict[str, Any]:
    """A message that came in, or the receipt of one that went out; `from` and `to` are as the carrier tells them."""
    event = row.event
    receipt = {} if event.kind == MESSAGE else {name: getattr(event, name) for name in _RECEIPT}
    return {
        "account": row.account,
        "message_id": event.message_id,
        "event_type": event.event_type,
        "from": event.sender,
        "to": event.recipient,
        "text": event.text,
        "media": list(event.media),
        "tag": event.tag,
        "application_id": event.application_id,
        "time": event.said_at,
        "received_at": instant(row.received_at),
        **receipt,
    }
