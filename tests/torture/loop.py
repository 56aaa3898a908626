"""The whole system in one thread: the real dispatcher, ledger, steps and clients, and a clock that can be put forward.

No broker and no process: what the dispatcher sends is run at once. Minutes of waiting cost nothing, and every call to
the carrier is counted, whether somebody answers or not.
"""

from collections import Counter
from collections.abc import Mapping
from threading import Event
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from tasks.catalogue import STEPS
from tasks.intake import submit
from tasks.parts import Access, Job, Parts
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.bandwidth.transport import Transport
from tnimport.contract import Queue, Task
from tnimport.ledger import schema
from tnimport.ledger.claims import work
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping.reap import reap
from tnimport.ledger.imports import control
from tnimport.ledger.reading import listing, reads
from workers.dispatching import LONGEST_SLEEP, Dispatcher

CLAIM_SECONDS: Final = 60.0
LEAST_STEP: Final = 0.05
TIMES: Final = {
    schema.work: ("due_at", "until"),
    schema.lanes: ("filled_at", "paused_until", "share_at"),
    schema.orders: ("sent_at", "accepted_at", "missing_since"),
    schema.applications: ("sent_at", "looked_at"),
}


class Counting(Transport):
    """Counts what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def send(self, request: Request, timeout: float) -> Reply:
        self.calls += 1
        return super().send(request, timeout)


class Unhurried(Dispatcher):
    """Sleeps until something is due; the loop takes claims back whenever its clock moves."""

    def _reap(self) -> None:
        pass

    def _sleep(self, seconds: float) -> float:
        return min(seconds, LONGEST_SLEEP)


class Loop:
    """Takes the dispatcher's messages and runs them, unless they are poison: those vanish with their run."""

    def __init__(self, ledger: Ledger, accesses: Mapping[str, Access], transport: Counting) -> None:
        self.ledger, self.accesses, self.transport = ledger, dict(accesses), transport
        self.passed = 0.0
        self.poison: frozenset[str] = frozenset()
        self.deadly_at = Task.IMPORT_NUMBERS
        self.killed = 0
        self.width = 64
        self.steps: Counter[Task] = Counter()
        self._sent: list[Grant] = []
        accounts = {name: access.account for name, access in accesses.items()}
        self._dispatcher = Unhurried(ledger, accounts, self, claim_seconds=CLAIM_SECONDS)

    def room(self) -> dict[Queue, int]:
        return dict.fromkeys(Queue, self.width)

    def publish(self, grants: list[Grant]) -> list[Grant]:
        self._sent += grants
        return []

    @property
    def parts(self) -> Parts:
        times = {"claim_seconds": CLAIM_SECONDS, "http_timeout": 5.0}
        return Parts(ledger=self.ledger, accounts=self.accesses, stopping=Event(), **times)

    def submit(self, *numbers: str, **options: Any) -> str:
        """Accept an import; its id."""
        fields = {"numbers": list(numbers), "application": {"id": "a-given"}} | options
        return str(submit(self.parts, fields, task_id=f"loop-{monotonic()}")["import_id"])

    def go(self, seconds: float) -> None:
        """Let so much of the ledger's time pass, with everything that is due in it."""
        end = self.passed + seconds
        while self.passed < end:
            wait = self._dispatcher.once()
            if not self._run_all():
                self._forward(min(max(wait, LEAST_STEP), end - self.passed))

    def until_imported(self, import_id: str, least: int) -> None:
        """Go on, one message at a time, until so many are imported."""
        self.width = 1
        while self.view(import_id).counts["imported"] < least:
            self._dispatcher.once()
            self._run_all() or self._forward(LEAST_STEP)
        self.width = 64

    def _run_all(self) -> bool:
        sent, self._sent = self._sent, []
        for grant in sent:
            self._run(grant)
        return bool(sent)

    def _run(self, grant: Grant) -> None:
        run = work.take(self.ledger, grant.work, grant.serial, CLAIM_SECONDS)
        if run is None or self._kills(run):
            return
        self.steps[grant.task] += 1
        end = monotonic() + CLAIM_SECONDS
        job = Job(parts=self.parts, run=run, access=self.accesses[run.account], deadline=end, progress=lambda _: None)
        STEPS[grant.task](job)

    def _kills(self, run: work.Run) -> bool:
        if run.task != self.deadly_at or not self.poison:
            return False
        here: tuple[sa.ColumnElement[bool], ...] = (schema.numbers.c.order_id == run.order_id,)
        if run.last > run.first:
            here += (schema.numbers.c.pos >= run.first, schema.numbers.c.pos < run.last)
        with self.ledger.read() as tx:
            found = tx.run(sa.select(schema.numbers.c.tn).where(*here)).scalars()
            deadly = not self.poison.isdisjoint(map(str, found))
        self.killed += deadly
        return deadly

    def _forward(self, seconds: float) -> None:
        """Put the clock forward: every time in the ledger is that much longer ago."""
        self.passed += seconds
        with self.ledger.write() as tx:
            for table, columns in TIMES.items():
                tx.run(sa.update(table).values({name: table.c[name] - seconds for name in columns}))
        reap(self.ledger)

    def resume(self, import_id: str) -> None:
        control.resume(self.ledger, import_id)

    def view(self, import_id: str) -> reads.ImportView:
        view = reads.import_view(self.ledger, import_id)
        assert view is not None
        return view

    def fates(self, import_id: str) -> dict[str, tuple[str, str | None]]:
        """State and code by ten digits."""
        return {one.number[-10:]: (one.state, one.code) for one in listing.stream_numbers(self.ledger, import_id)}
