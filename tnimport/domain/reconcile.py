"""What a finished order means for each of its numbers.

The carrier's answer lists all numbers or only the good ones, and groups failures by code under `Errors`
(Bandwidth guide, step 2). In `Errors` = failed, wherever else it stands; listed and not in `Errors` = good; in neither
= unaccounted. An error that names no number concerns every number that no other error names, when the whole order
failed; else it concerns those that are not listed. An order that is PARTIAL though it lists all its numbers and blames
none of them contradicts itself: nobody can tell the good ones, and all are unaccounted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

FINISHED: Final = frozenset({"COMPLETE", "PARTIAL", "FAILED", "EXCEPTION"})
TOLD: Final = FINISHED - {"EXCEPTION"}  # what the carrier notifies subscribers of externalTns of
_UNEXPLAINED: Final = "order_failed"
WHOLE_FAILURES: Final = frozenset({"FAILED", "EXCEPTION"})


class Failure(Protocol):
    """One `Error` of an order."""

    @property
    def code(self) -> str:
        """The carrier's code."""

    @property
    def description(self) -> str:
        """The carrier's words."""

    @property
    def numbers(self) -> Sequence[str]:
        """The numbers it concerns; none when it concerns the whole order."""


@dataclass(frozen=True)
class Fates:
    """Where each number of an order stands; the three parts are disjoint and together the whole order."""

    good: frozenset[str]
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)
    unaccounted: frozenset[str] = frozenset()


def fates(ours: Iterable[str], status: str, listed: Iterable[str], errors: Sequence[Failure]) -> Fates:
    """Sort our numbers (10 digits) by the carrier's answer; one that is not ours has no fate."""
    mine = frozenset(ours)
    failed = {tn: _why(status, error) for error in errors for tn in error.numbers if tn in mine}
    rest = mine - failed.keys()
    if status in WHOLE_FAILURES:
        code, text = _whole(status, errors)
        return Fates(frozenset(), failed | dict.fromkeys(rest, (code, text)))
    good = rest & frozenset(listed)
    if status == "PARTIAL" and good == mine:
        return Fates(frozenset(), failed, mine)
    return Fates(good, failed, rest - good)


def _whole(status: str, errors: Sequence[Failure]) -> tuple[str, str]:
    """Why numbers failed that no error names: an error for the whole order, else the only error there is."""
    unnamed = [error for error in errors if not error.numbers]
    if unnamed or len(errors) == 1:
        return _why(status, (unnamed or errors)[0])
    return _UNEXPLAINED, _unexplained(status)


def _why(status: str, error: Failure) -> tuple[str, str]:
    return error.code or _UNEXPLAINED, error.description or ("" if error.code else _unexplained(status))


def _unexplained(status: str) -> str:
    return f"The order ended {status} and gave no reason for this number."
