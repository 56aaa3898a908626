"""Waits for a ledger that is away with what the carrier has said, which it may not say a second time."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Final, TypeVar

from sqlalchemy.exc import OperationalError

LEDGER_AWAY: Final = 0.2
Value = TypeVar("Value")


def recorded(record: Callable[[], Value], deadline: float) -> Value:
    """Record it as soon as the ledger takes it, as long as the claim is ours: until the deadline (monotonic clock).

    A worker that is asked to stop waits as well: it ends when its tasks have.

    Raises:
        OperationalError: the ledger has stayed away until then.
    """
    while True:
        try:
            return record()
        except OperationalError:
            if monotonic() + LEDGER_AWAY >= deadline:
                raise
            sleep(LEDGER_AWAY)
