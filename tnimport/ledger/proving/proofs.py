"""What has arrived of the messages by which numbers prove each other."""

import re
from typing import Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.ledger.claims.work import WAITING
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import messages, proofs, work

MARK: Final = "tnv-"
GATHER_SECONDS: Final = 0.25  # so long a look waits for more to arrive
NONCE_LENGTH: Final = 20
_NONCE: Final = re.compile(rf"{MARK}([0-9a-z]{{{NONCE_LENGTH}}})")


def arrived(tx: Tx, account: str, *, sender: str, recipient: str, text: str) -> bool:
    """A message has come in; if it carries a nonce of ours, between the right numbers, its link is proven.

    Returns whether it did; such a message is between us and the carrier, and nobody else's news. Locks
    nothing but the row of the nonce: callbacks come many at a time, in any order.
    """
    nonce = _NONCE.search(text)
    if nonce is None:
        return False
    own = (messages.c.id == proofs.c.message_id, messages.c.account == account)
    between = (messages.c.sender == _digits(sender), messages.c.recipient == recipient)
    known = sa.exists().where(*own, *between)
    proven = sa.update(proofs).where(proofs.c.nonce == nonce[1], known)
    first = sa.func.coalesce(proofs.c.arrived_at, tx.now)
    import_id = tx.run(proven.values(arrived_at=first).returning(proofs.c.import_id)).scalar()
    if import_id is not None:
        wake(tx, import_id)
    return import_id is not None


def proves(tx: Tx, account: str, text: str) -> bool:
    """Whether this is the text of a message that proves a number of the account, whatever has become of it."""
    nonce = _NONCE.search(text)
    if nonce is None:
        return False
    ours = sa.select(proofs.c.nonce).join(messages, messages.c.id == proofs.c.message_id)
    return tx.run(ours.where(proofs.c.nonce == nonce[1], messages.c.account == account)).first() is not None


def _digits(number: str) -> int:
    """The ten digits of a number as senders are stored; -1 for one that is none of ours."""
    ten = number.removeprefix("+").removeprefix("1")
    return int(ten) if ten.isascii() and ten.isdecimal() and len(ten) == 10 else -1  # noqa: PLR2004 - ten digits


def wake(tx: Tx, import_id: str) -> None:
    """Have the proofs of an import looked at soon; where somebody is at it right now, the next look comes anyway."""
    at = tx.now + GATHER_SECONDS
    asleep = sa.select(work.c.id).where(
        work.c.import_id == import_id, work.c.task == Task.VERIFY_NUMBERS, work.c.state == WAITING, work.c.due_at > at
    )
    unlocked = asleep.with_for_update(skip_locked=True)
    if tx.changed(sa.update(work).where(work.c.id.in_(unlocked)).values(due_at=at)):
        tx.announce()
