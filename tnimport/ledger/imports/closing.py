"""Stops imports: a hold until a person acts, and the closing of what a cancel or a refusal leaves open.

What no run holds is closed at once; what a run holds is closed when the run lets go; and where the answer to a call was
lost, it is first found out what became of it.
"""

from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.backoff import RETRY_MOST, poll_delay
from tnimport.domain.life import UNFINISHED_ORDERS, Action, NumberEvent, OrderState, Outcome, Stage, seen_as
from tnimport.domain.webhooks import Event
from tnimport.ledger.claims.work import OF_ONE_IMPORT, RUNNING, answered, doubtful
from tnimport.ledger.engine import Tx
from tnimport.ledger.imports.books import Books, finish
from tnimport.ledger.imports.events import note
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.proving.verification import give_up
from tnimport.ledger.schema import imports, orders, work

HELD_LEAST: Final = 60.0  # seconds between two calls while a fault waits for a person


def hold(tx: Tx, import_id: str, code: str, instruction: str) -> None:
    """Stop an import for a fault of the account; the first reason stands until somebody resumes.

    One that goes on asking while it is held may meet a fault that stops the asking, too.
    """
    unheld = imports.c.held_at.is_(None)
    going = unheld if code in OF_ONE_IMPORT else answered()
    running = (imports.c.id == import_id, going, imports.c.finished_at.is_(None))
    values = {"held_at": tx.now, "held_code": code, "held_text": instruction, "updated_at": tx.now}
    if tx.changed(sa.update(imports).where(*running).values(**values)):
        note(tx, "import_held", import_id, code=code, instruction=instruction)
        deliveries.owe_import(tx, import_id, Event.IMPORT_HELD)


def ask_again_in(tx: Tx, import_id: str | None) -> float:
    """Seconds until an import that met a fault asks again: none where nothing starts before somebody resumes it."""
    held = sa.select(imports.c.held_at).where(imports.c.id == import_id, answered())
    since = tx.run(held).scalar()
    return 0.0 if since is None else poll_delay(tx.now - since, HELD_LEAST, RETRY_MOST)


def hold_account(tx: Tx, account: str, code: str, instruction: str) -> None:
    """Stop every unfinished import of an account."""
    unfinished = (imports.c.account == account, imports.c.sealed_at.is_not(None), imports.c.finished_at.is_(None))
    for import_id in tx.run(sa.select(imports.c.id).where(*unfinished).order_by(imports.c.id)).scalars().all():
        hold(tx, import_id, code, instruction)


def refuse(tx: Tx, import_id: str, code: str, description: str) -> None:
    """End an import whose application cannot be had: its open numbers fail at that stage."""
    unfinished = (imports.c.id == import_id, imports.c.finished_at.is_(None), imports.c.refused_code.is_(None))
    update = sa.update(imports).where(*unfinished).values(refused_code=code[:64], refused_text=description[:500])
    if tx.changed(update):
        note(tx, "import_refused", import_id, code=code, description=description)
    close_if_stopped(tx, import_id)


def wishing(tx: Tx, application_ref: int | None) -> list[str]:
    """The unfinished imports whose numbers go to this application; one that is not sealed yet asks anew when it is."""
    if application_ref is None:
        return []
    unfinished = (imports.c.sealed_at.is_not(None), imports.c.finished_at.is_(None))
    mine = sa.select(imports.c.id).where(imports.c.application_ref == application_ref, *unfinished)
    return list(tx.run(mine.order_by(imports.c.id)).scalars())


def close_if_stopped(tx: Tx, import_id: str) -> None:
    """Close the orders of a cancelled or refused import that no run holds; does nothing to any other import."""
    row = tx.run(_WHY, {"import": import_id}).first()
    if row is None or (row.cancel_asked_at is None and row.refused_code is None):
        return
    # Two that close the same import take turns, before either touches its work.
    tx.run(sa.select(imports.c.id).where(imports.c.id == import_id).with_for_update(key_share=True))
    _drop_unstarted(tx, import_id)
    books = Books(Action(row.action))
    for order in _without_run(tx, import_id):
        _close(tx, order, row, books)
    books.post(tx, import_id)
    if row.verify_started_at is not None and give_up(tx, import_id):
        finish(tx, import_id)


_WHY: Final = (
    sa.select(imports.c.cancel_asked_at, imports.c.refused_code, imports.c.refused_text)
    .add_columns(imports.c.action, imports.c.verify_started_at)
    .where(imports.c.id == sa.bindparam("import"), imports.c.finished_at.is_(None))
)


def _drop_unstarted(tx: Tx, import_id: str) -> None:
    in_doubt = sa.select(work.c.id).outerjoin(orders, orders.c.id == work.c.order_id)
    kept = in_doubt.where(work.c.import_id == import_id, doubtful())
    tx.run(sa.delete(work).where(work.c.import_id == import_id, work.c.state != RUNNING, work.c.id.not_in(kept)))


def _without_run(tx: Tx, import_id: str) -> list[sa.Row[Any]]:
    held = sa.exists().where(work.c.order_id == orders.c.id)
    unfinished = (orders.c.import_id == import_id, orders.c.state.in_(UNFINISHED_ORDERS), ~held)
    return list(tx.run(sa.select(orders).where(*unfinished).order_by(orders.c.id)).all())


def _close(tx: Tx, order: sa.Row[Any], why: sa.Row[Any], books: Books) -> None:
    cancelled = why.cancel_asked_at is not None
    state = OrderState.CANCELLED if cancelled else OrderState.REFUSED
    values: dict[str, Any] = {"state": state, "finished_at": tx.now}
    if not cancelled:
        values |= {"stage": Stage.APPLICATION, "code": why.refused_code, "description": why.refused_text}
    tx.run(sa.update(orders).where(orders.c.id == order.id).values(**values))
    note(tx, f"order_{state}", order.import_id, order=order.id, open=order.open)
    event = NumberEvent.CANCELLED if cancelled else NumberEvent.STEP_FAILED
    for outcome, count in ((Outcome.OPEN, order.open), (Outcome.RELEASED, order.released)):
        if count:
            books.move(seen_as(outcome, OrderState(order.state)), event, count)
