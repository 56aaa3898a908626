"""What the counters of an import say together."""

from collections.abc import Mapping
from typing import Any

OPEN = ("requested", "ordered", "available", "released")
ENDED = ("imported", "verified", "removed", "present", "failed", "unaccounted", "cancelled")
ROWS_ONLY = ("rejected", "duplicate", "blank")
BUCKETS = (*OPEN, *ENDED, *ROWS_ONLY)
NOT_WORKING = ("failed", "unaccounted", "rejected")
# Codes of imported numbers that messages did not prove, where it was tried.
UNPROVEN = ("sent_nothing_arrived", "received_nothing", "neither_way_proven", "no_partner")


def rows(view: Mapping[str, Any]) -> int:
    """How many rows came in."""
    return int(view["counts"].get("rows", 0))


def done(view: Mapping[str, Any]) -> int:
    """How many rows have reached their end."""
    counts = view["counts"]
    return sum(int(counts.get(name, 0)) for name in (*ENDED, *ROWS_ONLY))


def total(view: Mapping[str, Any]) -> int:
    """The sum of all buckets; books that balance have it equal to `rows`."""
    return sum(count for _, count in filled(view))


def filled(view: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The buckets that hold something, in the order in which a number passes them."""
    counts: Mapping[str, int] = view["counts"]
    unknown = [name for name in counts if name not in BUCKETS and name != "rows"]
    return [(name, counts[name]) for name in (*BUCKETS, *unknown) if counts.get(name)]
