"""Keeps a worker on one CPU.

The threads of a worker take turns whatever we do, for Python lets one run at a time. On several CPUs each turn is a
wake-up on another one, which costs more than the work: twice the CPU time for half the rate, as measured
(docs/performance.md). On one CPU a thread that waits for a socket goes on where it was.
"""

import os
import random
import socket
import sys
from contextlib import suppress


class Pin:
    """One CPU that no other of these workers has chosen on this machine (or container), as long as there are enough."""

    def __init__(self, workers: str = "tnimport") -> None:
        self._workers = workers
        self._held: socket.socket | None = None

    def stay(self) -> int | None:
        """Keep this process and every thread it starts from now on where it is; the CPU, or None where that cannot be.

        With as many workers as CPUs or more, some share one; with a single CPU there is nothing to choose.
        """
        if sys.platform != "linux":
            return None
        allowed = list(os.sched_getaffinity(0))
        if len(allowed) == 1:
            return None
        random.shuffle(allowed)
        chosen = next((cpu for cpu in allowed if self._hold(cpu)), allowed[0])
        try:
            os.sched_setaffinity(0, {chosen})
        except OSError:  # where a sandbox forbids it, or the CPU has just been taken from us
            return None
        return chosen

    def _hold(self, cpu: int) -> bool:
        """Claim it by a name in the kernel, which is gone with the process however that ends."""
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(OSError):
            name.bind(f"\0{self._workers}/cpu/{cpu}")
            self._held = name
            return True
        name.close()
        return False
