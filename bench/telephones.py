"""Telephone numbers to import, as many as wanted, all of them different."""

import os
from collections.abc import Iterator
from itertools import islice

FULL = os.environ.get("BENCH_FULL") == "1"
"""Whether the sizes are those of the goals, which takes an hour, or smaller ones for every day."""

_AREAS = ("201", "212", "303", "312", "404", "415", "512", "617", "702", "919")


def ten_digits(count: int) -> Iterator[str]:
    """So many numbers of ten digits that the North American plan allows."""
    return islice(_all(), count)


def _all() -> Iterator[str]:
    for exchange in range(220, 1000):
        if exchange % 100 != 11:  # N11 is no exchange
            for area in _AREAS:
                # The sandbox keeps the lines 0900 to 0999 for numbers that fail.
                yield from (f"{area}{exchange}{line:04}" for line in range(10_000) if line // 100 != 9)


def size(full: int, every_day: int) -> int:
    """The size of a benchmark: as the goal states it, or one that is soon through."""
    return full if FULL else every_day
