"""A stand for each run, on either database."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from sandbox.pytest_plugin import sandbox, sandbox_server  # noqa: F401 - fixtures
from sandbox.testing import RunningSandbox
from tests.servers.postgres import OPTIONS, running_postgres
from tests.tasks.conftest import UNLIMITED, access_to, ledger, migrated  # noqa: F401 - fixtures
from tests.torture.loop import Counting, Loop
from tests.torture.mail import Mail
from tests.torture.stand import Stand
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.domain.accounts import Account
from tnimport.ledger.engine import Ledger

SEEDS = {"short": (1,), "long": (11, 12, 13)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run of the short form; three of the long one on each database; or the seed that was asked for."""
    asked, length = (metafunc.config.getoption(name) for name in ("--torture-seed", "--torture"))
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", SEEDS[length] if asked is None else (asked,))
    if "bare_stand" in metafunc.fixturenames:
        metafunc.parametrize("bare_stand", ("sqlite",) if length == "short" else ("sqlite", "postgres"), indirect=True)


@pytest.fixture
def bare_stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """A stand on a database of its own; nothing of it runs yet."""
    if request.param == "sqlite":
        yield from _closing(Stand(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}"))
        return
    # What it has acknowledged must outlive its crash.
    with running_postgres(f"{OPTIONS} -c synchronous_commit=on") as server:
        yield from _closing(Stand(tmp_path, f"{server.url}postgres", server.restart))


@pytest.fixture
def mail(bare_stand: Stand) -> Iterator[Mail]:
    """Somebody who sends, writes and is told."""
    mail = Mail(bare_stand)
    yield mail
    mail.close()


@pytest.fixture
def stand(bare_stand: Stand, mail: Mail) -> Stand:
    """Everything at work, on a database of its own."""
    bare_stand.run()
    return bare_stand


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], torture: str) -> Callable[[str], None]:
    """Print; past pytest's own capture when the run is the long one."""

    def write(text: str) -> None:
        with capsys.disabled() if torture == "long" else nullcontext():
            sys.stdout.write(f"\n{text}\n")

    return write


def _closing(stand: Stand) -> Iterator[Stand]:
    try:
        yield stand
    finally:
        stand.close()


class Second(RunningSandbox):
    """The sandbox's other account."""

    account_id, username, password = "8888888", "roadRunner", "beepBeep!"
    user_id, token, secret = "u-2", "t-2", "s-2"
    site_id, sip_peer_id = "843", "403716"


@pytest.fixture
def counting() -> Iterator[Counting]:
    """The transport of both accounts."""
    transport = Counting()
    yield transport
    transport.close()


@pytest.fixture
def loop(ledger: Ledger, sandbox: RunningSandbox, counting: Counting) -> Loop:  # noqa: F811 - the fixtures imported above
    """The system in one thread, with two accounts at an empty sandbox and no limits."""
    sandbox.switch(order_delay=0)
    holders = {"default": sandbox, "second": Second(sandbox.url)}
    accounts = {name: (_account(name, holder), holder) for name, holder in holders.items()}
    accesses = {name: access_to(holder, account, counting) for name, (account, holder) in accounts.items()}
    return Loop(ledger, accesses, counting)


def _account(name: str, holder: RunningSandbox) -> Account:
    place = {"site_id": holder.site_id, "sip_peer_id": holder.sip_peer_id}
    return Account(name=name, account_id=holder.account_id, paces=UNLIMITED, order_size=100, order_settle=60, **place)


@pytest.fixture
def application(loop: Loop) -> str:
    """The id of an application of the first account."""
    spec = ApplicationSpec(name="ours", incoming_message_url="https://example.com/inbound")
    return loop.accesses["default"].catapult.create_application(spec, 5)
