"""The blocks of code of every page, and a whole stack to run them against.

A block that is fenced as `sh run` or `python run` is run as it stands, in the order of its page; the others must parse.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import requests
from packaging.requirements import Requirement

from config.local import free_port
from workers.temporary import running_stack

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)( run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
COMMAND = re.compile(r"\s*(make|python|curl|export|pytest|sudo|systemctl|tnimport|docker|(\.venv|/opt/tnimport)/\S+) ?")


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    page: Path
    line: int
    language: str
    runnable: bool
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, and every indented one that begins with a command."""
    text = page.read_text()
    line = lambda place: text.count("\n", 0, place) + 1  # noqa: E731 - said once, used twice
    fenced = [Block(page, line(found.start()), found[1], bool(found[2]), found[3]) for found in FENCED.finditer(text)]
    rest = FENCED.sub(lambda found: "\n" * found[0].count("\n"), text)
    indented = [found for found in INDENTED.finditer(rest) if COMMAND.match(found[0])]
    return fenced + [Block(page, line(found.start()), "sh", runnable=False, text=found[0]) for found in indented]


ALL = [block for page in PAGES for block in blocks_of(page)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`block` is every block of every page; `shell_block` and `python_block` those of one language."""
    for fixture, languages in {"shell_block": {"sh", "bash"}, "python_block": {"python"}, "block": None}.items():
        if fixture in metafunc.fixturenames:
            wanted = [block for block in ALL if languages is None or block.language in languages]
            metafunc.parametrize(fixture, wanted, ids=str)


@pytest.fixture(scope="session")
def blocks() -> list[Block]:
    """Every block of every page."""
    return ALL


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@dataclass(frozen=True)
class Service:
    """The addresses of a running stack, and what a caller asks it."""

    web: str
    flower: str
    sandbox: str
    redis: str
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What the pages tell their reader to set; nothing of ours is on the path but the command line client."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            "PATH": path,
            "HOME": str(self.folder),
            "TNIMPORT_URL": self.web,
            "REDIS_URL": self.redis,
            "SANDBOX_URL": self.sandbox,
        }

    def json(self, path: str) -> Any:
        """The decoded answer of the HTTP API to GET."""
        return requests.get(self.web + path, timeout=20).json()

    def imports(self, client_ref: str) -> list[dict[str, Any]]:
        """The imports that were made with this reference: one or none."""
        return list(self.json(f"/v1/imports?client_ref={client_ref}")["imports"])


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A whole stack with the sandbox, for the session."""
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    with running_stack(folder, REDIS_PORT=str(port), TNIMPORT_POLL_FIRST="0.2", TNIMPORT_POLL_MAX="6") as found:
        yield Service(**found, redis=f"redis://127.0.0.1:{port}/0", folder=folder)


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of another service: Celery and Redis as installed here, what they need, and nothing of ours."""
    home = tmp_path_factory.mktemp("other") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    for name in needed("celery[redis]"):
        for file in distribution(name).files:
            top = packages / file.parts[0]
            if file.parts[0] not in {"..", "__pycache__"} and not top.exists():
                top.symlink_to(distribution(name).locate_file(file.parts[0]))
    return home / "bin" / "python"


def needed(requirement: str) -> set[str]:
    """The names of what a requirement installs, as what is installed here says."""
    known, left = set(), [Requirement(requirement)]
    while left:
        one = left.pop()
        known.add((one.name, frozenset(one.extras)))
        asked = [Requirement(text) for text in distribution(one.name).requires or ()]
        wanted = [need for need in asked if applies(need, one.extras)]
        left += [need for need in wanted if (need.name, frozenset(need.extras)) not in known]
    return {name for name, _ in known}


def applies(requirement: Requirement, extras: Collection[str]) -> bool:
    """Whether a requirement holds on this machine for whoever asked for these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


@pytest.fixture
def run(service: Service, other_python: Path, tmp_path: Path) -> Callable[[Block], str]:
    """Run a block as it stands, in an empty folder; returns what it prints."""

    def _run(block: Block) -> str:
        command = [str(other_python), "-"] if block.language == "python" else ["bash", "-euo", "pipefail", "-s"]
        done = subprocess.run(
            command,
            input=block.text,
            cwd=tmp_path,
            env=service.environ,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"{block}: {done.stdout}{done.stderr}"
        return done.stdout

    return _run
