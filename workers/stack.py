"""The whole stack on one machine, as Procfile.dev lists it: `make up`.

Redis and the sandbox start first and stop last, so that workers end their calls and put their messages back.
Everything of a run lives in one folder; a second stack needs a folder of its own.
"""

import argparse
import ctypes
import fcntl
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from honcho import manager as honcho
from honcho.environ import parse_procfile

from config.local import embeds_redis, local_environment, wants_sandbox
from config.reading import PREFIX, SettingsProblem
from config.settings import load
from workers.configuration import EXIT_CONFIGURATION

ROOT = Path(__file__).resolve().parent.parent
FOUNDATIONS = {"redis": "REDIS_PORT", "sandbox": "SANDBOX_PORT"}
SHELL = "environment.sh"
PATIENCE = 60.0
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 40
"""A worker ends its running calls (30 s by default) before it goes; only then is it killed."""


def main() -> None:
    """Run until Ctrl-C, SIGTERM, or the end of any process; exits with that process's code."""
    parser = argparse.ArgumentParser(prog="python -m workers.stack", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where the run keeps its files")
    sys.exit(run(parser.parse_args().folder.resolve(), os.environ))


def run(folder: Path, environ: Mapping[str, str]) -> int:
    """Run the stack in that folder and return the code to exit with: 0 after a signal."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _asked_to_stop)
    made = local_environment(environ, folder)
    refuse_unusable(made)
    with ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        lines = commands(environ)
        for name, port in FOUNDATIONS.items():
            if name in lines:
                stack.enter_context(foundation(lines.pop(name), made))
                wait_for(int(made[port]))
        released = subprocess.run(shlex.split(lines.pop("release")), cwd=ROOT, env=made, check=False)  # noqa: S603 - our Procfile
        if released.returncode:
            # It has said what is wrong, for instance a ledger that cannot be reached.
            return released.returncode
        announce(folder, made, environ)
        return supervise(lines, made)


def refuse_unusable(environ: Mapping[str, str]) -> None:
    """End the process, with everything that is wrong with its settings, before anything has started."""
    try:
        load(environ)
    except SettingsProblem as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(EXIT_CONFIGURATION)


def commands(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what to run, by name: Procfile.dev, the release step of Procfile, without what is not wanted."""
    release = parse_procfile((ROOT / "Procfile").read_text()).processes["release"]
    lines = dict(parse_procfile((ROOT / "Procfile.dev").read_text()).processes, release=release)
    unwanted = {"redis": not embeds_redis(environ), "sandbox": not wants_sandbox(environ)}
    return {name: line for name, line in lines.items() if not unwanted.get(name)}


def supervise(lines: Mapping[str, str], environ: Mapping[str, str]) -> int:
    """Run these until one ends or a signal comes, then stop the others; return the code to exit with."""
    honcho.KILL_WAIT = STOP_SECONDS
    # honcho puts a process of its own between this one and each line; that one must not outlive this one either.
    os.register_at_fork(after_in_child=_die_with_parent)
    processes = honcho.Manager()
    for name, line in lines.items():
        processes.add_process(name, tethered(line), env=dict(environ), cwd=str(ROOT))
    processes.loop()
    asked = {entry["rc"] for entry in honcho.SIGNALS.values()}
    return 0 if processes.returncode in asked else int(processes.returncode or 0)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tethered(line: str) -> str:
    """The line as a shell command that leaves no shell behind, and ends when whoever started it is killed."""
    tether = "setpriv --pdeathsig TERM " if shutil.which("setpriv") else ""
    return f"exec {tether}{line}"


@contextmanager
def foundation(line: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Run one line in a session of its own, out of reach of Ctrl-C, and stop it at the end."""
    process = subprocess.Popen(tethered(line), shell=True, cwd=ROOT, env=dict(environ), start_new_session=True)  # noqa: S602 - a line of our Procfile, which is shell
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def alone_in(folder: Path) -> Iterator[IO[str]]:
    """Hold the folder for this stack; ends the process if another one has it."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another stack runs in {folder}: stop it, or give this one a --folder of its own")
        yield lock


def announce(folder: Path, environ: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Print where everything is, and leave it in the folder: for programs, and for a shell that wants to join in."""
    addresses = {
        "web": f"http://{environ['TNIMPORT_WEB_BIND']}",
        "flower": f"http://{environ['TNIMPORT_FLOWER_BIND']}",
        "sandbox": f"http://127.0.0.1:{environ['SANDBOX_PORT']}" if wants_sandbox(environ) else "",
    }
    shell = folder / SHELL
    shell.write_text(exports(environ, given) + f"export TNIMPORT_URL={shlex.quote(addresses['web'])}\n")
    places = {**addresses, "files": str(folder), "shell": f". {shell}"}
    lines = [f"{name:>8}  {place}" for name, place in places.items() if place]
    print("\n".join(lines), flush=True)  # noqa: T201 - this is what the person waits for
    unfinished = folder / ".addresses.json"
    unfinished.write_text(json.dumps(addresses))
    unfinished.rename(folder / "addresses.json")


def exports(environ: Mapping[str, str], given: Mapping[str, str]) -> str:
    """What the stack has set itself, as a shell reads it; what it was given stays where it is, secrets above all."""
    own = {name: value for name, value in environ.items() if name.startswith(PREFIX) and given.get(name) != value}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(own.items()))


def wait_for(port: int) -> None:
    """Return when something listens on that port of this machine; TimeoutError after a minute."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port}") from None
            time.sleep(0.05)
        else:
            return


def _asked_to_stop(number: int, _frame: FrameType | None) -> None:
    """Before the processes are supervised, a signal ends the start; what has started is stopped on the way out."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
