"""A whole stack for a while, in a folder and on ports of its own: for the demonstration, tests and benchmarks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from config.local import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
STOP_SECONDS = 60
LOG = "stack.log"


class StackError(Exception):
    """The stack did not start or did not end well; its log in the folder tells more."""


@contextmanager
def running_stack(folder: Path, **settings: str) -> Iterator[Mapping[str, str]]:
    """Run a stack with the sandbox in that folder; yields the addresses of `web`, `flower` and `sandbox` once ready.

    Args:
        folder: where the run keeps its files, among them the log of all processes.
        settings: environment variables of this stack.

    Raises:
        StackError: it did not start, or did not end well when told to stop.
    """
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "workers.stack", "--folder", str(folder)],
            cwd=ROOT,
            env=own_environment() | settings,
            stdout=log,
            stderr=log,
        )
        try:
            yield wait_until_ready(folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
    if code:
        raise StackError(f"the stack ended with {code}")


def own_environment() -> dict[str, str]:
    """The environment of this process without settings of ours, and free ports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TNIMPORT_", "SANDBOX"))}
    return kept | {
        "SANDBOX_PORT": str(free_port()),
        "REDIS_PORT": str(free_port()),
        "TNIMPORT_WEB_BIND": f"127.0.0.1:{free_port()}",
        "TNIMPORT_FLOWER_BIND": f"127.0.0.1:{free_port()}",
    }


def wait_until_ready(folder: Path, process: "subprocess.Popen[bytes]") -> Mapping[str, str]:
    """Return the stack's addresses once its web process is ready and Flower answers."""
    deadline = time.monotonic() + START_SECONDS
    written = folder / "addresses.json"
    while time.monotonic() < deadline and process.poll() is None:
        if written.exists():
            addresses: dict[str, str] = json.loads(written.read_text())
            if answers(addresses["web"] + "/readyz") and answers(addresses["flower"] + "/healthcheck"):
                return addresses
        time.sleep(0.1)
    raise StackError("the stack did not start")


def answers(url: str) -> bool:
    """Whether that address of this machine answers 200."""
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - an address that the stack announced
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (URLError, OSError):
        return False
