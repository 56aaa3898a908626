"""(c) A carrier that takes its time: the rate that one worker process reaches against what its pool could at most."""

import re
import sys
import time

from bench.carrier import calls, carrier
from bench.record import record
from bench.stack import ROOT, stack
from bench.telephones import size

LATENCIES = (0.05, 0.1, 0.25)
SECONDS = size(60, 10)
GOAL = ">= 0.8"


def threads() -> int:
    """The pool size that the Procfile gives a worker."""
    found = re.search(r"^worker: .* -c (\d+)", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def measure(latency: float) -> None:
    """Measure the rate in the middle of an import that is larger than what can be done."""
    ideal = threads() / latency
    with carrier(latency) as url, stack(url) as running:
        running.wait(running.submit(100))
        import_id = running.submit(int(ideal * (SECONDS + 10)), skip=100)
        running.wait_until(import_id, lambda view: view.counts["imported"] > 2 * ideal, 120)
        before, began = calls(url)["numbers"], time.monotonic()
        cpu = running.cpu()
        time.sleep(SECONDS)
        done, wall = calls(url)["numbers"] - before, time.monotonic() - began
        used = {name: (after - cpu[name]) / wall for name, after in running.cpu().items()}
    print(f"{latency * 1e3:.0f} ms: {done / wall:.0f}/s of {ideal:.0f}/s with {threads()} threads; cores used: {used}")
    record(
        f"rate_at_{latency * 1e3:.0f}ms", done / wall / ideal, goal=GOAL, unit="ratio", yardstick="threads / latency"
    )


if __name__ == "__main__":
    for one in map(float, sys.argv[1:]) if sys.argv[1:] else LATENCIES:
        measure(one)
