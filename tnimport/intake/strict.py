"""A strict request: one row that is no number refuses the whole of it, with every such row named."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tnimport.intake.problems import Problem, problem
from tnimport.intake.rows import Row

MOST_PROBLEMS: Final = 100


@dataclass
class Strict:
    """Collects the rejected rows of a strict request; from the first one on nothing is worth storing."""

    count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def finds(self, chunk: Iterable[Row]) -> bool:
        """Whether there is a rejected row in the chunk, or was in one before."""
        for row in chunk:
            if row.kind == "rejected":
                self.count += 1
                self._note(row)
        return bool(self.count)

    def _note(self, row: Row) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem(row.code or "", "/numbers", row.detail, row.fix, row.line))
