"""What the carrier called us about: stored once, however often it is told, and with it all that it sets going."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MESSAGE, MessageEvent
from tnimport.domain.webhooks import Event
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.messaging.messages import heard, told
from tnimport.ledger.notifying.deliveries import News, owe_inbound
from tnimport.ledger.proving.proofs import arrived, proves
from tnimport.ledger.schema import inbound
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import record_of

_ID: Final = re.compile(r"msg_[0-9a-z]{16}")
_NUMBER: Final = re.compile(r"\+1[0-9]{10}")
_FIELDS: Final = tuple(name for name in MessageEvent.__dataclass_fields__ if name != "media")


@dataclass(frozen=True)
class Call:
    """One callback: the account, what was said, and the message of ours that the address names, if any."""

    account: Account
    event: MessageEvent
    message_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Received:
    """A message that came in, as callers see it. `received_at` is seconds since the epoch."""

    id: int
    account: str
    message_id: str
    event_type: str
    sender: str
    recipient: str
    text: str
    media: Sequence[str]
    tag: str | None
    application_id: str | None
    said_at: str | None
    received_at: float


@dataclass(frozen=True)
class Stored:
    """One callback as it was stored; `received_at` is seconds since the epoch."""

    account: str
    event: MessageEvent
    received_at: float


def stored(ledger: Ledger, inbound_id: int) -> Stored:
    """One callback; it is there as long as anybody is to be told of it."""
    with ledger.read() as tx:
        row = tx.run(sa.select(inbound).where(inbound.c.id == inbound_id)).one()
    said = {name: getattr(row, name) for name in _FIELDS}
    return Stored(row.account, MessageEvent(**said, media=tuple(row.media)), row.received_at)


@retried_on_deadlock
def store(ledger: Ledger, calls: Sequence[Call]) -> list[bool]:
    """Store these in one transaction; tells of each whether it is new. All of them, or none where it raises."""
    # In one order, so that two processes that were told the same do not wait for each other in a circle.
    order = sorted(range(len(calls)), key=lambda place: _key(calls[place]))
    new = [False] * len(calls)
    with ledger.write() as tx:
        news = []
        for place in order:
            inbound_id = _store(tx, calls[place])
            new[place] = inbound_id is not None
            if inbound_id is not None:
                news += _news(tx, calls[place], inbound_id)
        owe_inbound(tx, news)
    return new


def _key(call: Call) -> tuple[str, str, str]:
    return call.account.name, call.event.message_id, call.event.kind


def _store(tx: Tx, call: Call) -> int | None:
    """The row of a callback that is told for the first time."""
    values = {name: getattr(call.event, name) for name in _FIELDS}
    values |= {"account": call.account.name, "media": list(call.event.media), "received_at": tx.now}
    stored = tx.run(_storing(on_postgres=tx.on_postgres), values).scalar()
    return None if stored is None else int(stored)


@cache
def _storing(*, on_postgres: bool) -> sa.Executable:
    row = postgresql.insert(inbound) if on_postgres else sqlite.insert(inbound)
    return row.on_conflict_do_nothing(index_elements=["account", "message_id", "kind"]).returning(inbound.c.id)


def _news(tx: Tx, call: Call, inbound_id: int) -> list[News]:
    """What others are told of it."""
    event = _TOLD.get(call.event.kind)
    return [] if _ours(tx, call) or event is None else [News(call.account, inbound_id, event)]


def _ours(tx: Tx, call: Call) -> bool:
    """Tell whoever waits for it among us; whether it is nobody else's business."""
    account, event = call.account.name, call.event
    if event.came_in:
        return arrived(tx, account, sender=event.sender, recipient=event.recipient, text=event.text)
    if call.message_id is not None and _ID.fullmatch(call.message_id) and _NUMBER.fullmatch(event.sender):
        ids = (call.message_id, event.message_id)
        heard(tx, account, *ids, sender=event.sender[-10:], recipient=event.recipient)
    told(
        tx,
        account,
        event.message_id,
        delivery_state=event.delivery,
        delivery_code=event.delivery_code,
        delivery_description=event.delivery_description,
    )
    return proves(tx, account, event.text)


# What others are told of, by kind; the steps between sending and arriving are nobody's news.
_TOLD: Final = {
    MESSAGE: Event.MESSAGE_RECEIVED,
    "receipt:delivered": Event.MESSAGE_DELIVERED,
    "receipt:not-delivered": Event.MESSAGE_FAILED,
    "out:error": Event.MESSAGE_FAILED,
}


def page(
    ledger: Ledger,
    *,
    number: str | None = None,
    accounts: Collection[str] | None = None,
    after: int | None = None,
    limit: int = 50,
) -> tuple[list[Received], int | None]:
    """Messages that came in, the newest first, and the key of the next page.

    Args:
        ledger: the ledger.
        number: E.164; only messages to it.
        accounts: those whose messages are meant, None = all.
        after: the key that an earlier page gave.
        limit: most messages of a page.
    """
    query = sa.select(*(inbound.c[name] for name in Received.__dataclass_fields__)).where(inbound.c.kind == MESSAGE)
    if number is not None:
        query = query.where(inbound.c.recipient == number)
    if accounts is not None:
        query = query.where(inbound.c.account.in_(accounts))
    if after is not None:
        query = query.where(inbound.c.id < after)
    with ledger.read() as tx:
        rows: list[Any] = list(tx.run(query.order_by(inbound.c.id.desc()).limit(limit + 1)))
    found = [record_of(Received, row) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None
