"""A ledger, the sandbox and the steps in one process: work is granted, taken and run one piece at a time.

Nothing waits: what would be due later is made due by moving its time in the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import fakeredis
import kombu.transport.redis as kombu_redis
import pytest
import sqlalchemy as sa
from celery import Celery

from config.celery import celery_config
from config.settings import load
from sandbox.pytest_plugin import sandbox, sandbox_server  # noqa: F401 - fixtures
from sandbox.testing import RunningSandbox
from tasks.catalogue import STEPS, register_all
from tasks.intake import submit
from tasks.parts import Access, HandOn, Job, Parts
from tasks.results import Result
from tests.ledger.conftest import clock  # noqa: F401 - a fixture
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.credentials import CatapultCredentials, DashboardCredentials
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.transport import Transport
from tnimport.contract import Task
from tnimport.domain import pacing
from tnimport.domain.accounts import Account, Paces
from tnimport.domain.lanes import Lane, pace_of
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.claims import lanes as ledger_lanes
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping.reap import reap
from tnimport.ledger.imports import control
from tnimport.ledger.migrate import upgrade
from tnimport.ledger.reading import listing, reads
from tnimport.ledger.schema import lanes
from tnimport.ledger.schema import work as work_table
from tnimport.webhooks.sending import Sender
from workers.publisher import Publisher

UNLIMITED = Paces(
    dashboard_per_second=0,
    numbers_per_minute=0,
    messages_per_second=0,
    applications_per_second=0,
    lookups_per_second=0,
)
LONG_AGO = 1.0
CLAIM_SECONDS = 60.0
UNUSED_PORTS = count(1)


@dataclass
class World:
    """One account at the sandbox, its ledger, and hands that start one step at a time."""

    ledger: Ledger
    sandbox: RunningSandbox
    account: Account
    access: Access
    transport: Transport
    stopping: Event = field(default_factory=Event)
    http_timeout: float = 5.0
    told: list[str] = field(default_factory=list)
    sender: Sender | None = None
    hand_on: HandOn | None = None
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def parts(self) -> Parts:
        return Parts(
            ledger=self.ledger,
            accounts={self.account.name: self.access},
            claim_seconds=CLAIM_SECONDS,
            http_timeout=self.http_timeout,
            stopping=self.stopping,
            sender=self.sender,
            hand_on=self.hand_on,
        )

    def change(self, **account: Any) -> None:
        """Change the account's settings."""
        self.account = replace(self.account, **account)
        self.access = replace(self.access, account=self.account)

    def password(self, password: str) -> None:
        """Work with another Dashboard password."""
        self.access = access_to(self.sandbox, self.account, self.transport, password=password)

    def nobody_listens(self, port: int) -> None:
        """Work with addresses where nobody answers."""
        nowhere = RunningSandbox(f"http://127.0.0.1:{port}")
        self.access = access_to(nowhere, self.account, self.transport)

    def mended(self) -> None:
        """Work with the right addresses and password again, and resume every import."""
        self.access = access_to(self.sandbox, self.account, self.transport)
        for view in reads.imports_page(self.ledger)[0]:
            control.resume(self.ledger, view.id)

    def submit(self, *numbers: str, **options: Any) -> str:
        """Accept an import and return its id."""
        fields = {"numbers": list(numbers), "application": {"id": "a-given"}} | options
        accepted = submit(self.parts, fields, task_id=f"test-{next(self._serial)}")
        return str(accepted["import_id"])

    def waiting(self) -> list[sa.Row[Any]]:
        """The work that nobody holds."""
        with self.ledger.read() as tx:
            waiting = sa.select(work_table).where(work_table.c.state == work.WAITING)
            return list(tx.run(waiting.order_by(work_table.c.id)))

    def the_work(self) -> Any:
        """The one piece of work that waits."""
        (row,) = self.waiting()
        return row

    def in_how_long(self, task: Task) -> float:
        """Seconds until the one piece of work of this task is due."""
        (row,) = (row for row in self.waiting() if row.task == task)
        with self.ledger.read() as tx:
            return float(row.due_at - tx.now)

    def grant(self, task: Task) -> Grant:
        """Claim the next piece of work of this task, whenever it would have been due."""
        mine = [row for row in self.waiting() if row.task == task]
        assert mine, f"no {task} waits, only {[row.task for row in self.waiting()]}"
        with self.ledger.write() as tx:
            tx.run(sa.update(work_table).where(work_table.c.id == mine[0].id).values(due_at=LONG_AGO))
            tx.run(sa.update(lanes).values(paused_until=0, tokens=1000))
        lane = Lane(mine[0].lane)
        pace = pace_of(self.account.paces, lane)
        grants = dispatch.claim(
            self.ledger, self.account.name, lane, pace, room=100, seconds=CLAIM_SECONDS, served={}
        ).grants
        others = [grant for grant in grants if grant.task != task]
        dispatch.unsend(self.ledger, others, {self.account.name: self.account})
        granted = [grant for grant in grants if grant.task == task]
        assert granted, f"{task} waits and may not start"
        dispatch.unsend(self.ledger, granted[1:], {self.account.name: self.account})
        return granted[0]

    def take(self, grant: Grant) -> Run:
        """Take a claim as a worker would."""
        run = work.take(self.ledger, grant.work, grant.serial, CLAIM_SECONDS)
        assert run is not None
        return run

    def job(self, run: Run, deadline: float | None = None) -> Job:
        """What a step is handed for this run."""
        end = monotonic() + CLAIM_SECONDS if deadline is None else deadline
        return Job(parts=self.parts, run=run, access=self.access, deadline=end, progress=self.told.append)

    def run(self, task: Task) -> Result:
        """Do the next piece of work of this task."""
        return STEPS[task](self.job(self.take(self.grant(task))))

    def ends(self, run: Run) -> None:
        """The process of a run is gone, and its claim runs out."""
        self.earlier(work_table, "until", CLAIM_SECONDS + 1)
        reap(self.ledger)
        assert run.id in {row.id for row in self.waiting()}

    def available(self, *numbers: str, **options: Any) -> str:
        """Accept an import whose one order is through: its numbers can be imported."""
        import_id = self.submit(*numbers, **options)
        self.run(Task.SUBMIT_ORDER)
        self.run(Task.POLL_ORDER)
        return import_id

    def opened(self) -> None:
        """Let the account be out of doubt, so that a grant may hold many numbers."""
        with self.ledger.write() as tx:
            for lane in Lane:
                pace = pace_of(self.account.paces, lane)
                ledger_lanes.save(
                    tx,
                    self.account.name,
                    lane,
                    replace(ledger_lanes.lock(tx, self.account.name, lane, pace), opened=True),
                )

    def earlier(self, table: sa.Table, column: str, seconds: float) -> None:
        """Move a time that is already in the ledger into the past."""
        with self.ledger.write() as tx:
            tx.run(sa.update(table).values({column: table.c[column] - seconds}))

    def view(self, import_id: str) -> reads.ImportView:
        """The import as callers see it."""
        view = reads.import_view(self.ledger, import_id)
        assert view is not None
        return view

    def imports(self) -> list[str]:
        """The ids of all imports, the newest first."""
        return [view.id for view in reads.imports_page(self.ledger)[0]]

    def order(self, import_id: str) -> dict[str, Any]:
        """The one order of an import."""
        (order,) = self.view(import_id).orders
        return order

    def numbers(self, import_id: str) -> dict[str, listing.NumberView]:
        """The numbers of an import by their ten digits."""
        return {one.number[-10:]: one for one in listing.stream_numbers(self.ledger, import_id)}

    def fates(self, import_id: str) -> dict[str, tuple[str, str | None]]:
        """State and code of each number."""
        return {number: (one.state, one.code) for number, one in self.numbers(import_id).items()}

    def effects(self, number: str) -> dict[str, int]:
        """What the sandbox has done to a number."""
        return dict(self.sandbox.state("effects")["effects"].get(number, {}))

    def at_catapult(self) -> dict[str, dict[str, Any]]:
        """The resources of Catapult by ten digits."""
        held = self.sandbox.state("users")["users"][self.sandbox.user_id]["numbers"]
        return {one["number"][-10:]: one for one in held}


