"""A stand for each run, on either database."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.servers.postgres import OPTIONS, running_postgres
from tests.torture.stand import Stand

SEEDS = {"short": (1,), "long": (11, 12, 13)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run of the short form; three of the long one on each database; or the seed that was asked for."""
    asked, length = (metafunc.config.getoption(name) for name in ("--torture-seed", "--torture"))
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", SEEDS[length] if asked is None else (asked,))
    if "stand" in metafunc.fixturenames:
        metafunc.parametrize("stand", ("sqlite",) if length == "short" else ("sqlite", "postgres"), indirect=True)


@pytest.fixture
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Everything at work, on a database of its own."""
    if request.param == "sqlite":
        yield from _running(Stand(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}"))
        return
    # What it has acknowledged must outlive its crash.
    with running_postgres(f"{OPTIONS} -c synchronous_commit=on") as server:
        yield from _running(Stand(tmp_path, f"{server.url}postgres", server.restart))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], torture: str) -> Callable[[str], None]:
    """Print; past pytest's own capture when the run is the long one."""

    def write(text: str) -> None:
        with capsys.disabled() if torture == "long" else nullcontext():
            sys.stdout.write(f"\n{text}\n")

    return write


def _running(stand: Stand) -> Iterator[Stand]:
    try:
        stand.run()
        yield stand
    finally:
        stand.close()
