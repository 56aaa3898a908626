"""An application that the carrier knows no longer: looked for again where it was wished for by name.

Once: `gone_id` is what was missed, from then on until a number has gone to what took its place. If that is not known to
the carrier either, a person must act, so that nothing is made again and again. A new import, and `resume`, allow
another look. The row of the application is locked before imports are.
"""

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.ledger.claims import work
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.closing import wishing
from tnimport.ledger.imports.events import note
from tnimport.ledger.schema import applications, imports
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock


@retried_on_deadlock
def vanished(ledger: Ledger, run: Run, application_id: str) -> bool:
    """The carrier does not know the application that this run called with; tells whether it is looked for again.

    It is for every import that wished for it, and by others perhaps already. A transaction of its own, before the one
    that ends the run: killed between the two, the run's numbers go out again, and wait for the application.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        named = (applications.c.id == _wished_by(run.import_id), applications.c.name.is_not(None))
        fields = (applications.c.id, applications.c.application_id, applications.c.gone_id)
        row = tx.run(sa.select(*fields).where(*named).with_for_update(key_share=True)).first()
        if row is None:
            return False
        if row.application_id != application_id:
            return True
        if row.gone_id is not None:
            return False
        anew = dict.fromkeys(("application_id", "added", "found_id", "sent_at", "looked_at"))
        forgotten = sa.update(applications).where(applications.c.id == row.id)
        tx.run(forgotten.values(page=0, gone_id=application_id, **anew))
        for import_id in wishing(tx, row.id):
            note(tx, "application_gone", import_id, application_id=application_id)
        search(tx, run.account, row.id)
        return True


def proven(tx: Tx, run: Run, application_id: str) -> None:
    """A number has gone to what took its place; if that vanishes one day, it is looked for as well."""
    here = (applications.c.id == _wished_by(run.import_id), applications.c.application_id == application_id)
    tx.run(sa.update(applications).where(*here, applications.c.gone_id.is_not(None)).values(gone_id=None))


def allow(tx: Tx, import_id: str) -> None:
    """Somebody begins or resumes an import: what it wished for by name may be looked for once more."""
    here = (applications.c.id == _wished_by(import_id), applications.c.gone_id.is_not(None))
    tx.run(sa.update(applications).where(*here).values(gone_id=None))


def search(tx: Tx, account: str, application_ref: int) -> None:
    """Have an application looked for, unless that is planned already; the caller has locked its row."""
    planned = sa.select(work_table.c.id).where(work_table.c.application_ref == application_ref)
    if tx.run(planned).first() is None:
        work.plan(tx, Task.ENSURE_APPLICATION, account, Lane.APPLICATIONS, tx.now, application_ref=application_ref)


def _wished_by(import_id: str | None) -> sa.ScalarSelect[int | None]:
    return sa.select(imports.c.application_ref).where(imports.c.id == import_id).scalar_subquery()
