"""Anything may happen in any order: callers, dispatchers, workers, deaths, people; the books balance after each step.

A process may die before any statement of what it does, and the database's clock may be put forward or back at any time.
The model is what a person would write down beside the ledger: which outcomes were recorded, by whom.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, Stage
from tnimport.domain.pacing import Pace
from tnimport.domain.reconcile import Fates
from tnimport.ledger import schema
from tnimport.ledger.claims import work
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.claims.work import ClaimLost
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.imports import applications, control, numbers, orders, polling, submitting, waking
from tnimport.ledger.imports.numbers import Flush
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.messaging import subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ledger.conftest import Clock, Desk
    from tnimport.ledger.claims.grants import Grant
    from tnimport.ledger.claims.work import Run
    from tnimport.ledger.engine import Ledger

MOST_IMPORTS = 3
FAULTS = [Fault("401", "Mend it.", whole_account=True), Fault("12024", "Another site.", whole_account=False)]
VANISHED = Fault("application_vanished", "See who deletes it.", whole_account=False)
TROUBLES = [
    None,
    None,
    None,
    Trouble(limited=True),
    Trouble(limited=True, reset_after=10),
    Trouble(limited=False),
]
indices = st.integers(0, 50)
fortunes = st.lists(st.integers(0, 9), min_size=6, max_size=6)
troubles = st.sampled_from(TROUBLES)
faults = st.sampled_from([*[None] * 8, *FAULTS, VANISHED])
MOST_STATEMENTS = 24  # of one move: accepting takes some twenty
deaths = st.one_of(st.none(), st.none(), st.integers(1, MOST_STATEMENTS))
early_deaths = st.one_of(st.none(), st.none(), st.integers(1, 12))  # within a step of a run
STEPS = (Task.SUBMIT_ORDER, Task.POLL_ORDER, Task.ENSURE_APPLICATION, Task.IMPORT_NUMBERS)
ALIVE = Process(kind="dispatcher", host="here", pid=1, version="1")
LONGEST = 120.0 + 5  # of the claims, waits and pauses that the rules here ask for


class Killed(BaseException):
    """The process is gone, as by `kill -9`."""


@contextmanager
def dying(ledger: Ledger, before: int | None) -> Iterator[None]:
    """Kill whoever works here before the statement of this number; None = let it live."""
    left = before

    def strike(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal left
        if left is not None and not statement.startswith("BEGIN"):
            left -= 1
            if left == 0:
                raise Killed

    sa.event.listen(ledger.engine, "before_cursor_execute", strike)
    try:
        yield
    finally:
        sa.event.remove(ledger.engine, "before_cursor_execute", strike)


class Anything(RuleBasedStateMachine):
    """One account at work; `messages` are on their way or doubled, `runs` at work or long since lost.

    `told` counts, over all stories, how often a task took a step and how often it was killed within one.
    """

    def __init__(self, desk: Desk, check: Callable[[], None], clock: Clock, told: Counter[str]) -> None:
        super().__init__()
        self.desk, self.check, self.clock = desk, check, clock
        heartbeats.beat(desk.ledger, ALIVE, first=True)
        self.imports: list[str] = []
        self.messages: list[Grant] = []
        self.runs: list[Run] = []
        self.written: dict[tuple[int, int], str] = {}
        self.told = told

    # What happens.

    @initialize(
        total=st.integers(1, 5), size=st.integers(1, 3), action=st.sampled_from(list(Action)), known=st.booleans()
    )
    def begin(self, total: int, size: int, action: Action, *, known: bool) -> None:
        self.accept(total, size, action, None, known=known)

    @precondition(lambda self: len(self.imports) < MOST_IMPORTS)
    @rule(
        total=st.integers(0, 5),
        size=st.integers(1, 3),
        action=st.sampled_from(list(Action)),
        known=st.booleans(),
        death=deaths,
    )
    def accept(self, total: int, size: int, action: Action, death: int | None, *, known: bool) -> None:
        wish = self.desk.wish("a-1") if known else self.desk.wish(name="ours", url="https://us")
        application = wish if action is Action.IMPORT else None
        with suppress(Killed), dying(self.desk.ledger, death):
            self.imports.append(self.desk.accept(total, size, action=action, application=application))

    @precondition(lambda self: self.waiting())
    @rule(index=indices, room=st.integers(1, 5), death=deaths)
    def claim(self, index: int, room: int, death: int | None) -> None:
        lanes = self.waiting()
        with suppress(Killed), dying(self.desk.ledger, death):
            self.messages += self.desk.claim(lanes[index % len(lanes)], room).grants

    def waiting(self) -> list[Lane]:
        """The lanes that have work which nobody holds."""
        return sorted({Lane(row.lane) for row in self.desk.rows(schema.work, state=work.WAITING)})

    def all_goes_on(self, fortune: list[int], trouble: Trouble | None, fault: Fault | None, death: int | None) -> None:
        """Time passes, people mend what was held, and one piece of each lane's work gets as far as its fortune."""
        self.desk.passes(200)
        self.desk.reap()
        for row in self.desk.rows(schema.imports):
            control.resume(self.desk.ledger, row.id)
        for lane in self.waiting():
            for run in filter(None, map(self.desk.take, self.desk.claim(lane, 1).grants)):
                self.runs.append(run)
                self.go_on(run, fortune, trouble, fault, death, last=True)

    # Hypothesis leaves some rules out of each story; of these it would have to leave out all three.
    goes_on = rule(fortune=fortunes, trouble=troubles, fault=faults, death=early_deaths)
    it_goes_on, it_goes_further, it_goes_well = goes_on(all_goes_on), goes_on(all_goes_on), goes_on(all_goes_on)

    @precondition(lambda self: self.messages)
    @rule(index=indices, doubled=st.booleans(), death=deaths)
    def take(self, index: int, death: int | None, *, doubled: bool) -> None:
        grant = self.messages[index % len(self.messages)]
        if not doubled:
            self.messages.remove(grant)
        run = None
        with suppress(Killed), dying(self.desk.ledger, death):
            run = self.desk.take(grant)
        if run is not None:
            self.runs.append(run)

    @precondition(lambda self: self.runs)
    @rule(index=indices, fortune=fortunes, trouble=troubles, fault=faults, death=deaths, last=st.booleans())
    def step(
        self,
        index: int,
        fortune: list[int],
        trouble: Trouble | None,
        fault: Fault | None,
        death: int | None,
        *,
        last: bool,
    ) -> None:
        self.go_on(self.runs[index % len(self.runs)], fortune, trouble, fault, death, last=last)

    def go_on(
        self,
        run: Run,
        fortune: list[int],
        trouble: Trouble | None,
        fault: Fault | None,
        death: int | None,
        *,
        last: bool,
    ) -> None:
        """A run does its next step, or is killed in it; one that has lost its claim changes nothing."""
        ours = bool(self.desk.rows(schema.work, id=run.id, token=run.token, state=work.RUNNING))
        try:
            with dying(self.desk.ledger, death):
                self.do(run, fortune, trouble, fault, last=last)
        except Killed:
            self.runs.remove(run)
            self.told[f"{run.task} killed"] += ours
        except ClaimLost:
            assert not ours
        else:
            assert ours
            self.told[f"{run.task} done"] += 1

    @rule(seconds=st.sampled_from([1, 31, 121, 400]), death=deaths)
    def time_passes(self, seconds: int, death: int | None) -> None:
        self.desk.passes(seconds)
        with suppress(Killed), dying(self.desk.ledger, death):
            self.desk.reap()
        self.desk.reap()
        for row in self.desk.rows(schema.imports):
            if row.cancel_asked_at is not None or row.refused_code is not None:
                held = [one for one in self.desk.rows(schema.work, import_id=row.id) if self.closes_later(one)]
                assert held or row.finished_at is not None or self.reaped(row.id)

    def closes_later(self, one: sa.Row[Any]) -> bool:
        """Whether a run holds it, or it finds out what became of a call."""
        sent = one.order_id and self.desk.row(schema.orders, id=one.order_id).state == "submitting"
        return one.state == work.RUNNING or sent or (one.look and one.lost)

    def reaped(self, import_id: str) -> bool:
        return self.desk.row(schema.imports, id=import_id).finished_at is not None

    @precondition(lambda self: self.imports)
    @rule(
        index=indices,
        ask=st.sampled_from([control.pause, control.resume, control.resume, control.cancel]),
        death=deaths,
    )
    def somebody_asks(self, index: int, ask: Callable[[Ledger, str], bool], death: int | None) -> None:
        with suppress(Killed), dying(self.desk.ledger, death):
            ask(self.desk.ledger, self.imports[index % len(self.imports)])

    @precondition(lambda self: self.imports)
    @rule(index=indices, death=deaths)
    def word_of_an_order_comes(self, index: int, death: int | None) -> None:
        """True or false, for whichever order: nothing but the time of its next look may change."""
        rows = self.desk.rows(schema.orders)
        before = [{**row._mapping, "woken_at": None} for row in rows]  # documented
        with suppress(Killed), dying(self.desk.ledger, death):
            named = rows[index % len(rows)].reference if rows else None
            waking.wake(self.desk.ledger, "default", carrier_order_id="c-1", reference=named)
        assert [{**row._mapping, "woken_at": None} for row in self.desk.rows(schema.orders)] == before

    @rule(death=deaths)
    def somebody_wants_word_of_orders(self, death: int | None) -> None:
        with suppress(Killed), dying(self.desk.ledger, death):
            subscriptions.channel(self.desk.ledger, "default", "https://tn.example/callbacks/default/orders")

    @rule(seconds=st.sampled_from([3600, -60, -3600]))
    def the_clock_is_put_right(self, seconds: int) -> None:
        heartbeats.beat(self.desk.ledger, ALIVE)
        self.clock.step(seconds)
        self.desk.reap()
        with self.desk.ledger.read() as tx:
            latest = tx.now + LONGEST
        for row in self.desk.rows(schema.work):
            assert max(row.due_at, row.until or 0) <= latest
        for row in self.desk.rows(schema.lanes):
            assert max(row.filled_at, row.paused_until) <= latest

    # What a run does.

    def do(
        self, run: Run, fortune: list[int], trouble: Trouble | None, fault: Fault | None, *, last: bool = True
    ) -> None:
        match Task(run.task):
            case Task.SUBMIT_ORDER:
                self.submit(run, fortune, trouble, fault)
            case Task.POLL_ORDER:
                self.poll(run, fortune, fault)
            case Task.ENSURE_APPLICATION:
                self.search(run, fortune, trouble, fault)
            case Task.ENSURE_SUBSCRIPTION:
                self.subscribe(run, fortune, trouble)
            case _:
                self.numbers(run, fortune, trouble, fault, last=last)

    def submit(self, run: Run, fortune: list[int], trouble: Trouble | None, fault: Fault | None) -> None:
        ledger = self.desk.ledger
        order = orders.load(ledger, run)
        if order.state == "planned":
            submitting.sending(ledger, run)
        elif order.state != "submitting":
            raise ClaimLost  # an old run of an order that has gone on
        if fault is not None:
            submitting.account_fault(ledger, run, fault, unsent=fortune[0] > 4)
        elif fortune[0] == 0:
            self.refuse(run, order.numbers, fortune)
        elif fortune[0] == 1:
            submitting.not_sent(ledger, run, fortune[1], "no_route", trouble)
        elif fortune[0] == 2:
            orders.wait(ledger, run, fortune[1], "timeout", trouble)
        elif fortune[0] == 3:
            submitting.settled_absent(ledger, run)
        else:
            submitting.accepted(ledger, run, "c-1", "RECEIVED", fortune[1])

    def refuse(self, run: Run, listed: list[str], fortune: list[int]) -> None:
        named = dict.fromkeys(listed[: fortune[1] % 4], ("5023", "Not yours."))
        before = self.places(run)
        submitting.refused(self.desk.ledger, run, "1002", "Wrong.", named)
        self.write(run, {before[tn]: "failed" for tn in named or listed})

    def places(self, run: Run) -> dict[str, int]:
        return {str(row.tn): row.pos for row in self.desk.rows(schema.numbers, order_id=run.order_id)}

    def write(self, run: Run, outcomes: dict[int, str]) -> None:
        self.written |= {(run.order_id or 0, pos): outcome for pos, outcome in outcomes.items()}

    def poll(self, run: Run, fortune: list[int], fault: Fault | None) -> None:
        ledger = self.desk.ledger
        if fault is not None:
            polling.withdrawn(ledger, run, "FAILED", fault)
        elif fortune[0] == 0:
            polling.unfinished(ledger, run, "PROCESSING", fortune[1])
        elif fortune[0] == 1:
            polling.missing(ledger, run, fortune[1])
        else:
            listed, places = orders.load(ledger, run).numbers, self.places(run)
            fate = {tn: fortune[index % 6] for index, tn in enumerate(listed)}
            failed = {tn for tn in listed if fate[tn] == 9}
            silent = {tn for tn in listed if fate[tn] == 8}
            fates = Fates(frozenset(listed) - failed - silent, dict.fromkeys(failed, ("c", "d")), frozenset(silent))
            polling.ended(ledger, run, "PARTIAL", fates)
            self.write(run, {places[tn]: "failed" for tn in failed} | {places[tn]: "unaccounted" for tn in silent})

    def subscribe(self, run: Run, fortune: list[int], trouble: Trouble | None) -> None:
        ledger = self.desk.ledger
        if fortune[0] == 0:
            subscriptions.given_up(ledger, run)
        elif fortune[0] == 1:
            subscriptions.again(ledger, run, fortune[1], trouble, anew=fortune[2] > 4)
        elif fortune[0] == 2:
            subscriptions.looked(ledger, run, None)
        else:
            subscriptions.made(ledger, run, "s-1")

    def search(self, run: Run, fortune: list[int], trouble: Trouble | None, fault: Fault | None) -> None:
        ledger = self.desk.ledger
        if fault is not None:
            applications.account_fault(ledger, run, fault, unsent=True)
        elif fortune[0] == 0:
            applications.refused(ledger, run, "c", "d")
        elif fortune[0] == 1:
            applications.wait(ledger, run, fortune[1], trouble)
        elif fortune[0] == 2:
            applications.looked(ledger, run, None)
        else:
            applications.ready(ledger, run, f"a-{fortune[1]}", added=True)

    def numbers(
        self, run: Run, fortune: list[int], trouble: Trouble | None, fault: Fault | None, *, last: bool
    ) -> None:
        ledger, desk = self.desk.ledger, self.desk
        (held,) = desk.rows(schema.work, id=run.id) or [run]
        batch = numbers.load(ledger, run)
        removing = run.task == Task.RELEASE_NUMBERS
        may_go = removing or batch.application_id is not None or batch.closing
        places = [place.pos for place in batch.places if place.pos >= held.first]
        good = "released" if removing else "imported"
        dealt = places[: fortune[0] if may_go else 0]
        fate = {pos: fortune[1 + index % 5] for index, pos in enumerate(dealt)}
        settled = {pos: "failed" if fate[pos] == 9 else good for pos in dealt if fate[pos] not in {7, 8}}
        looked = {pos: "n" for pos in dealt if fate[pos] == 8 and removing and run.look and last}
        again = [
            desk.again(pos, wait=fortune[0], look=fate[pos] == 8, lost=fortune[0] % 2 == 1)
            for pos in dealt
            if pos not in {*settled, *looked}
        ]
        make = {"failed": lambda pos: desk.failed(pos, Stage.RELEASE if removing else Stage.IMPORT)}
        make |= {"released": desk.released, "imported": desk.imported}
        first = max(dealt, default=held.first - 1) + 1 if len(dealt) < len(places) else run.last
        flush = Flush(
            settled=[make[outcome](pos) for pos, outcome in settled.items()],
            again=again,
            first=first,
            trouble=trouble,
            fault=fault if last else None,
            missed=batch.application_id if fault is VANISHED and not removing else None,
            proven=batch.application_id if batch.in_doubt and "imported" in settled.values() else None,
            last=last,
            unused=1,
        )
        if looked:
            numbers.remember(ledger, run, desk.pace(Lane(run.lane)), looked, flush)
        else:
            desk.record(run, flush)
        self.write(run, settled)

    # What holds at any time.

    @invariant()
    def the_books_balance_and_nothing_is_stuck(self) -> None:
        self.check()

    @invariant()
    def no_two_claims_hold_a_number(self) -> None:
        held = [row for row in self.desk.rows(schema.work) if row.state != work.WAITING and row.last > row.first]
        taken = [(row.order_id, pos) for row in held for pos in range(row.first, row.last)]
        settled = {key for key, outcome in self.written.items() if outcome != "open"}
        free = [place for place in taken if place not in settled]
        assert len(free) == len(set(free))

    @invariant()
    def what_was_recorded_stands(self) -> None:
        rows = {(row.order_id, row.pos): row for row in self.desk.rows(schema.numbers)}
        for place, outcome in self.written.items():
            assert rows[place].outcome == outcome
        for place, row in rows.items():
            assert row.outcome == "open" or place in self.written or row.code == "needs_attention"

    def teardown(self) -> None:
        """Whatever happened, with good fortune from now on every import comes to its end."""
        for _ in range(60):
            for import_id in self.imports:
                control.resume(self.desk.ledger, import_id)
            self.desk.passes(200)
            self.desk.reap()
            if not self.unfinished():
                break
            for lane in Lane:
                for run in filter(None, map(self.desk.take, self.desk.claim(lane).grants)):
                    self.do(run, [6] * 6, None, None)
        self.check()
        assert not self.unfinished()
        self.clock.reset()

    def unfinished(self) -> list[str]:
        """Imports that were accepted and have not ended; a half-staged one never was."""
        rows = self.desk.rows(schema.imports)
        return [row.id for row in rows if row.sealed_at is not None and row.finished_at is None]


@pytest.fixture
def begin(
    fresh_desk: Callable[[], Desk], balance: Callable[[], None], clock: Clock
) -> Callable[[Pace, Counter[str]], Anything]:
    """Begin a story at this pace, on an empty ledger."""

    def begin(pace: Pace, told: Counter[str]) -> Anything:
        desk = fresh_desk()
        desk.paces = dict.fromkeys(Lane, pace)
        return Anything(desk, balance, clock, told)

    return begin


@pytest.mark.parametrize("pace", [Pace(0, 0), Pace(12, 20)])
def test_anything_may_happen(
    ledger: Ledger, begin: Callable[[Pace, Counter[str]], Anything], torture: str, pace: Pace
) -> None:
    told: Counter[str] = Counter()
    examples = 100 if torture == "long" else {"sqlite": 8, "postgresql": 4}[ledger.engine.dialect.name]
    profile = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        phases=[Phase.reuse, Phase.generate],  # a story of thirty steps can be read; making it shorter takes minutes
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(lambda: begin(pace, told), settings=profile)
    assert {task for task in STEPS if told[f"{task} done"]} == {*STEPS}, told
    assert sum(told[f"{task} killed"] for task in STEPS) >= examples / 2, told
