"""Keeps the results of a grant until they are recorded: every 100 numbers or 250 ms, never one by one."""

from time import monotonic
from typing import Final

from tasks.parts import Job
from tasks.patience import recorded
from tasks.verdicts import Found, Stop, Tried, Verdict
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports import numbers
from tnimport.ledger.imports.numbers import Again, Flush
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.imports.outcomes import Imported, Settled

FLUSH_NUMBERS: Final = 100  # only a carrier that answers within milliseconds gets there before the time is up
FLUSH_SECONDS: Final = 0.25
TELL_SECONDS: Final = 2.0


class ResultBuffer:
    """The results of one run that the ledger does not hold yet."""

    def __init__(self, job: Job, total: int, proving: str | None = None) -> None:
        """`proving` is an application in doubt: that a number has gone to it is news."""
        self._job = job
        self._proving = proving
        self._total = total
        self._first = job.run.first
        self._settled: list[Settled] = []
        self._again: list[Again] = []
        self._trouble: Trouble | None = None
        self._fault: Fault | None = None
        self._missed: str | None = None
        self._flushed = self._told = monotonic()
        self.found: dict[int, str] = {}
        self.dealt = 0
        self.calls = 0
        self.counts: dict[str, int | str] = {}

    def add(self, pos: int, verdict: Verdict) -> bool:
        """Take down what became of the number at this position; tells whether the grant may go on."""
        self.calls += 1
        if isinstance(verdict, Stop):
            self._trouble, self._fault, self._missed = verdict.trouble, verdict.fault, verdict.missed
            self._count("stopped")
            return False
        self.dealt += 1
        self._first = pos + 1
        self._count(type(verdict).__name__.lower())
        if isinstance(verdict, Tried):
            self._again.append(verdict.again)
            self._trouble = verdict.trouble
            return verdict.trouble is None
        if isinstance(verdict, Found):
            self.found[verdict.pos] = verdict.number_id
            return True
        self._settled.append(verdict)
        return self._flush_if_due()

    def _count(self, kind: str) -> None:
        self.counts[kind] = int(self.counts.get(kind, 0)) + 1

    def _flush_if_due(self) -> bool:
        pending = len(self._settled) + len(self._again)
        if self.found or (pending < FLUSH_NUMBERS and monotonic() - self._flushed < FLUSH_SECONDS):
            return True
        go_on = self._record(last=False)
        if self.dealt < self._total and monotonic() - self._told >= TELL_SECONDS:
            self._told = monotonic()
            self._job.progress(f"{self.dealt}/{self._total}")
        return go_on

    def close(self) -> None:
        """Record what is left and end the run; numbers not dealt with go back, and so do their tokens."""
        if self.dealt >= self._total:
            self._first = self._job.run.last
        self._record(last=True)

    def _record(self, *, last: bool) -> bool:
        flush = Flush(
            settled=tuple(self._settled),
            again=tuple(self._again),
            first=self._first,
            trouble=self._trouble,
            fault=self._fault,
            missed=self._missed,
            proven=self._proving if any(isinstance(one, Imported) for one in self._settled) else None,
            last=last,
            unused=max(0, self._job.run.tokens - self.calls) if last else 0,
        )
        go_on = recorded(lambda: self._persist(flush), self._job.deadline)
        self._settled, self._again = [], []
        self._flushed = monotonic()
        return go_on

    def _persist(self, flush: Flush) -> bool:
        job = self._job
        if self.found and flush.last:
            numbers.remember(job.ledger, job.run, job.pace, self.found, flush)
            return False
        return numbers.record(job.ledger, job.run, job.pace, flush)
