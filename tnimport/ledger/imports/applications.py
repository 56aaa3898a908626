"""The application that numbers go to: found by name and URL, or created once, however often we are killed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tnimport.ledger.claims import lanes, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.closing import refuse, wishing
from tnimport.ledger.imports.events import note
from tnimport.ledger.imports.orders import Fault, hold_run
from tnimport.ledger.schema import applications
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.records import record_of


@dataclass(frozen=True, kw_only=True)
class ApplicationView:
    """What the step needs to know: the wish, which page of the list is next, and whether a creation is unanswered."""

    id: int
    name: str | None
    url: str | None
    spec: Mapping[str, Any]
    found_id: str | None
    page: int
    looked_at: float | None
    sent_at: float | None
    now: float


def load(ledger: Ledger, run: Run) -> ApplicationView:
    """Read the run's application."""
    fields = [applications.c[name] for name in ApplicationView.__dataclass_fields__ if name != "now"]
    with ledger.read() as tx:
        row = tx.run(sa.select(*fields).where(applications.c.id == run.application_ref)).one()
        return record_of(ApplicationView, row, now=tx.now)


@retried_on_deadlock
def looked(ledger: Ledger, run: Run, next_page: int | None, wait: float = 0) -> None:
    """One page of the list does not hold it; `next_page` is None when that was the last."""
    with ledger.write() as tx:
        work.fence(tx, run)
        through = {"page": 0, "looked_at": tx.now} if next_page is None else {"page": next_page}
        _update(tx, run, **through)
        lost = run.lost and next_page is not None
        work.later(tx, run, tx.now + wait, attempts=0, strikes=0, lost=lost)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def found(ledger: Ledger, run: Run, application_id: str | None) -> None:
    """It stands in the list; what it lacks is set next. None: it does not, or no longer, and is looked for anew."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run, found_id=application_id and application_id[:64], page=0)
        work.later(tx, run, tx.now, attempts=0, strikes=0)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def sending(ledger: Ledger, run: Run) -> None:
    """Write down that we are about to create it; from here on it may exist, and is looked for before another try."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run, sent_at=tx.now, looked_at=None, page=0, attempts=applications.c.attempts + 1)


@retried_on_deadlock
def wait(
    ledger: Ledger,
    run: Run,
    seconds: float,
    trouble: Trouble | None = None,
    *,
    unsent: bool = False,
    over: bool = False,
) -> None:
    """Try again in so many seconds.

    `unsent` when certainly nothing was created, so that no new look is needed; `over` when the next look is the last.
    """
    with ledger.write() as tx:
        work.fence(tx, run)
        if unsent:
            _update(tx, run, sent_at=None, looked_at=tx.now)
        if over:
            _update(tx, run, page=0)
        attempts, seconds = lanes.counted(tx, run.account, run.lane, trouble, seconds)
        work.later(tx, run, tx.now + seconds, attempts=run.attempts + attempts, lost=run.lost or over)
        lanes.tell(tx, run.account, run.lane, trouble)


@retried_on_deadlock
def ready(ledger: Ledger, run: Run, application_id: str, *, added: bool) -> None:
    """It is known now; the numbers of every import that wished for it can go."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run, application_id=application_id[:64], added=added, sent_at=None, found_id=None)
        for import_id in wishing(tx, run.application_ref):
            note(tx, "application_ready", import_id, application_id=application_id, added=added)
        work.done(tx, run)
        lanes.succeeded(tx, run.account, run.lane)
        tx.announce()


@retried_on_deadlock
def refused(ledger: Ledger, run: Run, code: str, description: str) -> None:
    """The carrier will not create it: the imports that wished for it end, their open numbers failed at this stage."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _update(tx, run, sent_at=None, looked_at=None)
        work.done(tx, run)
        for import_id in wishing(tx, run.application_ref):
            refuse(tx, import_id, code, description)
        lanes.succeeded(tx, run.account, run.lane)


@retried_on_deadlock
def account_fault(ledger: Ledger, run: Run, fault: Fault, *, unsent: bool) -> None:
    """A person must act; every import of the account waits for it."""
    hold_run(ledger, run, fault)
    with ledger.write() as tx:
        work.fence(tx, run)
        if unsent:
            _update(tx, run, sent_at=None, looked_at=tx.now)
        work.later(tx, run, tx.now)


def _update(tx: Tx, run: Run, **values: Any) -> None:  # noqa: ANN401 - columns of `applications`
    tx.run(sa.update(applications).where(applications.c.id == run.application_ref).values(**values))
