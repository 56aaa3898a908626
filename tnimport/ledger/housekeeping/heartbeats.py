"""Which processes live: each writes its row every few seconds, and takes it away when it stops as asked."""

from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger
from tnimport.ledger.schema import heartbeats
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

BEAT_SECONDS: Final = 10.0
ANSWERS: Final = "answers"
ALIVE_SECONDS: Final = 35.0  # three beats may be late before a process counts as gone


@dataclass(frozen=True, kw_only=True)
class Process:
    """One running process: `kind` is worker, dispatcher or web."""

    kind: str
    host: str
    pid: int
    version: str

    @property
    def id(self) -> str:
        """What no other running process has; a new process with an old one's number takes over its row."""
        return f"{self.kind}@{self.host}/{self.pid}"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the ledger knows of a process. Ages in seconds by the database's clock.

    Attributes:
        process: which it is.
        running: since its start.
        silent: since it last showed itself.
        broker: what it then knew of Redis: `ANSWERS`, or the kind of fault; None = it does not ask.
    """

    process: Process
    running: float
    silent: float
    broker: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it has shown itself lately."""
        return self.silent <= ALIVE_SECONDS


@retried_on_deadlock
def beat(ledger: Ledger, process: Process, *, first: bool = False, broker: str | None = None) -> None:
    """Show that the process lives, and what it knows of Redis; the first time also when it began."""
    told = {"broker": broker and broker[:64]}
    with ledger.write() as tx:
        row = {"id": process.id, **asdict(process), "started_at": tx.now, "seen_at": tx.now, **told}
        # While it lies ahead it tells that the clock was put back, until a dispatcher has followed (see clock.py).
        latest = sa.case((heartbeats.c.seen_at > tx.now, heartbeats.c.seen_at), else_=tx.now)
        changed = (row if first else told) | {"seen_at": latest}
        insert = tx.insert(heartbeats).values(row)
        tx.run(insert.on_conflict_do_update(index_elements=["id"], set_=changed))


@retried_on_deadlock
def leave(ledger: Ledger, process: Process) -> None:
    """The process stops as asked; nobody needs to miss it."""
    with ledger.write() as tx:
        tx.run(sa.delete(heartbeats).where(heartbeats.c.id == process.id))


def heard(ledger: Ledger) -> list[Heard]:
    """Every process that has not left, dead ones too until they are pruned; by kind, host and number."""
    query = sa.select(heartbeats).order_by(heartbeats.c.kind, heartbeats.c.host, heartbeats.c.pid)
    with ledger.read() as tx:
        return [
            Heard(
                process=Process(kind=row.kind, host=row.host, pid=row.pid, version=row.version),
                running=tx.now - row.started_at,
                silent=tx.now - row.seen_at,
                broker=row.broker,
            )
            for row in tx.run(query)
        ]