def access_to(
    carrier: RunningSandbox, account: Account, transport: Transport, *, password: str | None = None
) -> Access:
    dashboard = DashboardCredentials(
        account_id=carrier.account_id, username=carrier.username, password=password or carrier.password
    )
    catapult = CatapultCredentials(user_id=carrier.user_id, token=carrier.token, secret=carrier.secret)
    return Access(
        account=account,
        dashboard=Dashboard(carrier.dashboard_url, dashboard, transport),
        catapult=Catapult(carrier.catapult_url, catapult, dashboard, transport),
    )


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file as it is after the first migration; tests copy it."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    upgrade(ledger)
    ledger.close()  # the last connection writes everything into the one file
    return path


@pytest.fixture
def ledger(migrated: Path, tmp_path: Path) -> Iterator[Ledger]:
    """An empty SQLite ledger in a file of its own."""
    path = tmp_path / "ledger.db"
    path.write_bytes(migrated.read_bytes())
    ledger = Ledger(f"sqlite:///{path}")
    sa.event.listen(ledger.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close())
    yield ledger
    ledger.close()


@pytest.fixture
def world(ledger: Ledger, sandbox: RunningSandbox) -> Iterator[World]:  # noqa: F811 - the fixture imported above
    """One account at an empty sandbox, with an empty ledger and no limits."""
    account = Account(
        name="default",
        account_id=sandbox.account_id,
        site_id=sandbox.site_id,
        sip_peer_id=sandbox.sip_peer_id,
        paces=UNLIMITED,
    )
    transport = Transport()
    yield World(ledger, sandbox, account, access_to(sandbox, account, transport), transport)
    transport.close()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> fakeredis.FakeServer:
    """A Redis in memory that Celery's Redis transport talks to; `connected = False` is "Redis is down"."""
    server = fakeredis.FakeServer()

    class Connection(fakeredis.FakeRedisConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs | {"server": server})

    monkeypatch.setattr(kombu_redis.Channel, "connection_class", Connection)
    return server


