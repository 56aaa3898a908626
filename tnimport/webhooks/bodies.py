"""What is told, as JSON: the type of the event, when it happened, and its data.

Of an import it is only the sum, as it was when it happened, and where to read the rest; of a message it is all of it.
"""

from collections.abc import Mapping
from typing import Any, Final

from tnimport.domain.inbound import MESSAGE
from tnimport.domain.instants import instant
from tnimport.ledger.engine import Ledger
from tnimport.ledger.messaging import inbound
from tnimport.ledger.messaging.inbound import Stored
from tnimport.ledger.notifying.deliveries import Owed

_RECEIPT: Final = ("delivery_state", "delivery_code", "delivery_description")


def event_of(ledger: Ledger, owed: Owed) -> dict[str, Any]:
    """The event that a delivery tells."""
    data = (
        _message(inbound.stored(ledger, owed.inbound_id)) if owed.inbound_id is not None else _import(owed.data or {})
    )
    return {"type": owed.type, "timestamp": instant(owed.created_at), "data": data}


def _import(summary: Mapping[str, Any]) -> dict[str, Any]:
    own = f"/v1/imports/{summary['id']}"
    times = {name: instant(summary[name]) for name in ("created_at", "finished_at")}
    return {
        **summary,
        **times,
        "links": {"self": own, "numbers": f"{own}/numbers", "page": f"/imports/{summary['id']}"},
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
