"""(a) CPU and wall clock a number over the whole path, no limits, a carrier that answers at once.

The path: ledger, dispatcher, broker, worker, HTTP, everything durable. CPU is the sum of all our processes and Redis;
the yardstick, the bare loop, is taken before and after against the same carrier.
"""

import statistics
import sys
import time

from bench import bare
from bench.carrier import carrier
from bench.record import record
from bench.stack import stack
from bench.telephones import size

GOALS = {"sqlite": "<= 0.8", "postgres": "<= 1.0"}
NUMBERS = size(100_000, 20_000)
WARM = 1_000  # a first import: connections, caches and the opening of the account


def measure(database: str, numbers: int = NUMBERS) -> float:
    """Print where the CPU goes, record the ratio; returns milliseconds of our CPU a number."""
    with carrier() as url, stack(url, database=database) as running:
        running.wait(running.submit(WARM))
        yardstick = [bare.milliseconds(url)]
        import_id = running.submit(numbers, skip=WARM)  # the dispatcher begins a moment before the clock does
        before, began = running.cpu(), time.monotonic()
        view = running.wait(import_id)
        wall, after = time.monotonic() - began, running.cpu()
        yardstick.append(bare.milliseconds(url))
        assert view.counts["imported"] == numbers, view.counts
    bare_ms = statistics.mean(yardstick)
    each = {name: (after[name] - before[name]) / numbers * 1e3 for name in after}
    ours = sum(ms for name, ms in each.items() if name != "database")
    told = ", ".join(f"{name} {ms:.3f}" for name, ms in each.items())
    print(f"{database}: ms a number: {told}; ours {ours:.3f}, bare loop {bare_ms:.3f} ({yardstick}); {numbers / wall:.0f}/s")
    record(f"cpu_{database}", ours / bare_ms, goal=GOALS[database], unit="ratio", yardstick="a bare requests.Session.post loop")
    return ours


if __name__ == "__main__":
    for kind in sys.argv[1:] or GOALS:
        measure(kind)
