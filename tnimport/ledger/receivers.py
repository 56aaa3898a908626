"""Who is told at once: a slow receiver must not keep the others waiting, nor may dead ones take every thread.

A receiver has a lane of its own, as an endpoint of the carrier has: not opened until it has answered once, closed and
paused by failures in a row, paused for as long as it asks.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import RECEIVER
from tnimport.ledger import lanes
from tnimport.ledger.engine import Tx
from tnimport.ledger.grants import Due
from tnimport.ledger.lanes import Trouble
from tnimport.ledger.schema import lanes as lanes_table
from tnimport.ledger.schema import work
from tnimport.ledger.work import RUNNING, SENT, WAITING, Run

AT_ONCE: Final = 4  # to one receiver that answers
TOGETHER: Final = 6  # to all receivers of all accounts: callers name them, and a slow one keeps a thread for seconds
IN_DOUBT: Final = 3  # to all receivers together that have not answered, or no longer do
LOOKAHEAD: Final = 256  # due deliveries that one round looks at; those of receivers that are full are passed over


class Receivers:
    """Deliveries that are under way; made and used while the account's lane of webhooks is locked."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx = tx
        self._mine = (work.c.account == account, work.c.lane == Lane.WEBHOOKS)
        under_way = (work.c.lane == Lane.WEBHOOKS, work.c.state.in_((SENT, RUNNING)))
        there = tx.run(sa.select(work.c.account, work.c.receiver).where(*under_way)).all()
        self._together = len(there)
        self._taken = Counter(str(row.receiver) for row in there if row.account == account)
        fields = (lanes_table.c.name, lanes_table.c.opened, lanes_table.c.paused_until)
        theirs = (lanes_table.c.account == account, lanes_table.c.name.startswith(RECEIVER))
        rows = tx.run(sa.select(*fields).where(*theirs)).all()
        self._paused = {row.name for row in rows if row.paused_until > tx.now}
        self._open = {row.name for row in rows if row.opened}
        self._doubtful = sum(count for name, count in self._taken.items() if name not in self._open)

    def due(self) -> Iterator[Due]:
        """What is due for receivers that have a place, the oldest first, locked against other dispatchers."""
        if self._together >= TOGETHER:
            return iter(())
        full = {name for name, count in self._taken.items() if count >= self._places(name)}
        fields = [work.c[name] for name in Due.__dataclass_fields__ if name in work.c]
        query = (
            sa.select(*fields)
            .where(*self._mine, work.c.state == WAITING, work.c.due_at <= self._tx.now)
            .where(work.c.task == Task.DELIVER_WEBHOOK)  # another one is for newer dispatchers
            .where(work.c.receiver.not_in(full | self._paused), *self._beyond_doubt())
            .order_by(work.c.due_at, work.c.id)
            .limit(LOOKAHEAD)
            .with_for_update(skip_locked=True)
        )
        return (Due(**row._mapping, max_per_minute=None, left=0, opens=False) for row in self._tx.run(query))  # noqa: SLF001 - the documented way to a row's mapping

    def _beyond_doubt(self) -> Iterator[sa.ColumnElement[bool]]:
        """Where no place for the doubtful is left, they must not hide the others from the look-ahead."""
        if self._doubtful >= IN_DOUBT:
            yield work.c.receiver.in_(self._open)

    def lets_in(self, item: Due) -> bool:
        """Whether its receiver has a place; it is taken then."""
        name = item.receiver or ""
        doubtful = name not in self._open
        full = self._together >= TOGETHER or self._taken[name] >= self._places(name)
        if full or (doubtful and self._doubtful >= IN_DOUBT):
            return False
        self._together += 1
        self._taken[name] += 1
        self._doubtful += doubtful
        return True

    def _places(self, name: str) -> int:
        return AT_ONCE if name in self._open else 1


def answered(tx: Tx, run: Run) -> None:
    """The receiver of this run has answered, whatever it said: its lane is open."""
    if run.receiver is not None:
        lanes.lock(tx, run.account, run.receiver, lanes.UNPACED)
        lanes.succeeded(tx, run.account, run.receiver)


def troubled(tx: Tx, run: Run, trouble: Trouble) -> None:
    """The receiver of this run did not answer, is failing, or wants a rest."""
    if run.receiver is not None:
        lanes.tell(tx, run.account, run.receiver, trouble)
