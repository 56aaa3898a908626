"""The report of a run, as it is printed."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.torture.checkers import Evidence, cancelled, judge, parked
from tests.torture.run import Run
from tests.torture.schedule import Fault


def schedule(seed: int, faults: Sequence[Fault]) -> str:
    return "\n".join(
        [f"torture: seed {seed}, {len(faults)} faults; again with --torture-seed={seed}", *map(str, faults)]
    )


def summary(seed: int, run: Run, seen: Evidence) -> str:
    return "\n".join(_lines(seed, run, seen))


def _lines(seed: int, run: Run, seen: Evidence) -> Iterator[str]:
    numbers = sum(len(wish.numbers) for wish in seen.wishes.values())
    faults = f"{run.done.total()} faults, of which {run.bitten.total()} did something"
    yield f"torture: seed {seed}: {numbers} numbers in {len(seen.wishes)} imports, {faults}"
    yield "  faults      " + ", ".join(f"{kind} {run.bitten[kind]}/{count}" for kind, count in sorted(run.done.items()))
    refused = Counter(kind for wish in seen.wishes.values() for kind, _ in wish.refused)
    yield "  other rows  " + ", ".join(f"{kind} {count}" for kind, count in sorted(refused.items()))
    yield f"  overdue     {seen.overdue:.1f} s at most, while a dispatcher served"
    yield "  resumed     " + (", ".join(f"{code} {count}" for code, count in sorted(run.resumed.items())) or "nothing")
    yield f"  recovered   {run.recovered_after:.1f} s after the last fault; quiet after {run.quiet_after:.1f} s"
    yield f"  cancelled   {len(seen.cancelled)} imports, with {len(cancelled(seen))} numbers left undone"
    yield f"  messages    {seen.mail}"
    yield f"  parked      {len(parked(seen))} numbers that three runs left unanswered"
    for name, found in judge(seen).items():
        yield f"  {name:<13} {len(found)}" + "".join(f"\n      {one}" for one in found[:10])
