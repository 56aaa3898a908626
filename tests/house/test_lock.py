"""What servers install, deploy/constraints.txt: a whole set that is the tested one, on every Python they may have."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
BUILD = {"setuptools"}  # the project itself is built on the server
# 3.11.2 is Debian 12's.
PYTHONS = ("3.11.0", "3.11.2", "3.11.9", "3.12.4", "3.13.5", "3.14.0")
Pins = Mapping[str, str]


def pins(path: Path) -> Pins:
    return {canonicalize_name(name): version for name, version in PIN.findall(path.read_text())}


@pytest.fixture(scope="module")
def servers(root: Path) -> Pins:
    return pins(root / "deploy" / "constraints.txt")


@pytest.fixture(scope="module")
def declared(root: Path) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"]]


def wanted_by(requirement: Requirement, python: str) -> Iterator[Requirement]:
    """What a requirement, with its extras, asks for in turn on Linux with this Python."""
    place = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for line in requires(requirement.name) or []:
        needed = Requirement(line)
        extras = {"", *requirement.extras}
        if needed.marker is None or any(needed.marker.evaluate(place | {"extra": extra}) for extra in extras):
            yield needed


def closure(roots: list[Requirement], python: str) -> dict[str, list[Requirement]]:
    """Every requirement that follows from these, by name."""
    found: dict[str, list[Requirement]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(roots)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        if (name, frozenset(requirement.extras)) not in seen:
            seen.add((name, frozenset(requirement.extras)))
            waiting += wanted_by(requirement, python)
    return found


def test_servers_run_what_was_tested(servers: Pins, root: Path) -> None:
    assert servers.items() <= pins(root / "constraints.txt").items()


@pytest.mark.parametrize("python", PYTHONS)
def test_nothing_is_left_to_resolve(python: str, servers: Pins, declared: list[Requirement]) -> None:
    needed = closure(declared, python)
    assert needed.keys() - servers.keys() == set()
    broken = [str(one) for name, asked in needed.items() for one in asked if servers[name] not in one.specifier]
    assert broken == []


def test_nothing_is_installed_that_no_server_needs(servers: Pins, declared: list[Requirement]) -> None:
    needed = {name for python in PYTHONS for name in closure(declared, python)}
    assert servers.keys() - needed == BUILD


def test_each_pin_has_its_hashes_and_no_host_is_named(root: Path) -> None:
    text = (root / "deploy" / "constraints.txt").read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert all("--hash=sha256:" in pin for pin in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if pin)


@pytest.mark.parametrize("place", ["Dockerfile", "docs/servers.md"])
def test_a_server_installs_the_lock_and_the_project_and_resolves_nothing(place: str, root: Path) -> None:
    installs = re.findall(r"pip install (.*)", (root / place).read_text())
    assert "--no-deps --require-hashes -r deploy/constraints.txt" in installs
    assert all(line.startswith("--no-deps ") for line in installs)


def test_the_image_is_built_from_what_docker_is_shown(root: Path) -> None:
    shown = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert {name.removeprefix("./") for line in copied for name in line.split()} <= shown
