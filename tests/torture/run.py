"""One run: submit, break, mend, wait for quiet, gather the evidence."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.error import URLError

from tests.system.conftest import SlowerThanExpected, until
from tests.torture.checkers import Evidence
from tests.torture.faults import Kind
from tests.torture.mail import Mail
from tests.torture.rows import Wish, removal
from tests.torture.schedule import Fault
from tests.torture.stand import CLAIM_SECONDS, SECRETS, Stand
from tests.torture.watch import Watch

STEP = 0.05
OPERATOR_SECONDS = 1.0
PAUSED_SECONDS = 2.0


class Run:
    """Applies a schedule while a person submits imports and resumes what is held."""

    def __init__(self, stand: Stand, kinds: Mapping[str, Kind], wishes: Sequence[Wish], mail: Mail) -> None:
        self._stand, self._kinds, self._mail = stand, kinds, mail
        self._left = list(wishes)
        self._accepted: dict[str, Wish] = {}
        self._todo: list[tuple[float, int, Callable[[], object]]] = []
        self._serial = count()
        self.done: Counter[str] = Counter()
        self.bitten: Counter[str] = Counter()  # those that did something
        self.met: set[tuple[str, str]] = set()  # kinds and endpoints of the carrier's faults that a call has met
        self._rules: list[Fault] = []
        self._watch = Watch(stand)
        self.resumed: Counter[str] = Counter()
        self._taken_away = False
        self._due = 0  # imports that are to have been submitted by now: they last as long as the faults do
        self.quiet_after = self.recovered_after = 0.0
        self._began = time.monotonic()

    def go(self, faults: Sequence[Fault], seconds: float, patience: float) -> None:
        """Break things for so long, mend them, and wait for quiet at most `patience` seconds."""
        self._began = time.monotonic()
        self._watch.begin()
        try:
            self._go(faults, seconds)
            self._calm(patience)
        finally:
            self._watch.end()

    def _go(self, faults: Sequence[Fault], seconds: float) -> None:
        for fault in faults:
            self._at(fault.at, lambda fault=fault: self._strike(fault))
        for index in range(len(self._left)):
            self._at(seconds * index / len(self._left), self._submit_next)
        for beat in range(int(seconds / OPERATOR_SECONDS)):
            self._at(beat * OPERATOR_SECONDS, self._operate)
        while self._todo:
            at, _, act = heapq.heappop(self._todo)
            time.sleep(max(0.0, self._began + at - time.monotonic()))  # the schedule's own time
            act()

    def _at(self, at: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._todo, (at, next(self._serial), act))

    def _strike(self, fault: Fault) -> None:
        kind = self._kinds[fault.kind]
        done = kind.act(self._stand, fault.argument)
        self.done[fault.kind] += 1
        if kind.is_rule:
            self._rules.append(fault)
        elif done is not False:
            self.bitten[fault.kind] += 1
        if callable(done):
            self._at(time.monotonic() - self._began + kind.seconds, done)

    def _count_rules(self) -> None:
        """Which of the carrier's faults a call has met; it keeps them in the order in which they came."""
        there = self._stand.sandbox.state("faults")["faults"]
        for fault, rule in zip(self._rules, there, strict=True):
            if rule["met"]:
                self.bitten[fault.kind] += 1
                self.met.add((fault.kind, fault.argument))

    def _submit(self) -> None:
        """Send what is due; an answer that was lost is asked for again under the same reference."""
        if not self._left:
            return
        with suppress(URLError, OSError):
            body = self._left[0].body | {"notify_url": f"{self._mail.receiver.url}?import"}
            made = self._stand.http("POST", "/v1/imports", body)
            if "id" in made:
                self._accepted[made["id"]] = self._left.pop(0)

    def _submit_next(self) -> None:
        self._due += 1
        self._submit()

    def _all_sent(self) -> bool:
        self._submit()
        return not self._left

    def _operate(self) -> None:
        """What a person does who looks now and then: resume what is held, send what could not be sent."""
        stopped = f"held_at IS NOT NULL OR paused_at < {time.time() - PAUSED_SECONDS}"
        for row in self._stand.ask(f"SELECT id, held_code FROM imports WHERE finished_at IS NULL AND ({stopped})"):  # noqa: S608 - a number
            with suppress(URLError, OSError):
                self._stand.http("POST", f"/v1/imports/{row['id']}/resume")
                self.resumed[row["held_code"] or "paused"] += 1
        self._mail.go_on()
        self._take_away()
        if len(self._accepted) < self._due:
            self._submit()

    def _calm(self, patience: float) -> None:
        if self._rules:
            self._count_rules()
        self._stand.mend()
        self._stand.started("web")
        calm = time.monotonic()
        until(self._all_sent, "every import is accepted", patience)
        before = self._settled()
        with suppress(SlowerThanExpected):  # the checkers tell what is not quiet
            try:
                until(lambda: self._looked() and self._moved(before), "something moves again", patience)
            finally:
                self.recovered_after = time.monotonic() - calm
            until(lambda: self._looked() and self._quiet(), "everything has ended", patience)
        self.quiet_after = time.monotonic() - calm

    def _moved(self, before: int) -> bool:
        """Whether something has moved since, or nothing is left that could."""
        return self._settled() > before or self._quiet()

    def _take_away(self) -> None:
        """Order the first import that has ended away again, under the same eyes."""
        through = "SELECT id FROM imports WHERE finished_at IS NOT NULL AND cancel_asked_at IS NULL"
        ended = {row["id"] for row in self._stand.ask(through)}
        wish = next((wish for one, wish in self._accepted.items() if one in ended), None)
        if wish is not None and not self._taken_away:
            self._taken_away = True
            self._left.insert(0, removal(wish))
            self._due += 1

    def _looked(self) -> bool:
        self._operate()
        self._stand.sandbox.release()
        time.sleep(STEP)  # looking again, not guessing
        return True

    def _settled(self) -> int:
        done = self._stand.ask("SELECT count(*) AS n FROM numbers WHERE outcome != 'open'")
        moved = self._stand.ask("SELECT count(*) AS n FROM orders WHERE state NOT IN ('planned', 'submitting')")
        return sum(row["n"] for row in (*done, *moved))

    def _quiet(self) -> bool:
        return (
            self._stand.ask("SELECT count(*) AS n FROM imports WHERE finished_at IS NULL") == [{"n": 0}]
            and self._mail.quiet()
        )

    def evidence(self) -> Evidence:
        """What there is to see, once all is quiet."""
        stand = self._stand
        carrier = stand.sandbox.state("dashboards", "users", "effects")
        return Evidence(
            wishes=self._accepted,
            views={one: stand.view(one) for one in self._accepted},
            rows={one: stand.export(one) for one in self._accepted},
            cancelled={row["id"] for row in stand.ask("SELECT id FROM imports WHERE cancel_asked_at IS NOT NULL")},
            work=stand.ask("SELECT id, task, state, order_id, attempts, strikes FROM work"),
            withdrawn=Counter(),
            effects=carrier["effects"],
            resources=_of(carrier["users"], "numbers"),
            in_service={number for held in carrier["dashboards"].values() for number in held["numbers"]},
            orders=_of(carrier["dashboards"], "orders"),
            applications=_of(carrier["users"], "applications"),
            claim_seconds=CLAIM_SECONDS,
            overdue=self._watch.lateness.longest,
            recovered_after=self.recovered_after,
            canaries=SECRETS,
            mail=self._mail.evidence(),
            texts=stand.texts(),
        )


def _of(holders: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    return [{"user": name, **one} for name, held in holders.items() for one in held[what]]
