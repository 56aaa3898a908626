"""(e) Accepting rows: CPU, wall clock and peak memory a row, for a CSV body as it comes over HTTP.

Each size runs in a process of its own, so that its peak is its own. The yardstick is one core.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.record import record
from bench.telephones import FULL, ten_digits
from tnimport.domain.accounts import Account
from tnimport.intake.accept import accept
from tnimport.intake.request import request_from
from tnimport.intake.rows import read_rows
from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import upgrade

SIZES = (10_000, 100_000, 1_000_000)
EVERY_DAY = SIZES  # the million takes half a minute


def measure(count: int) -> None:
    """Accept so many rows in this process and print microseconds of CPU, seconds, and megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.csv"
        with path.open("w") as out:
            out.write("number\n")
            out.writelines(f"+1{number}\n" for number in ten_digits(count))
        ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        upgrade(ledger)
        account = Account(name="default", account_id="9999999", site_id="743")
        request = request_from({"application": {"id": "a-1"}}, {"default": account})
        cpu, wall = time.process_time(), time.monotonic()
        with path.open("rb", buffering=0) as body:
            rows = read_rows(body, "text/csv")
            accept(ledger, request, rows, key=None, fingerprint="bench")
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        ledger.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(cpu / count * 1e6, wall, peak)


def main() -> None:
    """Each size in a process of its own."""
    if sys.argv[1:]:
        measure(int(sys.argv[1]))
        return
    for count in SIZES if FULL else EVERY_DAY:
        line = [sys.executable, "-m", "bench.accepting", str(count)]
        told = subprocess.run(line, check=True, capture_output=True, text=True).stdout
        micros, wall, peak = map(float, told.split())
        print(f"{count:>9,} rows: {micros:.1f} µs of CPU a row, {wall:.1f} s, {peak:.0f} MB")
    record("accept_cpu", micros, goal="<= 15", unit="µs a row", yardstick="one core")
    record("accept_memory", peak, goal="<= 250", unit="MB", yardstick="the whole process, its code included")


if __name__ == "__main__":
    main()
