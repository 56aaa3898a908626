"""(l) How far off an estimate is: what the ledger foretells of an import's end, over its life, against when it ended.

Three imports of one account at once, behind a carrier whose orders take their time: at a pace with a burst, and without
any limit. The error is that of the time that was left.
"""

import statistics
import time
from collections import defaultdict

from bench.carrier import carrier
from bench.record import record
from bench.stack import Stack, stack
from bench.telephones import size
from config.settings import load
from tnimport.ledger.reading.reads import import_view

LARGE, SMALL = size(60_000, 9_000), size(10_000, 2_000)
CASES = {"at_a_pace": {"NUMBERS_PER_MINUTE": "12000", "NUMBERS_BURST": "800"}, "without_limits": {}}
EVERY = 0.5  # seconds between two looks
NEAR = 3.0  # what is left in the last seconds is too little to be right about


def watched(running: Stack, imports: list[str]) -> dict[str, list[tuple[float, float | None]]]:
    """What was foretold of each import and when, the end being the last entry."""
    accounts = load(running.environment).accounts
    paces = {name: held.account.paces for name, held in accounts.items()}
    told: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    open_ones = set(imports)
    while open_ones:
        time.sleep(EVERY)
        for import_id in sorted(open_ones):
            view = import_view(running.ledger, import_id, paces)
            assert view is not None
            told[import_id].append((view.finished_at or time.time(), view.eta))
            if view.finished_at is not None:
                open_ones.discard(import_id)
    return told


def errors(told: list[tuple[float, float | None]]) -> list[float]:
    """The error of each estimate as a share of the time that was left."""
    end = told[-1][0]
    return [abs(eta - end) / (end - at) for at, eta in told[:-1] if eta is not None and end - at > NEAR]


def main() -> None:
    """One case after the other."""
    for name, limits in CASES.items():
        with carrier(0.02, order_seconds=2.0) as url, stack(url, settings=limits) as running:
            imports = [
                running.submit(LARGE),
                running.submit(SMALL, skip=LARGE),
                running.submit(SMALL, skip=LARGE + SMALL),
            ]
            told = watched(running, imports)
        found = [error for one in told.values() for error in errors(one)]
        silent = sum(1 for one in told.values() for _, eta in one if eta is None)
        worst = statistics.quantiles(found, n=10)[-1]
        print(f"{name}: {len(found)} estimates, nine of ten within {worst:.2f}; {silent} times nothing was foretold")
        yardstick = "the time that was left"
        record(f"eta_error_{name}", statistics.median(found), goal="<= 0.25", unit="ratio", yardstick=yardstick)


if __name__ == "__main__":
    main()
