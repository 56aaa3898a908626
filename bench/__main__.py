"""Runs every benchmark, each in a process of its own, and leaves bench/results.json: `make bench`."""

import subprocess
import sys
from pathlib import Path

from bench.record import RESULTS

RECORDS = "from bench.record import record"
"""What makes a module of this folder a benchmark: it records a result."""


def main() -> int:
    """Return 1 if a benchmark could not be run; a missed goal is printed, and is for people to judge."""
    RESULTS.unlink(missing_ok=True)
    broken = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if RECORDS in path.read_text().splitlines():
            print(f"\n{path.stem}", flush=True)
            done = subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=False)
            broken += [path.stem] if done.returncode else []
    print(f"\ncould not be run: {', '.join(broken)}" if broken else f"\nwritten to {RESULTS.name}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
