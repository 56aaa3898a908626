"""(h) How soon a stack that has nothing to do begins when something comes."""

import statistics
import sys
import time

from bench.carrier import calls, carrier
from bench.record import record
from bench.stack import stack
from bench.telephones import size

ROUNDS = size(50, 10)


def first_call(database: str) -> None:
    """From the commit that makes an import visible to its first call at the carrier."""
    taken = []
    with carrier() as url, stack(url, database=database) as running:
        running.wait(running.submit(10))
        for place in range(ROUNDS):
            known = len(calls(url)["orders"])
            import_id = running.submit(1, skip=100 + place)
            accepted = time.monotonic()
            while len(orders := calls(url)["orders"]) == known:
                time.sleep(0.002)
            taken.append((orders[-1]["at"] - accepted) * 1e3)
            running.wait(import_id)
            time.sleep(0.3)
    print(f"{database}: accepted to first call, ms: {sorted(round(one) for one in taken)}")
    goal, yardstick = "<= 250", "the commit that accepted it"
    record(f"first_call_{database}", statistics.median(taken), goal=goal, unit="ms", yardstick=yardstick)


if __name__ == "__main__":
    for kind in sys.argv[1:] or ("sqlite", "postgres"):
        first_call(kind)
