"""The counters of an import: every number is in exactly one of them, because they only ever move between them."""

from collections import Counter
from functools import cache

import sqlalchemy as sa

from tnimport.domain.life import OPEN, Action, NumberEvent, NumberState, move
from tnimport.domain.webhooks import Event
from tnimport.ledger.engine import Tx
from tnimport.ledger.imports.events import note
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.proving.verification import begin
from tnimport.ledger.schema import imports


class Books:
    """Collects the moves of one transaction and posts them last, when every other row is written."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self._change: Counter[NumberState] = Counter()

    def move(self, state: NumberState, event: NumberEvent, count: int = 1) -> None:
        """Count an event that happened to `count` numbers in this state."""
        self._change[state] -= count
        self._change[move(state, event, self._action)] += count

    def post(self, tx: Tx, import_id: str) -> None:
        """Write the counters; the move that empties the open ones ends the import in the same transaction.

        One that is to be verified goes on to that instead, and is ended when it is over.
        """
        changes = {f"by_{state.value}": count for state, count in self._change.items() if count}
        if not changes:
            return
        moved = tuple(state for state, count in self._change.items() if count)
        left = tx.run(_posting(moved), {"import": import_id, "now": tx.now, **changes}).one()
        if not sum(left) and not begin(tx, import_id):
            finish(tx, import_id)


@cache
def _posting(states: tuple[NumberState, ...]) -> sa.Executable:
    """The update that adds to the counters of these states and returns the open ones; there are a few dozen at most."""
    changes = {state.value: imports.c[state] + sa.bindparam(f"by_{state.value}") for state in states}
    update = sa.update(imports).where(imports.c.id == sa.bindparam("import"))
    return update.values(updated_at=sa.bindparam("now"), **changes).returning(*(imports.c[state] for state in OPEN))


def finish(tx: Tx, import_id: str) -> None:
    """Write down once that nothing of the import is open any longer."""
    ended = sa.update(imports).where(imports.c.id == import_id, imports.c.finished_at.is_(None))
    if tx.changed(ended.values(finished_at=tx.now)):
        note(tx, "import_finished", import_id)
        deliveries.owe_import(tx, import_id, Event.IMPORT_FINISHED)
