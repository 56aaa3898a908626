"""(g, h) What a stack costs that has nothing to do, and how soon it begins when something comes."""

import statistics
import sys
import time

from bench.carrier import calls, carrier
from bench.record import record
from bench.stack import stack
from bench.telephones import size

IDLE_SECONDS = size(120, 20)
ROUNDS = size(50, 10)


def idle(database: str) -> None:
    """CPU of the whole stack, Flower and web included, as a share of one core."""
    with carrier() as url, stack(url, database=database, more=("web", "flower")) as running:
        time.sleep(3)
        before, began = running.cpu(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        wall, after = time.monotonic() - began, running.cpu()
    used = {name: (after[name] - before[name]) / wall * 100 for name in after}
    print(f"{database}: " + ", ".join(f"{name} {share:.2f} %" for name, share in used.items()))
    record(f"idle_{database}", sum(used.values()), goal="<= 3", unit="% of a core", yardstick="one core")


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
        idle(kind)
        first_call(kind)
