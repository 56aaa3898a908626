"""What a check of the doctor says."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # it works; somebody should know
    FAULT = "fault"  # something does not work
    MISSET = "misset"  # settings, credentials or the account must be changed


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `fix` is a command or an instruction, for everything but `ok`."""

    area: str
    grade: Grade
    text: str
    fix: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return asdict(self)


def ok(area: str, text: str) -> Finding:
    """All is well."""
    return Finding(area, Grade.OK, text)


def warning(area: str, text: str, fix: str) -> Finding:
    """It works, and could be better."""
    return Finding(area, Grade.WARNING, text, fix)


def fault(area: str, text: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(area, Grade.FAULT, text, fix)


def misset(area: str, text: str, fix: str) -> Finding:
    """It cannot work as it is set."""
    return Finding(area, Grade.MISSET, text, fix)
