"""Runs the benchmarks, each in a process of its own: `make bench`, or `python -m bench NAME…` for some.

Results go to bench/results.json. `BENCH_FULL=1` takes the sizes of the goals (a million numbers), which takes an hour.
"""

import os
import subprocess
import sys
import time

from bench.record import RESULTS

BENCHMARKS = (
    "whole_path",
    "celery_group",
    "latency",
    "pace",
    "accepting",
    "growth",
    "idle",
    "waiting",
    "estimates",
    "polls",
    "inbound",
    "clients",
    "sandbox_rate",
)


def main() -> int:
    """Return 1 if a benchmark could not be run; a missed goal is printed, and is for people to judge."""
    unknown = set(sys.argv[1:]) - set(BENCHMARKS)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
        return 2
    if not sys.argv[1:]:
        RESULTS.unlink(missing_ok=True)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before we begin")
    broken = [name for name in sys.argv[1:] or BENCHMARKS if not ran(name)]
    print(f"\ncould not be run: {', '.join(broken)}" if broken else f"\nwritten to {RESULTS.name}")
    return 1 if broken else 0


def ran(name: str) -> bool:
    """Run one; whether it came to its end."""
    print(f"\n{name}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False)
    print(f"({time.monotonic() - began:.0f} s)", flush=True)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main())
