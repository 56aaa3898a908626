"""Whatever fails and whenever: nothing lost, nothing twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.torture import report
from tests.torture.checkers import judge
from tests.torture.faults import kinds, sure
from tests.torture.mail import Mail
from tests.torture.rows import wishes
from tests.torture.run import Run
from tests.torture.schedule import deal
from tests.torture.stand import Stand


@dataclass(frozen=True)
class Length:
    """How much is asked of one run."""

    numbers: int
    largest: int
    faults: int
    seconds: float
    hang: float  # of Redis, and of the lock on SQLite
    lock: float
    patience: float
    allowed: float  # seconds beyond a claim's time; the promise is 15, and the gate may be slow
    only: tuple[str, ...] = ()


LENGTHS = {
    "short": Length(
        *(300, 80, 13, 15.0, 2.0, 2.0, 180, 60),
        only=(
            *("kill-worker", "freeze-past-claim", "redis-told", "redis-hangs", "ledger", "doubled-messages"),
            *("refused", "cut-after", "error", "limited", "unauthorized", "pause", "cancel"),
        ),
    ),
    "long": Length(1800, 200, 44, 80.0, 8.0, 5.0, 150, 15),
}


def test_nothing_is_lost_and_nothing_is_done_twice(
    stand: Stand, mail: Mail, seed: int, torture: str, say: Callable[[str], None]
) -> None:
    length = LENGTHS[torture]
    every = kinds(redis_hang=length.hang, lock=length.lock)
    chosen = {name: every[name].arguments for name in length.only or every}
    lost = () if length.only else sure(seed)
    faults = deal(seed, chosen, count=length.faults, seconds=length.seconds, sure=lost)
    say(report.schedule(seed, faults))
    run = Run(stand, every, wishes(seed, total=length.numbers, most=length.largest), mail)
    run.go(faults, length.seconds, length.patience)
    seen = replace(run.evidence(), allowed=length.allowed)
    say(report.summary(seed, run, seen))
    assert not set(lost) - run.met, "these lost no answer, and prove nothing"
    assert {name: found for name, found in judge(seen).items() if found} == {}
