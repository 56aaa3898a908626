"""How soon each process starts, and what all of them cost while nothing is to be done."""

import time

from bench.processes import cpu_seconds
from bench.record import record
from bench.stack import Stack, stack

NOBODY = "http://127.0.0.1:1"
"""A carrier that is never called: nothing is due."""
REST, WATCH = 3.0, 20.0  # seconds: until what starting leaves behind is done; how long is looked
KINDS = ("web", "dispatcher", "worker0")
ONE_CORE = 100.0


def idle(made: Stack) -> dict[str, float]:
    """Per cent of a core by process."""
    time.sleep(REST)
    before, began = made.cpu(), time.monotonic()
    time.sleep(WATCH)
    took = time.monotonic() - began
    return {name: ONE_CORE * (used - before[name]) / took for name, used in made.cpu().items()}


def main() -> None:
    for database in ("sqlite", "postgres"):
        with stack(NOBODY, database=database, more=("web",)) as made:
            started = {name: cpu_seconds([made.pids[name]]) for name in KINDS}
            used = idle(made)
        print({name: round(share, 2) for name, share in used.items()})
        ours = sum(used[name] for name in KINDS)
        record(f"idle_{database}", ours, goal="<= 3", unit="% of a core", yardstick="one core")
        if database == "sqlite":
            for name, seconds in started.items():
                what = f"start_{name.rstrip('0')}"
                record(what, seconds, goal="<= 2", unit="s of CPU until ready", yardstick="a core of its own")


if __name__ == "__main__":
    main()
