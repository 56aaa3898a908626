"""(a) CPU and wall clock a number over the whole path, no limits, a carrier that answers at once.

The path: ledger, dispatcher, broker, worker, HTTP, everything durable. CPU is the sum of all our processes and Redis;
the yardstick, the bare loop, is taken before and after against the same carrier.
"""

import statistics
import sys
import time
from collections import Counter

from bench import bare
from bench.carrier import carrier
from bench.record import record
from bench.stack import stack
from bench.telephones import size

GOALS = {"sqlite": "<= 0.8", "postgres": "<= 1.0"}
NUMBERS = size(100_000, 20_000)
PARTS = 4
WARM = 1_000  # a first import: connections, caches and the opening of the account


def measure(database: str, numbers: int = NUMBERS) -> float:
    """Print where the CPU goes, record the ratio; returns milliseconds of our CPU a number."""
    part = numbers // PARTS
    used: Counter[str] = Counter()
    with carrier() as url, stack(url, database=database) as running:
        running.wait(running.submit(WARM))
        yardstick, wall = [bare.milliseconds(url)], 0.0
        for place in range(PARTS):  # in turns, so that a busy machine slows both alike
            import_id = running.submit(part, skip=WARM + place * part)
            before, began = running.cpu(), time.monotonic()
            view = running.wait(import_id)
            wall += time.monotonic() - began
            used.update({name: after - before[name] for name, after in running.cpu().items()})
            yardstick.append(bare.milliseconds(url))
            assert view.counts["imported"] == part, view.counts
    bare_ms = statistics.mean(yardstick)
    each = {name: seconds / (part * PARTS) * 1e3 for name, seconds in used.items()}
    ours = sum(ms for name, ms in each.items() if name != "database")
    told = ", ".join(f"{name} {ms:.3f}" for name, ms in each.items())
    spread = f"{bare_ms:.3f} ({min(yardstick):.3f} to {max(yardstick):.3f})"
    print(f"{database}: ms a number: {told}; ours {ours:.3f}, bare loop {spread}; {part * PARTS / wall:.0f}/s")
    yard = "a bare requests.Session.post loop"
    record(f"cpu_{database}", ours / bare_ms, goal=GOALS[database], unit="ratio", yardstick=yard)
    if "database" in each:
        whole = (ours + each["database"]) / bare_ms
        record(
            f"cpu_{database}_with_server",
            whole,
            goal="<= 1.5",
            unit="ratio",
            yardstick=f"{yard}; no goal of docs/performance.md",
        )
    return ours


if __name__ == "__main__":
    for kind in sys.argv[1:] or GOALS:
        measure(kind)
