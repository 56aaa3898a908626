"""Whose turn it is: imports of an account share a lane one grant at a time."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """Hands out items so that owners take turns; each owner's items keep their order.

    The owner served longest ago (or never) begins: over many short rounds everybody gets the same.
    """

    def __init__(
        self,
        items: Iterable[Item],
        owner: Callable[[Item], Hashable],
        served: Mapping[Hashable, float],
    ) -> None:
        self._owner = owner
        self._waiting: dict[Hashable, deque[Item]] = {}
        for item in items:
            self._waiting.setdefault(owner(item), deque()).append(item)
        never = float("-inf")
        self._turn = deque(sorted(self._waiting, key=lambda name: served.get(name, never)))

    def next(self) -> Item | None:
        """The next item of whose turn it is; None when nothing is left."""
        while self._turn:
            name = self._turn.popleft()
            if self._waiting[name]:
                self._turn.append(name)
                return self._waiting[name].popleft()
        return None

    def put_back(self, item: Item) -> None:
        """Return what is left of the item just handed out; its owner's next turn goes on with it."""
        self._waiting[self._owner(item)].appendleft(item)
