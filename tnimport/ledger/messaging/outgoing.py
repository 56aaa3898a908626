"""Takes messages to be sent into the ledger: all of a request, or none; the same request again is the same messages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, Outcome, Stage
from tnimport.domain.messages import BATCH_MOST, MessageState
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.staging import KeyConflict
from tnimport.ledger.schema import messages, numbers, orders, work
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.names import identifier


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """One message to be sent: from ten digits of ours to a number in E.164."""

    account: str
    sender: str
    recipient: str
    text: str
    media: Sequence[str] = ()
    tag: str | None = None
    receipt_requested: str | None = None
    import_id: str | None = None


@dataclass(frozen=True)
class Stored:
    """The ids of the messages, in the order of the request; `replayed` where an earlier one has made them."""

    message_ids: list[str]
    replayed: bool = False


@retried_on_deadlock
def store(ledger: Ledger, new: Sequence[NewMessage], *, key: str | None, fingerprint: str) -> Stored:
    """Store the messages and make their sending due.

    Raises:
        KeyConflict: the key belongs to another request.
    """
    before = known(ledger, key, fingerprint)
    if before is not None:
        return before
    try:
        with ledger.write() as tx:
            return Stored(add(tx, new, key=key, fingerprint=fingerprint))
    except _Taken:  # by somebody who has sent the same at the same moment, or something else under the same key
        made = known(ledger, key, fingerprint)
        if made is None:
            raise KeyConflict from None
        return made


class _Taken(Exception):
    """Somebody else has just used the key."""


def known(ledger: Ledger, key: str | None, fingerprint: str) -> Stored | None:
    """What the same request has made before; None where there is none.

    Raises:
        KeyConflict: the key belongs to another request.
    """
    with ledger.read() as tx:
        found = _known(tx, key, fingerprint)
    return Stored(found, replayed=True) if found else None


def add(tx: Tx, new: Sequence[NewMessage], *, key: str | None = None, fingerprint: str | None = None) -> list[str]:
    """Add messages and the work of sending them; returns their ids."""
    rows = [
        {
            "id": f"msg_{identifier(16)}",
            "key": None if key is None else _own_key(key, place),
            "fingerprint": fingerprint,
            "account": one.account,
            "import_id": one.import_id,
            "sender": int(one.sender),
            "recipient": one.recipient,
            "text": one.text,
            "media": list(one.media),
            "tag": one.tag,
            "receipt_requested": one.receipt_requested,
            "state": MessageState.QUEUED,
            # A hair apart, so that pages show a batch in its order.
            "created_at": tx.now + place * 1e-5,
            "updated_at": tx.now,
        }
        for place, one in enumerate(new)
    ]
    _insert(tx, rows, keyed=key is not None)
    same = {"task": Task.SEND_MESSAGE, "lane": Lane.MESSAGES, "due_at": tx.now}
    due = [{**same, "account": row["account"], "import_id": row["import_id"], "message_id": row["id"]} for row in rows]
    tx.run(sa.insert(work), due)
    tx.announce()
    return [str(row["id"]) for row in rows]


def _insert(tx: Tx, rows: list[dict[str, Any]], *, keyed: bool) -> None:
    if not keyed:
        tx.run(sa.insert(messages), rows)
        return
    unless_known = tx.insert(messages).on_conflict_do_nothing(index_elements=["key"])
    for row in rows:
        if not tx.changed(unless_known.values(**row)):
            raise _Taken


def _own_key(key: str, place: int) -> str:
    return f"{place}:{key}"


def _known(tx: Tx, key: str | None, fingerprint: str) -> list[str]:
    """The messages that a request with this key has made."""
    if key is None:
        return []
    mine = messages.c.key.in_([_own_key(key, place) for place in range(BATCH_MOST)])
    rows = tx.run(sa.select(messages.c.id, messages.c.fingerprint).where(mine).order_by(messages.c.created_at)).all()
    if any(row.fingerprint != fingerprint for row in rows):
        raise KeyConflict
    return [row.id for row in rows]


_HELD: Final = (Outcome.IMPORTED, Outcome.VERIFIED, Outcome.PRESENT)


def held(ledger: Ledger, account: str, tens: Collection[str]) -> set[str]:
    """Those of the numbers (ten digits) that Catapult holds for the account, by the newest fact of any import."""
    removing = orders.c.action == Action.REMOVE
    let_go = sa.and_(numbers.c.outcome == Outcome.FAILED, numbers.c.stage == Stage.ORDER)
    gone = sa.and_(removing, sa.or_(numbers.c.outcome == Outcome.RELEASED, let_go))
    here = sa.and_(~removing, numbers.c.outcome.in_(_HELD))
    query = (
        sa.select(numbers.c.tn, here.label("here"))
        .join(orders, orders.c.id == numbers.c.order_id)
        .where(numbers.c.tn.in_([int(ten) for ten in tens]), orders.c.account == account, sa.or_(here, gone))
        .order_by(numbers.c.updated_at, numbers.c.order_id)
    )
    with ledger.read() as tx:
        newest = {str(row.tn): bool(row.here) for row in tx.run(query)}  # the last of each number stays
    return {ten for ten, is_here in newest.items() if is_here}
