"""How verification begins and ends: an import whose numbers are to be proven is not finished before it is over.

While it lasts nothing of the import is open, `verify_started_at` is set and `verify_ended_at` is not.
"""

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.messages import MessageMove, move_message, sources
from tnimport.domain.wishes import Verify
from tnimport.ledger.claims.work import plan
from tnimport.ledger.engine import Tx
from tnimport.ledger.imports.events import note
from tnimport.ledger.schema import imports, messages, work

CANCELLED = ("cancelled", "The import was cancelled before this message was sent.")
VANISHED = ("run_vanished", "The run that sent it ended without a word: the carrier may have taken it.")


def begin(tx: Tx, import_id: str) -> bool:
    """Nothing of the import is open any longer: start what was asked for; tells whether it is being verified."""
    row = tx.run(sa.select(imports).where(imports.c.id == import_id)).one()
    if row.verify == Verify.NONE or row.finished_at is not None:
        return False
    if row.verify_started_at is not None:
        return row.verify_ended_at is None
    if row.cancel_asked_at is not None or row.refused_code is not None or not row.imported:
        return False
    tx.run(sa.update(imports).where(imports.c.id == import_id).values(verify_started_at=tx.now, updated_at=tx.now))
    note(tx, "verify_started", import_id, imported=row.imported)
    plan(tx, Task.VERIFY_NUMBERS, row.account, Lane.VERIFY, tx.now, import_id=import_id)
    return True


def end(tx: Tx, import_id: str, **facts: int) -> None:
    """Verification is over; the caller finishes the import."""
    going_on = (imports.c.id == import_id, imports.c.verify_ended_at.is_(None))
    if tx.changed(sa.update(imports).where(*going_on).values(verify_ended_at=tx.now, updated_at=tx.now)):
        note(tx, "verify_ended", import_id, **facts)


def give_up(tx: Tx, import_id: str) -> bool:
    """The import was cancelled: what is not sent never is; False while a run still holds any of its messages."""
    if tx.run(sa.select(work.c.id).where(work.c.import_id == import_id).limit(1)).first() is not None:
        return False
    for happened, (code, text) in ((MessageMove.CANCELLED, CANCELLED), (MessageMove.UNANSWERED, VANISHED)):
        (before,) = sources(happened)
        left = (messages.c.import_id == import_id, messages.c.state == before)
        values = {"state": move_message(before, happened), "code": code, "description": text, "updated_at": tx.now}
        tx.run(sa.update(messages).where(*left).values(**values))
    end(tx, import_id)
    return True
