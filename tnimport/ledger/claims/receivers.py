"""Who is told at once: a slow receiver must not keep the others waiting, nor may dead ones take every thread.

A receiver has a lane of its own, as an endpoint of the carrier has: not opened until it has answered once, closed and
paused by failures in a row, paused for as long as it asks.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import RECEIVER
from tnimport.ledger.claims import lanes
from tnimport.ledger.claims.grants import Due
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import RUNNING, SENT, WAITING, Run, waits
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import lanes as lanes_table
from tnimport.ledger.schema import work
from tnimport.ledger.sql.leaps import leaps
from tnimport.ledger.sql.records import record_of

AT_ONCE: Final = 4  # to one receiver that answers
TOGETHER: Final = 6  # to all receivers of all accounts: callers name them, and a slow one keeps a thread for seconds
IN_DOUBT: Final = 3  # to all receivers together that have not answered, or no longer do
_PLACES: Final = 7_462_392  # the lock under which places are counted; any number that nobody else uses
LOOKAHEAD: Final = 16  # receivers with a place that one round looks at, and so many in doubt: who has waited longest


class Receivers:
    """Deliveries that are under way; made and used while the account's lane of webhooks is locked."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx = tx
        self._account = account
        if tx.on_postgres:  # two dispatchers at two accounts would count the same places as free
            tx.run(sa.select(sa.func.pg_advisory_xact_lock(_PLACES)))
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
        """What is due for receivers that have a place, the oldest first, locked against other dispatchers.

        As much for each as it has places for, so that it does not matter how much else it is owed.
        """
        if self._together >= TOGETHER or not (named := self._with_places()):
            return iter(())
        next_ = [self._next(name).subquery() for name in named]
        fields = [work.c[name] for name in Due.__dataclass_fields__ if name in work.c]
        query = (
            sa.select(*fields)
            .where(work.c.id.in_(sa.union_all(*(sa.select(ids.c.id) for ids in next_))), waits())
            .order_by(work.c.due_at, work.c.id)
            .with_for_update(skip_locked=True)
        )
        return (record_of(Due, row, max_per_minute=None, left=0, opens=False) for row in self._tx.run(query))

    def _with_places(self) -> list[str]:
        """Receivers that may be told of something now; those in doubt, which may be many, hide no other."""
        waiting = leaps(work.c.receiver, work.c.account == self._account)
        mine = (work.c.account == self._account, work.c.receiver == waiting.c.receiver, work.c.state == WAITING)
        first = sa.select(work.c.due_at).where(*mine).order_by(work.c.due_at).limit(1).scalar_subquery()
        since = {row.receiver: row.since for row in self._tx.run(sa.select(waiting, first.label("since")))}
        due = [name for name, at in since.items() if at is not None and at <= self._tx.now]
        let_in = [name for name in due if name not in self._paused and not self._full(name)]
        longest = sorted(let_in, key=lambda name: since[name])
        trusted = [name for name in longest if name in self._open]
        return trusted[:LOOKAHEAD] + [name for name in longest if name not in self._open][:LOOKAHEAD]

    def _next(self, name: str) -> sa.Select[Any]:
        """The rows of what a receiver is told of next."""
        mine = (work.c.account == self._account, work.c.receiver == name, work.c.state == WAITING)
        due = sa.select(work.c.id).where(*mine, work.c.due_at <= self._tx.now)
        known = due.where(work.c.task == Task.DELIVER_WEBHOOK)  # another one is for newer dispatchers
        return known.order_by(work.c.due_at, work.c.id).limit(self._places(name) - self._taken[name])

    def lets_in(self, item: Due) -> bool:
        """Whether its receiver has a place; it is taken then."""
        name = item.receiver or ""
        if self._together >= TOGETHER or self._full(name):
            return False
        self._together += 1
        self._taken[name] += 1
        self._doubtful += name not in self._open
        return True

    def _full(self, name: str) -> bool:
        """Whether it has no place, or those who have not answered have none left."""
        doubtful = name not in self._open
        return self._taken[name] >= self._places(name) or (doubtful and self._doubtful >= IN_DOUBT)

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