@pytest.fixture
def celery_app(world: World, broker: fakeredis.FakeServer) -> Iterator[Celery]:
    """A Celery app with our configuration and tasks, on the Redis in memory."""
    app = Celery("test", set_as_current=False)
    # kombu keeps its pools by URL for the whole process: each test has a URL of its own.
    url = {"TNIMPORT_REDIS_URL": f"redis://127.0.0.1:{next(UNUSED_PORTS)}/0"}
    app.config_from_object(celery_config(load(url, accounts_needed=False)))
    register_all(app, lambda: world.parts)
    yield app
    app.close()


@pytest.fixture
def publisher(celery_app: Celery) -> Publisher:
    """The publisher of the dispatcher, on the Redis in memory."""
    return Publisher(celery_app)


@pytest.fixture
def redis_client(broker: fakeredis.FakeServer) -> fakeredis.FakeRedis:
    """What an operator would look into the Redis in memory with."""
    return fakeredis.FakeRedis(server=broker)


@pytest.fixture
def whole_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small imports go out whole, so that a run meets many numbers; how grants shrink is the domain's test."""
    monkeypatch.setattr(pacing, "GRANT_LEAST", pacing.GRANT_MOST)


@pytest.fixture
def application(world: World) -> str:
    """The id of an application of ours at the carrier."""
    spec = ApplicationSpec(name="ours", incoming_message_url="https://example.com/inbound")
    return world.access.catapult.create_application(spec, 5)


@pytest.fixture
def available(world: World, application: str):
    """Make an import whose numbers can go to Catapult."""

    def make(*numbers: str, **options: object) -> str:
        import_id = world.available(*numbers, **{"application": {"id": application}} | options)
        world.opened()
        return import_id

    return make
