"""What every test may ask for: real servers on free ports, fresh databases in them, and an empty environment.

Servers start at the first test that asks, one of each for each process of the run, and stop at its end.
pytest-socket refuses every address but loopback; names of other hosts are not looked up.
"""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from config import local

pytest_plugins = ["tests.servers.dealing", "tests.servers.redis", "tests.servers.postgres", "tests.servers.ledgers"]

# A run in the background of a script is started with Ctrl-C ignored, and so would be every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in [name for name in os.environ if name.startswith("TNIMPORT_")]:
    # Before any test and any process of ours starts: no setting of the person who runs the tests may reach them.
    del os.environ[_name]

# The gate asks the same questions each time and does not watch the clock; `HYPOTHESIS_PROFILE=search` asks new ones.
for _profile, _same in (("gate", True), ("search", False)):
    settings.register_profile(
        _profile,
        deadline=None,
        derandomize=_same,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
        **({"database": None} if _same else {}),
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

LOOPBACK = {"127.0.0.1", "::1", "localhost", "", None}
_look_up = socket.getaddrinfo


def _loopback_only(host: str | bytes | None, *arguments: object, **options: object) -> list[tuple]:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        raise AssertionError(f"a test looked up {name}: tests reach loopback only")
    return _look_up(host, *arguments, **options)


socket.getaddrinfo = _loopback_only


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture", choices=["short", "long"], default="short", help="how long the fault-injection run is"
    )
    parser.addoption("--torture-seed", type=int, help="repeat the fault-injection run of this seed only")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes get numbered ids: what they hold may differ from process to process, as a gzip's time does."""
    return argname if isinstance(val, bytes) else None


CHILD_COVERAGE = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(scope="session", autouse=True)
def child_coverage() -> Iterator[str | None]:
    """Processes are not measured unless a test asks for it: it doubles the suite's time, and what they do is tested
    in this process as well. Only the command line has no other tests than its real process."""
    kept = os.environ.pop(CHILD_COVERAGE, None)
    yield kept
    if kept is not None:
        os.environ[CHILD_COVERAGE] = kept


@pytest.fixture
def measured_children(child_coverage: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the processes of this test execute counts."""
    if child_coverage is not None:
        monkeypatch.setenv(CHILD_COVERAGE, child_coverage)


@pytest.fixture(scope="session")
def torture(request: pytest.FixtureRequest) -> str:
    """How long the fault-injection run shall be: short or long."""
    return str(request.config.getoption("--torture"))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a ledger file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once on each of the two kinds."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def free_port() -> int:
    """A port of loopback that nobody listens on."""
    return local.free_port()
