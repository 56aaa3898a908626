"""Whose turn it is: imports of an account share a lane one grant at a time."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

Item = TypeVar("Item")
Owner = TypeVar("Owner", bound=Hashable)


def in_turn(
    items: Iterable[Item],
    owner: Callable[[Item], Owner],
    served: Mapping[Owner, float],
) -> Iterator[Item]:
    """Yield every item once, each owner's in its own order, owners one after the other.

    The owner served longest ago (or never) begins, so that over many short rounds everybody gets the same.
    """
    waiting: dict[Owner, list[Item]] = {}
    for item in items:
        waiting.setdefault(owner(item), []).append(item)
    order = sorted(waiting, key=lambda name: served.get(name, float("-inf")))
    rounds = max((len(queue) for queue in waiting.values()), default=0)
    for turn in range(rounds):
        yield from (waiting[name][turn] for name in order if turn < len(waiting[name]))
