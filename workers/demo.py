"""The demonstration: the whole stack in a temporary folder, one import with failures at every stage, its report.

Exits 0 only if the import ended, every row is in exactly one bucket, and numbers both worked and failed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from config.local import free_port

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = ROOT / "deploy" / "demo" / "numbers.csv"
START_SECONDS = 60
IMPORT_SECONDS = 100
STOP_SECONDS = 60
ENDED_WITH_FAILURES = 8
"""What `tnimport import --wait` exits with when the import finished and some numbers failed, as here they must."""
EXPECTED = ("imported", "failed", "unaccounted", "present", "rejected", "duplicate", "blank")


class DemoError(Exception):
    """Something is not as it should be; the text says what."""


def main() -> int:
    """Run the demonstration and return what to exit with."""
    with tempfile.TemporaryDirectory(prefix="tnimport-demo-") as name:
        folder = Path(name)
        try:
            with running_stack(folder) as addresses:
                view = import_numbers(addresses)
                problems = judge(view)
                say(f"\nweb page  {addresses['web']}/imports/{view['id']}\nFlower    {addresses['flower']}/tasks")
        except DemoError as error:
            problems = [str(error)]
        for problem in problems:
            say(f"demo: {problem}")
        if problems:
            say((folder / "stack.log").read_text()[-8000:])
    say("The demo failed." if problems else "The books balance. Everything is stopped.")
    return 1 if problems else 0


@contextmanager
def running_stack(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a stack with ports of its own in that folder; yields its addresses once the web process is ready."""
    say("Starting Redis, both Bandwidth APIs in a box, web, worker, dispatcher and Flower …")
    with (folder / "stack.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "workers.stack", "--folder", str(folder)],
            cwd=ROOT,
            env=demo_environment(),
            stdout=log,
            stderr=log,
        )
        try:
            yield wait_until_ready(folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
    if code:
        raise DemoError(f"the stack ended with {code}")


def demo_environment() -> dict[str, str]:
    """The person's environment without settings of ours, on free ports, in orders of a few hundred numbers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TNIMPORT_")}
    return kept | {
        "SANDBOX": "1",
        "SANDBOX_PORT": str(free_port()),
        "REDIS_PORT": str(free_port()),
        "TNIMPORT_WEB_BIND": f"127.0.0.1:{free_port()}",
        "TNIMPORT_FLOWER_BIND": f"127.0.0.1:{free_port()}",
        "TNIMPORT_ORDER_SIZE": "250",
    }


def wait_until_ready(folder: Path, process: "subprocess.Popen[bytes]") -> Mapping[str, str]:
    """Return the stack's addresses once its web process answers /readyz."""
    deadline = time.monotonic() + START_SECONDS
    written = folder / "addresses.json"
    while time.monotonic() < deadline and process.poll() is None:
        if written.exists():
            addresses: dict[str, str] = json.loads(written.read_text())
            if answers(addresses["web"] + "/readyz") and answers(addresses["flower"] + "/healthcheck"):
                return addresses
        time.sleep(0.1)
    raise DemoError("the stack did not start")


def answers(url: str) -> bool:
    """Whether that address of this machine answers 200."""
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - an address that the stack announced
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (URLError, OSError):
        return False


def import_numbers(addresses: Mapping[str, str]) -> dict[str, object]:
    """Import the shipped numbers as a person would, with progress and report, and return the finished import."""
    callback = ["--application-name", "demo", "--application-incoming-message-url", "https://example.com/inbound"]
    waiting = ["--wait", "--timeout", str(IMPORT_SECONDS), "--client-ref", "demo"]
    command(addresses, "import", str(NUMBERS), *waiting, *callback)
    with urlopen(f"{addresses['web']}/v1/imports?client_ref=demo", timeout=10) as answer:  # noqa: S310 - as above
        found = json.load(answer)
    return dict(found["imports"][0])


def command(addresses: Mapping[str, str], *arguments: str) -> None:
    """Run `tnimport` against that stack; it must end as the demonstration's import has to."""
    tnimport = Path(sys.executable).with_name("tnimport")
    environment = os.environ | {"TNIMPORT_URL": addresses["web"]}
    code = subprocess.run([str(tnimport), *arguments], env=environment, check=False).returncode  # noqa: S603 - our own command
    if code != ENDED_WITH_FAILURES:
        raise DemoError(f"tnimport {arguments[0]} exited with {code}, not with {ENDED_WITH_FAILURES}")


def judge(view: Mapping[str, object]) -> list[str]:
    """Return what is not as it should be at the end of the demonstration's import."""
    counts = dict(view["counts"])  # type: ignore[call-overload]  # JSON
    rows = counts.pop("rows")
    shipped = len(NUMBERS.read_text().splitlines()) - 1
    problems = []
    if not sum(counts.values()) == rows == shipped:
        problems.append(f"the books do not balance: {sum(counts.values())} in buckets, {rows} rows, {shipped} shipped")
    if view["state"] != "partial":
        problems.append(f"the import is {view['state']}, not partial")
    problems += [f"no row is {bucket}" for bucket in EXPECTED if not counts.get(bucket)]
    return problems


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the demonstration speaks to a person


if __name__ == "__main__":
    sys.exit(main())
