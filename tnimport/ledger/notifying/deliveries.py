"""What we owe to those who asked to be told: one row an event and receiver, written in the transaction of the event.

Its id is the one that receivers see, the same at every attempt, so that they notice what they have had already.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.accounts import Account
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import DeliveryState, Event, Target, receiver_of, receiver_of_queue, shown
from tnimport.ledger.claims import receivers, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.reading.reads import summary
from tnimport.ledger.schema import deliveries, imports
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.names import identifier
from tnimport.ledger.sql.records import record_of


@dataclass(frozen=True, kw_only=True)
class Owed:
    """One delivery that a run is about to attempt; times are the database's."""

    id: str
    account: str
    type: str
    target: Target
    address: str
    import_id: str | None
    inbound_id: int | None
    data: dict[str, Any] | None
    attempts: int
    created_at: float
    now: float


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended: the status if one was read, else why there is none."""

    status: int | None
    code: str | None = None
    description: str | None = None


def owe_import(tx: Tx, import_id: str, event: Event) -> None:
    """Tell whoever submitted an import what has become of it, if they gave an address."""
    told = sa.select(imports).where(imports.c.id == import_id, imports.c.notify_url.is_not(None))
    row = tx.run(told).one_or_none()
    if row is not None:
        # As it is now: every attempt tells the same, whatever becomes of the import meanwhile.
        what = {"account": row.account, "type": event, "import_id": import_id, "data": summary(row)}
        _owe(tx, [_Receiver(Target.URL, row.notify_url, receiver_of(row.notify_url), what)])


@dataclass(frozen=True)
class News:
    """Something that has come in for an account, and what its receivers know it by."""

    account: Account
    inbound_id: int
    type: Event


def owe_inbound(tx: Tx, news: Iterable[News]) -> None:
    """Hand what has come in on, to everybody whom the accounts' settings name; to nobody where they name none."""
    _owe(tx, [receiver for one in news for receiver in _receivers(one)])


@dataclass(frozen=True)
class _Receiver:
    target: Target
    address: str
    known_as: str
    what: dict[str, Any]  # columns of `deliveries`, the same ones for all that are owed together


def _receivers(news: News) -> Iterator[_Receiver]:
    account = news.account
    what = {"account": account.name, "type": news.type, "inbound_id": news.inbound_id}
    if account.inbound_url:
        # Where it goes is looked up when it goes: its query may hold a secret, and a mended address counts at once.
        yield _Receiver(Target.URL, shown(account.inbound_url), receiver_of(account.inbound_url), what)
    if account.inbound_task and account.inbound_queue:
        yield _Receiver(Target.TASK, account.inbound_task, receiver_of_queue(account.inbound_queue), what)


def _owe(tx: Tx, owed: Sequence[_Receiver]) -> None:
    """All at once: callbacks come many at a time, and a statement costs about as much for one row as for a hundred."""
    if not owed:
        return
    ids = [f"whk_{identifier(16)}" for _ in owed]
    same = {"state": DeliveryState.WAITING, "created_at": tx.now, "updated_at": tx.now}
    tx.run(
        sa.insert(deliveries),
        [
            {"id": ours, "target": to.target, "address": to.address, **same, **to.what}
            for ours, to in zip(ids, owed, strict=True)
        ],
    )
    plan(tx, [(ours, to.what["account"], to.known_as) for ours, to in zip(ids, owed, strict=True)])


def plan(tx: Tx, owed: Sequence[tuple[str, str, str]]) -> None:
    """Have deliveries attempted now, and as often as it takes; of each its id, account and receiver."""
    same = {"task": Task.DELIVER_WEBHOOK, "lane": Lane.WEBHOOKS, "due_at": tx.now}
    rows = [{**same, "delivery_id": ours, "account": account, "receiver": to} for ours, account, to in owed]
    tx.run(sa.insert(work_table), rows)
    tx.announce()


@retried_on_deadlock
def begin(ledger: Ledger, run: Run) -> Owed | None:
    """Count an attempt before it is made; None when the delivery is not waited for any longer."""
    with ledger.write() as tx:
        work.fence(tx, run)
        mine = sa.update(deliveries).where(deliveries.c.id == run.delivery_id)
        counted = mine.where(deliveries.c.state == DeliveryState.WAITING).values(attempts=deliveries.c.attempts + 1)
        row = tx.run(
            counted.returning(*(deliveries.c[name] for name in Owed.__dataclass_fields__ if name != "now"))
        ).first()
        if row is None:
            work.done(tx, run)
            return None
        return record_of(Owed, row, target=Target(row.target), now=tx.now)


@retried_on_deadlock
def delivered(ledger: Ledger, run: Run, attempt: Attempt) -> None:
    """The receiver has taken it."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _end(tx, run, DeliveryState.DELIVERED, attempt)
        receivers.answered(tx, run)


@retried_on_deadlock
def again(ledger: Ledger, run: Run, attempt: Attempt, wait: float, trouble: Trouble | None) -> None:
    """It is attempted again in `wait` seconds; `trouble` is what the receiver as a whole has, if it has any."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _note(tx, run, DeliveryState.WAITING, attempt)
        work.later(tx, run, tx.now + wait, attempts=run.attempts + 1, strikes=0)
        _tell(tx, run, trouble)


@retried_on_deadlock
def ended(ledger: Ledger, run: Run, state: DeliveryState, attempt: Attempt, trouble: Trouble | None = None) -> None:
    """It is not attempted again, unless a person wants it to be."""
    with ledger.write() as tx:
        work.fence(tx, run)
        _end(tx, run, state, attempt)
        _tell(tx, run, trouble)


@retried_on_deadlock
def not_begun(ledger: Ledger, run: Run) -> None:
    """There is no time left for an attempt: it waits as it did before, and nothing is counted."""
    with ledger.write() as tx:
        work.fence(tx, run)
        work.put_back(tx, run)


def park(tx: Tx, work_id: int, delivery_id: str, code: str, description: str) -> None:
    """End a delivery whose runs vanished again and again; its receiver may well have it."""
    values = {"state": DeliveryState.FAILED, "code": code, "description": description, "updated_at": tx.now}
    tx.run(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(**values))
    tx.run(sa.delete(work_table).where(work_table.c.id == work_id))


def _end(tx: Tx, run: Run, state: DeliveryState, attempt: Attempt) -> None:
    _note(tx, run, state, attempt)
    work.done(tx, run)
    tx.announce()  # its receiver has a place again


def _note(tx: Tx, run: Run, state: DeliveryState, attempt: Attempt) -> None:
    values = {"status": attempt.status, "code": attempt.code, "description": attempt.description}
    update = sa.update(deliveries).where(deliveries.c.id == run.delivery_id)
    tx.run(update.values(state=state, updated_at=tx.now, **values))


def _tell(tx: Tx, run: Run, trouble: Trouble | None) -> None:
    if trouble is None:
        receivers.answered(tx, run)
    else:
        receivers.troubled(tx, run, trouble)
