"""The real web application on a real socket over a real ledger."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import uvicorn

from tnimport.domain.accounts import Account
from tnimport.domain.life import Action
from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports.staging import NewImport, Placed, RefusedRow, Staging, begin
from tnimport.web.app import WebDeps, create_app

ACCOUNT = Account(name="default", account_id="9999999", site_id="743", sip_peer_id="303716", application_id="a-1")


class _Server(uvicorn.Server):
    """uvicorn in a thread, which says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@dataclass(eq=False)
class Web:
    """A client of the web application, and the ledger behind it."""

    url: str
    ledger: Ledger
    session: requests.Session

    def get(self, path: str, **options: object) -> requests.Response:
        return self.session.get(self.url + path, timeout=20, **options)

    def post(self, path: str, data: object = None, media: str | None = None, **options: object) -> requests.Response:
        headers = options.pop("headers", {}) | ({"Content-Type": media} if media else {})
        return self.session.post(self.url + path, data=data, headers=headers, timeout=20, **options)

    def submit(self, *numbers: str, **options: object) -> str:
        """Import these numbers and return the id."""
        body = json.dumps({"numbers": list(numbers), **options})
        answer = self.post("/v1/imports", body, "application/json")
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


Serve = Callable[..., Web]


@pytest.fixture(scope="session")
def told_to_stop() -> Iterator[list[threading.Thread]]:
    """Servers, which take a tenth of a second to end; they are waited for at the end of the session only."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def serve(told_to_stop: list[threading.Thread]) -> Iterator[Serve]:
    """Serve an app over a ledger until the test ends."""
    ends: list[Callable[[], None]] = []

    def _serve(ledger: Ledger, **options: object) -> Web:
        deps = WebDeps(**{"ledger": ledger, "accounts": {"default": ACCOUNT}} | options)
        config = uvicorn.Config(create_app(deps), port=0, log_level="error", ws="none")
        server = _Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.listens.wait(60)
        session = requests.Session()
        session.trust_env = False

        def end() -> None:
            session.close()
            server.should_exit = True
            told_to_stop.append(thread)

        ends.append(end)
        port = server.servers[0].sockets[0].getsockname()[1]
        return Web(f"http://127.0.0.1:{port}", ledger, session)

    yield _serve
    for end in ends:
        end()


@pytest.fixture
def ledger(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}")
    yield opened
    opened.close()


@pytest.fixture
def web(serve: Serve, ledger: Ledger) -> Web:
    return serve(ledger)


@pytest.fixture(name="any_web")
def _any_web(serve: Serve, migrated_url: str) -> Iterator[Web]:
    """The application once on each kind of database."""
    opened = Ledger(migrated_url)
    yield serve(opened)
    opened.close()


Seed = Callable[..., str]


@pytest.fixture
def seed() -> Seed:
    """Put an import straight into a ledger: some numbers and one row of each kind that became none."""

    def _seed(ledger: Ledger, count: int = 3, **fields: object) -> str:
        known = {"sip_peer_id": None, "customer_order_id": None, "client_ref": None, "key": None, "application": None}
        new = NewImport(
            **{"account": "default", "action": Action.IMPORT, "site_id": "743", "fingerprint": "f"} | known | fields
        )
        staging = begin(ledger, new)
        assert isinstance(staging, Staging)
        placed = [Placed(0, "local", at, 9195550000 + at, at + 1) for at in range(count)]
        staging.add(
            placed,
            [
                RefusedRow(line=count + 1, kind="rejected", text="=1+1", code="bad_length", description="no number"),
                RefusedRow(line=count + 2, kind="duplicate", text="9195550000", first_line=1),
                RefusedRow(line=count + 3, kind="blank"),
            ],
        )
        staging.seal()
        return staging.import_id

    return _seed
