"""(d) The share of the allowed rate that is used while work is pending, and the 429s, at a carrier that keeps limits.

The carrier is the sandbox with its limits on. Time is compressed by multiplying the rate, and with it the tokens that
come in while we measure, by a factor on both sides: 100/min with a burst of 800 runs as 600/min with the same burst.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bench.record import record
from bench.stack import ROOT, stack
from bench.telephones import FULL, size
from config.local import free_port
from sandbox.testing import RunningSandbox


class Case(NamedTuple):
    """A limit at the carrier, which is also what our settings say."""

    name: str
    per_minute: float
    burst: float
    workers: int
    seconds: float
    stood: float = 1.0  # what the carrier stands of it


FACTOR = 1 if FULL else 6
CASES = (
    Case("default", 100 * FACTOR, 800, 1, size(600, 15)),
    Case("5_a_second", 300, 5, 1, size(120, 15)),
    Case("5_a_second_3_workers", 300, 5, 3, size(120, 15)),
    Case("200_a_second", 12_000, 200, 1, size(60, 10)),
    Case("200_a_second_3_workers", 12_000, 200, 3, size(60, 10)),
    Case("learned", 600, 10, 1, size(300, 40), stood=0.5),
)


@contextmanager
def sandbox(case: Case) -> Iterator[RunningSandbox]:
    """The sandbox with the limit of the case; its other limits are those that our settings name, none."""
    limits = {
        "NUMBERS_PER_MINUTE": case.per_minute * case.stood,
        "NUMBERS_BURST": case.burst,
        "APPLICATIONS_PER_SECOND": 0,
    }
    own = {"PORT": free_port(), "ORDER_DELAY": 0.2}
    named = {f"SANDBOX_{name}": str(value) for name, value in (limits | own).items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox"], cwd=ROOT, env=os.environ | named, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        process.stdout.readline()
        yield RunningSandbox(f"http://127.0.0.1:{own['PORT']}")
    finally:
        process.terminate()
        process.wait(10)


def measure(case: Case) -> None:
    """Let the burst go by, then count what the carrier answers for a while."""
    settings = {"NUMBERS_PER_MINUTE": str(case.per_minute), "NUMBERS_BURST": str(case.burst)}
    rate = case.per_minute / 60
    wish = {"name": "bench", "incoming_message_url": "http://127.0.0.1:9/"}
    with sandbox(case) as carrier, stack(carrier.url, workers=case.workers, settings=settings) as running:
        import_id = running.submit(int(case.burst + rate * (case.seconds + 60)), application=wish)
        running.wait_until(import_id, lambda view: view.counts["imported"] > case.burst, 120)
        time.sleep(5)  # what came in during the burst is spent, too
        start, began = answers(carrier), time.monotonic()
        time.sleep(case.seconds)
        end, wall = answers(carrier), time.monotonic() - began
    used = (end["201"] - start["201"]) / (rate * case.stood * wall)
    print(f"{case.name}: {used:.4f} of {rate:.2f}/s over {wall:.0f} s, {end['429']} answers of 429")
    goals = (">= 0.98", "<= 0") if case.stood == 1 else (">= 0.85", "<= 20")  # to learn a limit is to meet it
    record(f"pace_{case.name}", used, goal=goals[0], unit="ratio", yardstick="the limit")
    record(f"refused_{case.name}", end["429"], goal=goals[1], unit="429s", yardstick="the calls of the run")


def answers(carrier: RunningSandbox) -> Counter[str]:
    """How many POST phoneNumbers were answered with which status."""
    return Counter(carrier.state("summary")["summary"]["answers"].get("catapult.numbers.create", {}))


if __name__ == "__main__":
    for one in CASES:
        if not sys.argv[1:] or one.name in sys.argv[1:]:
            measure(one)
