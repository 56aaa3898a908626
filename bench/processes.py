"""CPU time and memory of processes, as Linux tells them in /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> set[int]:
    """The process and all that it has started, and those in turn."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                found |= family(int(child))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU that the processes and everything below them have used, those that ended included."""
    return sum(_cpu(one) for pid in pids for one in family(pid))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK  # own and of children that were waited for, user and system


def memory(pid: int) -> int:
    """Bytes of the process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
