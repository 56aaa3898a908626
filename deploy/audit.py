"""Audits the declared set: exits 1 when constraints.txt is not whole, or something in it is known to be vulnerable.

Offline it proves that every requirement is pinned with hashes, that no host is named, and that each declared
dependency is pinned at a version that it allows. The look-up of known vulnerabilities needs the registry's
advisory service; where that cannot be reached, the audit says so and exits 0.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>[^\n]*(?:\n[ \t]+--hash[^\n]*)*)",
    re.MULTILINE,
)
HOST = re.compile(r"(?i)https?://|--(?:extra-)?index.url|--find-links|--trusted-host")
LOOK_UP_SECONDS = 240


def main() -> int:
    """Print each problem on a line and return 1, or say what was audited and return 0."""
    pinned = (ROOT / "constraints.txt").read_text()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    problems = [*unpinned(pinned), *hosts(pinned), *uncovered(pinned, declared), *known_vulnerabilities()]
    for problem in problems:
        print(f"audit: {problem}", file=sys.stderr)
    if not problems:
        count = len(PIN.findall(pinned))
        print(f"audit: {count} pinned packages, each with hashes; no host is named; all of pyproject is covered")
    return 1 if problems else 0


def unpinned(pinned: str) -> Iterator[str]:
    """Lines that start a requirement without pinning it, and pins without a hash."""
    for line in pinned.splitlines():
        if line[:1].strip(" #") and not PIN.match(line):
            yield f"constraints.txt does not pin: {line}"
    for pin in PIN.finditer(pinned):
        if "--hash=sha256:" not in pin["rest"]:
            yield f"constraints.txt has no hash for {pin['name']}"


def hosts(pinned: str) -> Iterator[str]:
    """Lines that name a registry, which would bind every machine to it."""
    return (f"constraints.txt names a host: {line}" for line in pinned.splitlines() if HOST.search(line))


def uncovered(pinned: str, declared: dict[str, Any]) -> Iterator[str]:
    """Declared dependencies, of every extra, that are not pinned or are pinned at a version they forbid."""
    versions = {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(pinned)}
    for requirement in requirements(declared):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            yield f"pyproject.toml asks for {requirement}, constraints.txt has {version}: run `make lock`"


def requirements(declared: dict[str, Any]) -> Iterator[Requirement]:
    """Every requirement of the [project] table, those of the extras included."""
    tables = [declared["dependencies"], *declared["optional-dependencies"].values()]
    return (Requirement(line) for table in tables for line in table)


def known_vulnerabilities() -> Iterator[str]:
    """What the advisory service knows against the pinned set; says so when it could not be asked."""
    answer = look_up()
    if answer is None or not any("vulns" in package for package in answer):
        print("audit: known vulnerabilities could NOT be looked up: no advisory service answers from here")
        return
    skipped = [package["name"] for package in answer if "vulns" not in package]
    print(f"audit: {len(answer) - len(skipped)} packages looked up for known vulnerabilities")
    if skipped:
        print(f"audit: not known to the advisory service: {', '.join(skipped)}")
    for package in answer:
        for found in package.get("vulns", []):
            fixed = ", ".join(found["fix_versions"]) or "no release"
            yield f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"


def look_up() -> list[dict[str, Any]] | None:
    """pip-audit's answer, one entry a package, or None when it gave none in time."""
    options = "--requirement constraints.txt --disable-pip --require-hashes --timeout 5 --format json"
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *options.split()]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, capture_output=True, text=True, timeout=LOOK_UP_SECONDS, check=False
        )
        return list(json.loads(done.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None


if __name__ == "__main__":
    sys.exit(main())
