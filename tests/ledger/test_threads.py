"""Many hands at once: dispatchers, workers, reapers and people, each in a thread of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Queue
from threading import Event, Lock
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.domain.pacing import Pace
from tnimport.ledger import schema
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.imports import control, numbers, submitting
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.grants import Grant
    from tnimport.ledger.claims.work import Run

WORKERS = 8
DISPATCHERS = 3
BATCH = 4
FAULT = Fault("401", "Mend the credentials.", whole_account=True)


@dataclass
class Crowd:
    """Threads that work on a ledger until every import is finished."""

    desk: Desk
    imports: Sequence[str]
    stormy: bool = False
    calls: Counter[tuple[int, int]] = field(default_factory=Counter)
    queue: Queue[Grant | None] = field(default_factory=Queue)
    over: Event = field(default_factory=Event)
    rang: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def work(self, *people: Callable[[], None]) -> None:
        with ThreadPoolExecutor(WORKERS + DISPATCHERS + 1 + len(people)) as pool:
            jobs = [*[self._dispatch] * DISPATCHERS, *[self._run] * WORKERS, self._reap, *people]
            futures = [pool.submit(self._until_over, job) for job in jobs]
        for future in futures:
            future.result()

    def _until_over(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self.over.set()
        self.rang.set()
        for _ in range(WORKERS):
            self.queue.put(None)

    def _dispatch(self) -> None:
        while not self.over.is_set():
            self.rang.clear()
            due = dispatch.due_lanes(self.desk.ledger).ready
            found = [grant for _, lane in due for grant in self.desk.claim(lane, room=16).grants]
            for grant in found:
                self.queue.put(grant)
            if not found:
                if all(reads.import_view(self.desk.ledger, one).finished_at for one in self.imports):
                    self._end()
                self.rang.wait(0.05)

    def _reap(self) -> None:
        while not self.over.wait(0.05):
            self.desk.reap()

    def _run(self) -> None:
        while (grant := self.queue.get()) is not None:
            try:
                run = self.desk.take(grant)
                if run is not None:
                    self._step(run)
            except ClaimLost:
                assert self.stormy
            self.rang.set()

    def _step(self, run: Run) -> None:
        match run.task:
            case "tnimport.submit_order":
                submitting.sending(self.desk.ledger, run)
                submitting.accepted(self.desk.ledger, run, f"c-{run.order_id}", "RECEIVED", 0)
            case "tnimport.poll_order":
                self.desk.end_well(run)
            case _:
                self._numbers(run)

    def _numbers(self, run: Run) -> None:
        places = numbers.load(self.desk.ledger, run).places
        outcome = self.desk.released if run.task == "tnimport.release_numbers" else self.desk.imported
        for start in range(0, len(places), BATCH):
            batch = places[start : start + BATCH]
            with self.lock:
                self.calls.update((run.order_id, place.pos) for place in batch)
                turn = self.calls.total()
            first = batch[-1].pos + 1
            fault = FAULT if self.stormy and turn % 11 == 0 else None
            trouble = Trouble(limited=turn % 2 == 0, reset_after=0) if self.stormy and turn % 5 == 0 else None
            settled = [outcome(place.pos) for place in batch]
            if not self.desk.record(run, Flush(settled=settled, first=first, trouble=trouble, fault=fault)):
                break
        else:
            first = run.last
        self.desk.record(run, Flush(first=first, last=True, unused=1))


def test_many_hands_do_every_number_exactly_once(desk: Desk) -> None:
    desk.paces[Lane.NUMBERS] = Pace(50, 5000)
    imports = [desk.accept(total, 30) for total in (120, 3, 50)]
    imports.append(desk.accept(40, 15, action=Action.REMOVE))
    desk.passes(1000)
    crowd = Crowd(desk, imports)
    crowd.work()
    assert [desk.state(import_id) for import_id in imports] == ["complete"] * 4
    assert crowd.calls.total() == 213
    assert set(crowd.calls.values()) == {1}


def test_many_hands_and_many_people_never_wait_for_each_other_in_a_circle(desk: Desk) -> None:
    desk.paces[Lane.NUMBERS] = Pace(50, 5000)
    imports = [desk.accept(30, 6) for _ in range(4)]
    desk.passes(1000)
    crowd = Crowd(desk, imports, stormy=True)

    def resume() -> None:
        while not crowd.over.wait(0.1):
            for import_id in imports:
                control.resume(desk.ledger, import_id)

    def pause() -> None:
        while not crowd.over.wait(0.1):
            control.pause(desk.ledger, imports[0])

    def cancel() -> None:
        with desk.ledger.read() as tx:
            assert tx.run(sa.select(sa.func.count()).select_from(schema.imports)).scalar_one() == 4
        while not crowd.over.wait(0.05):
            if desk.counts(imports[1]).get("imported", 0) >= 10:
                control.cancel(desk.ledger, imports[1])

    crowd.work(resume, pause, cancel)
    assert {desk.state(import_id) for import_id in imports} <= {"complete", "cancelled"}
    assert not desk.rows(schema.work, state=work.RUNNING)


def test_the_same_key_at_the_same_time_makes_one_import(desk: Desk) -> None:
    def submit(_: int) -> str | None:
        try:
            return desk.accept(5, key="k")
        except (work.ClaimLost, AssertionError, Exception) as error:  # noqa: BLE001 - any refusal will do
            return None if type(error).__name__ in {"InProgress", "AssertionError"} else str(error)

    with ThreadPoolExecutor(6) as pool:
        made = {answer for answer in pool.map(submit, range(6)) if answer is not None}
    assert made == {row.id for row in desk.rows(schema.imports)}
    assert len(made) == 1
