"""The demonstration: the whole stack in a temporary folder, one import with failures at every stage, its report.

Exits 0 only if the import ended, every row is in exactly one bucket, and numbers both worked and failed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from workers.temporary import LOG, ROOT, StackError, running_stack

NUMBERS = ROOT / "deploy" / "demo" / "numbers.csv"
IMPORT_SECONDS = 100
ENDED_WITH_FAILURES = 8
"""What `tnimport import --wait` exits with when the import finished and some numbers failed, as here they must."""
EXPECTED = ("imported", "failed", "unaccounted", "present", "rejected", "duplicate", "blank")
LAST_CHARACTERS = 8000


def main() -> int:
    """Run the demonstration and return what to exit with."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # on the way out, the stack is stopped
    with tempfile.TemporaryDirectory(prefix="tnimport-demo-") as name:
        folder = Path(name)
        say("Starting Redis, both Bandwidth APIs in a box, web, worker, dispatcher and Flower …")
        try:
            with running_stack(folder, TNIMPORT_ORDER_SIZE="250") as addresses:
                problems = demonstrate(addresses)
        except StackError as error:
            problems = [str(error)]
        for problem in problems:
            say(f"demo: {problem}")
        if problems:
            say((folder / LOG).read_text()[-LAST_CHARACTERS:])
    say("The demo failed." if problems else "The books balance. Everything is stopped.")
    return 1 if problems else 0


def demonstrate(addresses: Mapping[str, str]) -> list[str]:
    """Import the shipped numbers as a person would, with progress and report; return what is not as it should be."""
    say(f"While it runs: web page {addresses['web']}, Flower {addresses['flower']}/tasks\n")
    callback = ["--application-name", "demo", "--application-incoming-message-url", "https://example.com/inbound"]
    waiting = ["--wait", "--timeout", str(IMPORT_SECONDS), "--client-ref", "demo"]
    code = tnimport(addresses, "import", str(NUMBERS), *waiting, *callback)
    if code != ENDED_WITH_FAILURES:
        return [f"tnimport import exited with {code}, not with {ENDED_WITH_FAILURES}"]
    with urlopen(f"{addresses['web']}/v1/imports?client_ref=demo", timeout=10) as answer:  # noqa: S310 - ours
        view = json.load(answer)["imports"][0]
    say(f"\nIts page: {addresses['web']}/imports/{view['id']}")
    return judge(view, len(NUMBERS.read_text().splitlines()) - 1)


def tnimport(addresses: Mapping[str, str], *arguments: str) -> int:
    """Run the command line client against that stack and return what it exits with."""
    program = Path(sys.executable).with_name("tnimport")
    environment = os.environ | {"TNIMPORT_URL": addresses["web"]}
    return subprocess.run([str(program), *arguments], env=environment, check=False).returncode  # noqa: S603 - ours


def judge(view: Mapping[str, Any], shipped: int) -> list[str]:
    """Return what is not as it should be at the end of the demonstration's import of so many rows."""
    counts = dict(view["counts"])
    rows = counts.pop("rows")
    problems = []
    if not sum(counts.values()) == rows == shipped:
        problems.append(f"the books do not balance: {sum(counts.values())} in buckets, {rows} rows, {shipped} shipped")
    if view["state"] != "partial":
        problems.append(f"the import is {view['state']}, not partial")
    return problems + [f"no row is {bucket}" for bucket in EXPECTED if not counts.get(bucket)]


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the demonstration speaks to a person


if __name__ == "__main__":
    sys.exit(main())
