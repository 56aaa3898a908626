"""What has arrived of the messages by which numbers prove each other."""

import re
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import messages, proofs

MARK: Final = "tnv-"
_NONCE: Final = re.compile(MARK + r"([0-9a-z]{20})")


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
    proven = sa.update(proofs).where(proofs.c.nonce == nonce[1], proofs.c.arrived_at.is_(None), known)
    return tx.changed(proven.values(arrived_at=tx.now)) > 0


def _digits(number: str) -> int:
    """The ten digits of a number as senders are stored; -1 for one that is none of ours."""
    ten = number.removeprefix("+").removeprefix("1")
    return int(ten) if ten.isascii() and ten.isdecimal() and len(ten) == 10 else -1  # noqa: PLR2004 - ten digits
