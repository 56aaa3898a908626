"""Which order each number of an import goes into.

One order holds one kind of number (carrier codes 5181, 5162) and at most `order_size` numbers. Account, site and SIP
peer are the same for a whole import, so a plan is made for one import; numbers are placed as they come.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tnimport.domain.telephone import is_toll_free

OrderKind = Literal["local", "toll_free"]
KINDS: Final[tuple[OrderKind, ...]] = ("local", "toll_free")


@dataclass(frozen=True)
class OpenOrder:
    """An order that still has room: its place in the import (from 0), its kind, and how many numbers it has."""

    seq: int
    kind: OrderKind
    count: int


def kind_of(number: str) -> OrderKind:
    """The kind of order that ten digits belong into."""
    return "toll_free" if is_toll_free(number) else "local"


class Planner:
    """Gives every number its order and position, remembering only the one open order of each kind.

    Orders are numbered from 0 in the order of their first number; positions in an order run from 0 without gaps. All
    orders but the last of each kind are full.
    """

    def __init__(self, order_size: int) -> None:
        if order_size < 1:
            raise ValueError("an order holds at least one number")
        self._size = order_size
        self._opened = 0
        self._seq: dict[OrderKind, int] = {}
        self._room_from: dict[OrderKind, int] = dict.fromkeys(KINDS, order_size)

    @property
    def orders(self) -> int:
        """How many orders have been opened so far."""
        return self._opened

    def place(self, number: str) -> tuple[int, int]:
        """The order (from 0) and the position in it (from 0) of the next number; position 0 opens a new order."""
        kind = kind_of(number)
        pos = self._room_from[kind]
        if pos == self._size:
            pos = 0
            self._seq[kind] = self._opened
            self._opened += 1
        self._room_from[kind] = pos + 1
        return self._seq[kind], pos

    def open_orders(self) -> Iterator[OpenOrder]:
        """The last order of each kind with the numbers it has; every other order is full."""
        for kind, seq in self._seq.items():
            yield OpenOrder(seq, kind, self._room_from[kind])
