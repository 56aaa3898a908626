"""What people ask of an import: pause, resume, cancel. Each may be asked any number of times."""

from typing import Any

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports import renewal
from tnimport.ledger.imports.closing import close_if_stopped
from tnimport.ledger.imports.events import note
from tnimport.ledger.schema import imports
from tnimport.ledger.sql.deadlocks import retried_on_deadlock


@retried_on_deadlock
def pause(ledger: Ledger, import_id: str) -> bool:
    """Start nothing more of it until somebody resumes; False when there is no such import."""
    with ledger.write() as tx:
        if not _known(tx, import_id):
            return False
        _flag(tx, import_id, imports.c.paused_at.is_(None), "import_paused", paused_at=tx.now)
        return True


@retried_on_deadlock
def resume(ledger: Ledger, import_id: str) -> bool:
    """Go on with a paused or held one; the account is tried with one call first if it was in doubt.

    An application that it wished for by name, and that the carrier does not know, is looked for once more.
    """
    with ledger.write() as tx:
        if not _known(tx, import_id):
            return False
        renewal.allow(tx, import_id)
        stopped = sa.or_(imports.c.paused_at.is_not(None), imports.c.held_at.is_not(None))
        gone = dict.fromkeys(("paused_at", "held_at", "held_code", "held_text"))
        _flag(tx, import_id, stopped, "import_resumed", **gone)
        tx.announce()
        return True


@retried_on_deadlock
def cancel(ledger: Ledger, import_id: str) -> bool:
    """Start nothing more of it, ever; what is done stays done, what a run holds is closed when the run ends."""
    with ledger.write() as tx:
        if not _known(tx, import_id):
            return False
        _flag(tx, import_id, imports.c.cancel_asked_at.is_(None), "import_cancel_asked", cancel_asked_at=tx.now)
    # A transaction of its own: the flag is down before the first order is closed, so no run can start in between.
    with ledger.write() as tx:
        close_if_stopped(tx, import_id)
        tx.announce()
    return True


def _known(tx: Tx, import_id: str) -> bool:
    found = sa.select(imports.c.id).where(imports.c.id == import_id, imports.c.sealed_at.is_not(None))
    return tx.run(found).first() is not None


def _flag(tx: Tx, import_id: str, unless: sa.ColumnElement[bool], kind: str, **values: Any) -> None:  # noqa: ANN401 - columns
    open_ = (imports.c.id == import_id, imports.c.finished_at.is_(None), unless)
    if tx.changed(sa.update(imports).where(*open_).values(updated_at=tx.now, **values)):
        note(tx, kind, import_id)
