"""Which fault comes when: dealt from a seed, so that a run can be repeated from one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that goes wrong, seconds after the start of the run."""

    at: float
    kind: str
    argument: str

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.kind:<16} {self.argument}"


def deal(
    seed: int,
    kinds: Mapping[str, Sequence[str]],
    *,
    count: int,
    seconds: float,
    sure: Sequence[tuple[str, str]] = (),
) -> list[Fault]:
    """So many faults over so many seconds; no kind comes again before every other one has come.

    Args:
        seed: what the dice depend on, and nothing else.
        kinds: each kind of fault with the arguments that it may have.
        count: how many faults.
        seconds: how long the run is.
        sure: kinds and arguments that come in the first half of the first round, while there is much to be met.
    """
    dice = Random(seed)  # noqa: S311 - dice that must fall alike each time
    certain = list(sure)
    deck: list[tuple[str, str | None]] = []
    faults = []
    for index in range(count):
        if not deck:
            deck = [(kind, None) for kind in sorted(kinds.keys() - {kind for kind, _ in certain})]
            dice.shuffle(deck)
            while certain:
                deck.insert(dice.randrange(len(deck) // 2, len(deck) + 1), certain.pop())
        kind, argument = deck.pop()
        at = (index + dice.random()) * seconds / count
        faults.append(Fault(round(at, 2), kind, argument if argument is not None else dice.choice(list(kinds[kind]))))
    return faults
