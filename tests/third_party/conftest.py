"""Installs the published clients into throw-away places and starts a sandbox for each program."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.testing import RunningSandbox, running_sandbox

PROGRAMS = Path(__file__).parent / "programs"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "third_party: runs published clients, needs a package registry")


@pytest.fixture
def fresh_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(order_delay=0.1, message_delay=0) as sandbox:
        sandbox.put_in_service([f"91955502{line:02}" for line in range(3)])
        yield sandbox


@pytest.fixture(scope="session")
def run_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], str]:
    def run(requirement: str, program: str, url: str) -> str:
        home = tmp_path_factory.mktemp("venv")
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", requirement], check=True)
        return _output([str(home / "bin" / "python"), str(PROGRAMS / program), url])

    return run


@pytest.fixture(scope="session")
def run_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], str]:
    def run(requirement: str, program: str, url: str) -> str:
        home = tmp_path_factory.mktemp("npm")
        (home / program).write_text((PROGRAMS / program).read_text())
        subprocess.run(["npm", "install", "--silent", "--no-save", requirement], cwd=home, check=True)
        return _output(["node", str(home / program), url])

    return run


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
