"""A ledger on each kind of database, and the hands that work on it: a caller's, a dispatcher's, a worker's.

Time passes by moving every stored time back, so that nothing waits and the database's clock stays real.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import OPEN, Action, NumberState, OrderState, Outcome, Stage, seen_as
from tnimport.domain.pacing import ON_THE_WAY, Pace
from tnimport.domain.reconcile import Fates
from tnimport.ledger import engine
from tnimport.ledger import schema as tables
from tnimport.ledger.claims import dispatch, sites, work
from tnimport.ledger.claims.grants import Grant, Round
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import reap
from tnimport.ledger.imports import numbers, orders, polling, submitting
from tnimport.ledger.imports.numbers import Again, Flush
from tnimport.ledger.imports.outcomes import Failed, Imported, Released, Settled
from tnimport.ledger.imports.staging import ApplicationWish, NewImport, Placed, RefusedRow, Staging, begin
from tnimport.ledger.reading import reads

ACCOUNT = "default"
SITE = ("743", "303716")
UNLIMITED = Pace(0, 0)
SENT_SECONDS = 30.0
CLAIM_SECONDS = 120.0
FIRST_NUMBER = 9_192_380_000
NOT_TIMES = {"tokens", "max_per_minute", "share"}


@pytest.fixture(scope="session")
def sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    tables.metadata.create_all(ledger.engine)
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def postgres_ledger(postgres_server: str) -> Iterator[Ledger]:
    with psycopg.connect(postgres_server.replace("+psycopg", "") + "postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE shared_by_ledger_tests")
    ledger = Ledger(postgres_server + "shared_by_ledger_tests", pool_size=16)
    tables.metadata.create_all(ledger.engine)
    yield ledger
    ledger.close()


def emptied(ledger: Ledger) -> Ledger:
    with ledger.write() as tx:
        for table in reversed(tables.metadata.sorted_tables):
            tx.run(sa.delete(table))
    return ledger


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty ledger, once on each kind of database; whatever a test does to it, its books balance at the end."""
    ledger = emptied(request.getfixturevalue(f"{request.param}_ledger"))
    yield ledger
    check_everything(ledger)


