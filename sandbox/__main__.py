"""Runs the sandbox: `python -m sandbox`; ends on SIGTERM or Ctrl-C."""

import asyncio
import os
import signal
import sys

from sandbox.server import Server
from sandbox.settings import Settings, read_settings


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Server(settings) as server:
        sys.stdout.write(f"sandbox ready at {server.url} (Dashboard {server.url}/api, Catapult {server.url}/v1)\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Run until told to stop; 2 for settings that do not fit, 1 for an address that is taken."""
    try:
        settings = read_settings(os.environ)
    except ValueError as problem:
        sys.stderr.write(f"sandbox: {problem}\n")
        return 2
    try:
        asyncio.run(_run(settings))
    except OSError as problem:
        sys.stderr.write(f"sandbox: cannot listen on {settings.host}:{settings.port}: {problem.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
