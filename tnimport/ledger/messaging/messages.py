"""Messages that went out, as callers see them, and what receipts tell of their delivery."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.inbound import FAILED
from tnimport.domain.messages import DELIVERY_ENDED, Delivery, MessageMove, MessageState, move_message, sources
from tnimport.domain.telephone import to_e164
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import inbound, messages
from tnimport.ledger.sql.paging import cut, newest
from tnimport.ledger.sql.records import record_of


def heard(tx: Tx, account: str, message_id: str, carrier_id: str, *, sender: str, recipient: str) -> None:
    """The carrier called us about a message of ours that it has, by the address that we gave with it.

    Of one whose answer was unclear it is the proof that it was sent. One that waits for its answer learns its id.
    """
    numbers = (messages.c.sender == int(sender), messages.c.recipient == recipient)
    (before,) = sources(MessageMove.HEARD)
    mine = (messages.c.id == message_id, messages.c.account == account, messages.c.carrier_id.is_(None), *numbers)
    unclear = messages.c.state == before
    update = sa.update(messages).where(*mine, sa.or_(unclear, messages.c.state == MessageState.SENDING))
    values = {
        "state": sa.case((unclear, move_message(before, MessageMove.HEARD).value), else_=messages.c.state),
        "code": sa.case((unclear, None), else_=messages.c.code),
        "description": sa.case((unclear, None), else_=messages.c.description),
    }
    tx.run(update.values(carrier_id=carrier_id, updated_at=tx.now, **values))


def told(
    tx: Tx,
    account: str,
    carrier_id: str,
    *,
    delivery_state: str | None,
    delivery_code: str | None,
    delivery_description: str | None,
) -> None:
    """A receipt came for a message. Ids that are none of ours are ignored, and so is what says less than is known.

    A receipt may come before the answer that names its message; then it is found in `inbound` when it is asked for.
    """
    if delivery_state is None:
        return
    known = sa.func.coalesce(messages.c.delivery_state, "")
    final = known.in_(DELIVERY_ENDED)
    mine = sa.update(messages).where(messages.c.account == account, messages.c.carrier_id == carrier_id, ~final)
    values = {
        "delivery_state": delivery_state[:16],
        "delivery_code": None if delivery_code is None else delivery_code[:16],
        "delivery_description": None if delivery_description is None else delivery_description[:500],
    }
    tx.run(mine.values(updated_at=tx.now, **values))


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """A message as callers see it. `sender` is E.164; times are seconds since the epoch."""

    id: str
    account: str
    import_id: str | None
    sender: str
    recipient: str
    text: str
    media: Sequence[str]
    tag: str | None
    receipt_requested: str | None
    state: MessageState
    code: str | None
    description: str | None
    carrier_id: str | None
    delivery_state: str | None
    delivery_code: str | None
    delivery_description: str | None
    attempts: int
    created_at: float
    sent_at: float | None
    updated_at: float


def views(ledger: Ledger, message_ids: Collection[str]) -> list[MessageView]:
    """The messages with these ids, in the order in which they were accepted."""
    query = _QUERY.where(messages.c.id.in_(message_ids)).order_by(messages.c.created_at, messages.c.key, messages.c.id)
    with ledger.read() as tx:
        return _views(tx, tx.run(query).all())


def view(ledger: Ledger, message_id: str) -> MessageView | None:
    """One message; None when there is none."""
    return next(iter(views(ledger, [message_id])), None)


def page(
    ledger: Ledger,
    *,
    sender: int | None = None,
    recipient: str | None = None,
    state: MessageState | None = None,
    accounts: Collection[str] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[MessageView], str | None]:
    """Messages from the newest to the oldest, and the key of the next page.

    Args:
        ledger: the ledger.
        sender: ten digits; only messages from this number.
        recipient: E.164; only messages to it.
        state: only messages in this state.
        accounts: those whose messages are meant, None = all.
        after: the key that an earlier page gave.
        limit: most messages of a page.
    """
    given = ((messages.c.sender, sender), (messages.c.recipient, recipient), (messages.c.state, state))
    query = _QUERY.where(*(column == value for column, value in given if value is not None))
    with ledger.read() as tx:
        rows = tx.run(newest(query, messages, accounts=accounts, after=after, limit=limit)).all()
        found, key = cut(rows, limit)
        return _views(tx, found), key


_QUERY: Final = sa.select(*(messages.c[name] for name in MessageView.__dataclass_fields__))
_CODED: Final = (inbound.c.delivery_code, inbound.c.delivery_description)
_DELIVERY: Final = ("delivery_state", "delivery_code", "delivery_description")


def _views(tx: Tx, rows: Sequence[sa.Row[Any]]) -> list[MessageView]:
    early = _early(tx, [row for row in rows if row.carrier_id is not None and row.delivery_state is None])
    return [
        record_of(
            MessageView,
            row,
            sender=to_e164(str(row.sender)),
            state=MessageState(row.state),
            **early.get((row.account, row.carrier_id), {}),
        )
        for row in rows
    ]


def _early(tx: Tx, rows: Sequence[sa.Row[Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Receipts that came before the ledger knew of which message; of several, the one that came last."""
    if not rows:
        return {}
    told = sa.case((inbound.c.kind == FAILED, Delivery.ERROR.value), else_=inbound.c.delivery_state)
    fields = (inbound.c.account, inbound.c.message_id, told.label("delivery_state"), *_CODED)
    theirs = (  # by account too, for so the index has it
        inbound.c.account.in_({row.account for row in rows}),
        inbound.c.message_id.in_({row.carrier_id for row in rows}),
    )
    receipts = sa.select(*fields).where(*theirs, told.is_not(None)).order_by(inbound.c.id)
    return {
        (receipt.account, receipt.message_id): {name: getattr(receipt, name) for name in _DELIVERY}
        for receipt in tx.run(receipts)
    }
