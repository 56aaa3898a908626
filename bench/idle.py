"""(g) How soon each process starts, and what all of them cost while nothing is to be done."""

import time

from bench.record import record
from bench.stack import Stack, stack
from bench.telephones import size

NOBODY = "http://127.0.0.1:1"
"""A carrier that is never called: nothing is due."""
REST, WATCH = 3.0, size(120, 20)  # seconds: until what starting leaves behind is done; how long is looked
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
        with stack(NOBODY, database=database, more=("web", "flower"), in_turn=True) as made:
            used = idle(made)
            record_start(made, database)
        print({name: round(share, 2) for name, share in used.items()})
        record(f"idle_{database}", sum(used.values()), goal="<= 3", unit="% of a core", yardstick="one core")


def record_start(made: Stack, database: str) -> None:
    for name, seconds in made.start_seconds.items():
        what = f"start_{name.rstrip('0')}_{database}"
        alone = "the others, which are not starting"
        record(what, seconds, goal="<= 2", unit="s until ready", yardstick=alone)
        record(f"{what}_cpu", made.start_cpu[name], goal="<= 2", unit="s of CPU until ready", yardstick="one core")


if __name__ == "__main__":
    main()
