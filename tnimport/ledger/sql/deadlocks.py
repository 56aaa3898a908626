"""Circles of waits, which the one order of locks (see `claims/lanes.py`) is there to prevent.

Where two transactions wait for each other all the same, PostgreSQL rolls one of them back: nothing of it was written,
and it is done again.
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

P = ParamSpec("P")
R = TypeVar("R")
TIMES: Final = 3
_BROKEN: Final = frozenset({"40P01", "40001"})  # PostgreSQL: deadlock detected, could not serialize


def retried_on_deadlock(move: Callable[P, R]) -> Callable[P, R]:
    """A move that is done again, three times in all, when the database broke a circle of waits with it.

    For moves whose every transaction is guarded or fenced, so that what was committed before is not done twice.
    """

    @wraps(move)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TIMES - 1):
            try:
                return move(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in _BROKEN:
                    raise
        return move(*args, **kwargs)

    return again
