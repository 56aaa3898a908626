"""Keeps the parts of a round apart: one that fails rests for a while, longer each time, and the others go on."""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from time import monotonic
from traceback import extract_tb
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from tnimport.domain.backoff import retry_delay
from tnimport.ledger.sql.sessions import is_blocked
from workers.publisher import BrokerAway

BLOCKED_SECONDS: Final = 3.0
REST_MOST: Final = 10.0  # a reap that fails is tried again within the time in which a claim is to be taken back
CALLS_SHOWN: Final = 5
_RANDOM: Final = SystemRandom()
_log: Final = structlog.get_logger("dispatcher")


@dataclass(frozen=True)
class _Rest:
    until: float
    failures: int


class Apart:
    """Parts by name, each with its rest.

    A ledger or a broker that is away is nobody's fault, and raised: it meets every part alike.
    """

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}

    def run(self, part: str, act: Callable[[], float]) -> float:
        """Run a part unless it rests; returns after how many seconds to look again."""
        rest = self._rests.get(part)
        if rest is not None and rest.until > monotonic():
            return rest.until - monotonic()
        try:
            seconds = act()
        except BrokerAway:
            raise
        except OperationalError as error:
            if not is_blocked(error):
                raise
            _log.warning("locked_by_another", part=part)
            return self._rest(part, BLOCKED_SECONDS, self.failures(part))
        except Exception as error:  # noqa: BLE001 - one bad row, or one mistake of ours, must not stop every account
            # Its text may hold anything; where it was raised is ours.
            _log.error("part_failed", part=part, error=type(error).__name__, at=_place(error))
            failures = self.failures(part) + 1
            return self._rest(part, min(REST_MOST, retry_delay(failures, _RANDOM.random())), failures)
        self._rests.pop(part, None)
        return seconds

    def failures(self, part: str) -> int:
        """How often the part has failed since it last went well."""
        rest = self._rests.get(part)
        return 0 if rest is None else rest.failures

    def _rest(self, part: str, seconds: float, failures: int) -> float:
        self._rests[part] = _Rest(monotonic() + seconds, failures)
        return seconds


def _place(error: Exception) -> list[str]:
    frames = extract_tb(error.__traceback__)[-CALLS_SHOWN:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