class Clock:
    """The database's clock, which somebody may put forward or back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch, self._real, self.ahead = monkeypatch, dict(engine._NOW), 0.0

    def step(self, seconds: float) -> None:
        self.ahead += seconds
        for dialect, query in self._real.items():
            self._patch.setitem(engine._NOW, dialect, f"{query} + ({self.ahead})")

    def reset(self) -> None:
        self.step(-self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The database's clock."""
    return Clock(monkeypatch)


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[str]]:
    """Every statement that is executed meanwhile."""
    found: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    sa.event.listen(ledger.engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        sa.event.remove(ledger.engine, "before_cursor_execute", listen)


@dataclass(frozen=True)
class Snapshot:
    """Every row of the tables that the books are about, at one moment."""

    imports: list[sa.Row[Any]]
    orders: dict[str, list[sa.Row[Any]]]
    outcomes: dict[int, dict[int, Outcome]]
    refused: Counter[tuple[str, str]]
    work: list[sa.Row[Any]]


def snapshot(ledger: Ledger) -> Snapshot:
    with ledger.read() as tx:
        imports = tx.run(sa.select(tables.imports).where(tables.imports.c.sealed_at.is_not(None))).all()
        orders_: dict[str, list[sa.Row[Any]]] = {row.id: [] for row in imports}
        for order in tx.run(sa.select(tables.orders).where(tables.orders.c.import_id.in_(orders_))):
            orders_[order.import_id].append(order)
        outcomes: dict[int, dict[int, Outcome]] = {}
        numbers_ = tables.numbers.c
        for order_id, pos, outcome in tx.run(sa.select(numbers_.order_id, numbers_.pos, numbers_.outcome)):
            outcomes.setdefault(order_id, {})[pos] = Outcome(outcome)
        rows = tx.run(sa.select(tables.refused_rows.c.import_id, tables.refused_rows.c.kind))
        refused = Counter((row.import_id, row.kind) for row in rows)
        return Snapshot(list(imports), orders_, outcomes, refused, list(tx.run(sa.select(tables.work)).all()))


def check_everything(ledger: Ledger) -> None:
    seen = snapshot(ledger)
    for row in seen.imports:
        balanced(seen, row)
        nothing_is_stuck(seen, row)


def balanced(seen: Snapshot, row: sa.Row[Any]) -> None:
    """The counters of an import sum to its rows, and equal what its rows say when they are counted anew."""
    recount: Counter[NumberState] = Counter()
    for order in seen.orders[row.id]:
        outcomes = Counter(seen.outcomes[order.id].values())
        for outcome, times in outcomes.items():
            recount[seen_as(outcome, OrderState(order.state))] += times
        assert (order.open, order.released) == (outcomes[Outcome.OPEN], outcomes[Outcome.RELEASED]), order.state
    counted = {state: getattr(row, state) for state in NumberState}
    assert counted == {state: recount[state] for state in NumberState}
    assert sum(counted.values()) + row.rejected + row.duplicate + row.blank == row.rows
    assert (row.rejected, row.duplicate) == (seen.refused[row.id, "rejected"], seen.refused[row.id, "duplicate"])
    verifying = row.verify_started_at is not None and row.verify_ended_at is None
    assert (row.finished_at is None) == (verifying or any(counted[state] for state in OPEN))
    if row.finished_at is not None:  # a run that has written its last result is about to end
        assert {one.state for one in seen.work if one.import_id == row.id} <= {work.RUNNING}


_TASK_OF_STATE = {
    OrderState.RELEASING: Task.RELEASE_NUMBERS,
    OrderState.PLANNED: Task.SUBMIT_ORDER,
    OrderState.SUBMITTING: Task.SUBMIT_ORDER,
    OrderState.ACCEPTED: Task.POLL_ORDER,
    OrderState.AVAILABLE: Task.IMPORT_NUMBERS,
}
_OF_NUMBERS = {Task.IMPORT_NUMBERS, Task.RELEASE_NUMBERS}


def nothing_is_stuck(seen: Snapshot, row: sa.Row[Any]) -> None:
    """Whatever is open lies in exactly one piece of work of the right kind, unless the import was stopped for good."""
    if row.finished_at is not None or row.cancel_asked_at is not None or row.refused_code is not None:
        return
    for order in seen.orders[row.id]:
        open_ = {pos for pos, outcome in seen.outcomes[order.id].items() if outcome is Outcome.OPEN}
        works = [
            one
            for one in seen.work
            if one.order_id == order.id
            and (one.task not in _OF_NUMBERS or one.state != work.RUNNING or open_ & set(range(one.first, one.last)))
        ]
        expected = _TASK_OF_STATE.get(OrderState(order.state))
        assert {one.task for one in works} == ({expected} if expected else set()), order.state
        if expected in _OF_NUMBERS:
            for pos in open_:
                assert sum(one.first <= pos < one.last for one in works) == 1, (pos, works)
        elif expected:
            assert len(works) == 1


def times_of(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, sa.Double) and column.name not in NOT_TIMES]


AGING = [
    sa.update(table).values({column: column - sa.bindparam("seconds") for column in times_of(table)})
    for table in tables.metadata.sorted_tables
    if times_of(table)
]


def wish(application_id: str | None = None, **values: Any) -> ApplicationWish:
    name = values.get("name", application_id)
    return ApplicationWish(application_id=application_id, fingerprint=f"wish of {name}", spec={}, **values)


