"""The one exception by which a command ends early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tnimport.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Failure(Exception):
    """Ends the command: `message` goes to standard error as it is, `exit_code` to the caller.

    With `as_json` the same goes to standard output as one JSON object: the problem document of the API if there is one.
    """

    message: str
    exit_code: Exit
    problem: Mapping[str, Any] = field(default_factory=dict)
    as_json: bool = False

    def document(self) -> dict[str, Any]:
        """What a program reads in the place of a result."""
        title, _, _ = self.message.partition("\n")
        return dict(self.problem) or {"title": title, "detail": self.message}