def placed(total: int, order_size: int) -> list[Placed]:
    return [
        Placed(line // order_size, "local", line % order_size, FIRST_NUMBER + line, line + 1) for line in range(total)
    ]


def imported(pos: int) -> Settled:
    return Imported(pos, f"n-{pos}", added=True, attempts=1)


def released(pos: int) -> Settled:
    return Released(pos, 1)


def failed(pos: int, stage: Stage = Stage.IMPORT, code: str = "some-code") -> Settled:
    return Failed(pos, stage, code, "The carrier's words.", 1)


def again(pos: int, *, wait: float = 0, look: bool = False, lost: bool = False, counted: bool = True) -> Again:
    lane = Lane.LOOKUPS if look else Lane.NUMBERS
    return Again(pos=pos, wait=wait, lane=lane, look=look, lost=lost, code="again", counted=counted)


@dataclass
class Desk:
    """Everybody who works on one account of a ledger."""

    ledger: Ledger
    paces: dict[Lane, Pace] = field(default_factory=dict)
    served: dict[Any, float] = field(default_factory=dict)
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    # Words.

    wish = staticmethod(wish)
    placed = staticmethod(placed)
    imported = staticmethod(imported)
    released = staticmethod(released)
    failed = staticmethod(failed)
    again = staticmethod(again)

    # A caller.

    def new(self, **changes: Any) -> NewImport:
        values: dict[str, Any] = {
            "account": ACCOUNT,
            "action": Action.IMPORT,
            "site_id": SITE[0],
            "sip_peer_id": SITE[1],
            "customer_order_id": None,
            "client_ref": None,
            "key": None,
            "fingerprint": "f",
            "application": wish("a-known") if changes.get("action") is not Action.REMOVE else None,
        }
        return NewImport(**values | changes)

    def stage(self, total: int, order_size: int = 1000, refused: Sequence[RefusedRow] = (), **changes: Any) -> Staging:
        staging = begin(self.ledger, self.new(**changes))
        assert isinstance(staging, Staging)
        staging.add(placed(total, order_size), refused)
        return staging

    def accept(self, total: int, order_size: int = 1000, refused: Sequence[RefusedRow] = (), **changes: Any) -> str:
        """Accept an import of so many numbers and return its id."""
        staging = self.stage(total, order_size, refused, **changes)
        staging.seal()
        return staging.import_id

    def available(self, total: int, order_size: int = 1000, **changes: Any) -> str:
        """Accept an import whose orders the carrier has finished well."""
        import_id = self.accept(total, order_size, **changes)
        while self.rows(tables.work, task=Task.SUBMIT_ORDER, state=work.WAITING, import_id=import_id):
            self.end_well(self.accepted(self.run(Lane.DASHBOARD)))
        return import_id

    # A dispatcher.

    def pace(self, lane: Lane) -> Pace:
        return self.paces.get(lane, UNLIMITED)

    def paced(self, lane: Lane, rate: float, holding: int) -> None:
        """Limit a lane to so many calls a second; its bucket holds so many."""
        self.paces[lane] = Pace(rate, holding + rate * ON_THE_WAY)

    def claim(self, lane: Lane, room: int = 1000) -> Round:
        round_ = dispatch.claim(
            self.ledger, ACCOUNT, lane, self.pace(lane), room=room, seconds=SENT_SECONDS, served=self.served
        )
        for grant in round_.grants:
            self.served[grant.import_id or grant.application_ref] = float(next(self._serial))
        return round_

    def grant(self, lane: Lane) -> Grant:
        """The next claim that a lane gives."""
        (grant,) = self.claim(lane, room=1).grants
        return grant

    # A worker.

    def take(self, grant: Grant) -> Run | None:
        return work.take(self.ledger, grant.work, grant.serial, CLAIM_SECONDS)

    def run(self, lane: Lane) -> Run:
        """Claim and take the next work of a lane."""
        run = self.take(self.grant(lane))
        assert run is not None
        return run

    def accepted(self, run: Run, first_poll: float = 0) -> Run:
        """Send the order of a run, have it accepted and take the first look at it."""
        submitting.sending(self.ledger, run)
        submitting.accepted(self.ledger, run, f"carrier-{run.order_id}", "RECEIVED", first_poll)
        (mine,) = [self.take(grant) for grant in self.claim(Lane.DASHBOARD).grants if grant.order_id == run.order_id]
        assert mine is not None
        self.back_to_waiting()
        return mine

    def back_to_waiting(self) -> None:
        """Messages that nobody took are as good as never sent."""
        with self.ledger.write() as tx:
            unsent = sa.update(tables.work).where(tables.work.c.state == work.SENT)
            tx.run(unsent.values(state=work.WAITING, until=None, tokens=0))

    def end_well(self, run: Run) -> None:
        """The carrier has finished the order; every number is good."""
        order = orders.load(self.ledger, run)
        polling.ended(self.ledger, run, "COMPLETE", Fates(frozenset(order.numbers)))

    def record(self, run: Run, flush: Flush) -> bool:
        return numbers.record(self.ledger, run, self.pace(Lane(run.lane)), flush)

    def finish(self, run: Run) -> None:
        """Import (or release) everything that a run holds."""
        outcome = released if run.task == Task.RELEASE_NUMBERS else imported
        places = numbers.load(self.ledger, run).places
        self.record(run, Flush(settled=[outcome(place.pos) for place in places], first=run.last, last=True))

    def finish_all(self, lane: Lane = Lane.NUMBERS) -> None:
        """Work through a lane until nothing of it is due."""
        while grants := self.claim(lane).grants:
            for run in filter(None, map(self.take, grants)):
                self.finish(run)

    # Time, and a look inside.

    def passes(self, seconds: float) -> None:
        """Time passes: every stored time is that much longer ago."""
        with self.ledger.write() as tx:
            for aging in AGING:
                tx.run(aging, {"seconds": seconds})

    def reap(self) -> int:
        return reap.reap(self.ledger)

    def vanish(self, run: Run) -> None:
        """The process of a run is killed, and its claim runs out."""
        self.passes(CLAIM_SECONDS + 1)
        self.reap()
        assert not self.rows(tables.work, token=run.token)

    def rows(self, table: sa.Table, **where: Any) -> list[sa.Row[Any]]:
        with self.ledger.read() as tx:
            wanted = [table.c[name] == value for name, value in where.items()]
            return list(tx.run(sa.select(table).where(*wanted).order_by(*table.primary_key)).all())

    def in_doubt(self) -> None:
        """The account is new: no call has succeeded yet."""
        with self.ledger.write() as tx:
            tx.run(sa.update(tables.lanes).values(opened=False))

    def row(self, table: sa.Table, **where: Any) -> sa.Row[Any]:
        (row,) = self.rows(table, **where)
        return row

    def lane(self, lane: Lane) -> sa.Row[Any]:
        return self.row(tables.lanes, account=ACCOUNT, name=lane)

    def counts(self, import_id: str) -> dict[str, int]:
        """The counters that are not zero."""
        view = reads.import_view(self.ledger, import_id)
        assert view is not None
        return {name: number for name, number in view.counts.items() if number and name != "rows"}

    def state(self, import_id: str) -> str:
        view = reads.import_view(self.ledger, import_id)
        assert view is not None
        return view.state.value

    def kinds(self, import_id: str) -> list[str]:
        """What happened to an import, by its events."""
        return [event["kind"] for event in reads.events_of(self.ledger, import_id)]


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """Everybody who works on an account that calls have succeeded with before."""
    return opened_desk(ledger)


def opened_desk(ledger: Ledger) -> Desk:
    with ledger.write() as tx:
        for lane in Lane:
            tx.run(sa.insert(tables.lanes).values(account=ACCOUNT, name=lane, tokens=1, filled_at=tx.now, opened=True))
        sites.worked(tx, ACCOUNT, *SITE)
    return Desk(ledger)


@pytest.fixture
def balance(ledger: Ledger) -> Callable[[], None]:
    """Check all books now, as is done at the end of every test."""
    return lambda: check_everything(ledger)


@pytest.fixture
def fresh_desk(ledger: Ledger) -> Callable[[], Desk]:
    """Begin anew, as often as wanted: an empty ledger and everybody who works on it."""
    return lambda: opened_desk(emptied(ledger))
