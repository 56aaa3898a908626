"""What is wrong with a request: all of it at once, so that a caller corrects it once."""

from collections.abc import Iterable
from dataclasses import dataclass

from tnimport.domain.reasons import reason_for


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with a request.

    Attributes:
        pointer: JSON pointer of the field (`/application/name`), or "" for the body as a whole.
        code: a code of the catalogue.
        detail: what was seen; never a value that may be a secret.
        fix: what the caller does.
        line: the input line it concerns, from 1.
        header, parameter: the header or query parameter it concerns, where it is no field of a body.
    """

    pointer: str
    code: str
    detail: str
    fix: str
    line: int | None = None
    header: str | None = None
    parameter: str | None = None


def problem(
    code: str, pointer: str = "", detail: str | None = None, fix: str | None = None, line: int | None = None
) -> Problem:
    """A problem that says what the catalogue says wherever nothing more exact is known."""
    reason = reason_for(code)
    return Problem(pointer=pointer, code=code, detail=detail or reason.cause, fix=fix or reason.fix, line=line)


class Refused(Exception):
    """The request is refused whole and has changed nothing."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.pointer or 'body'}: {one.code}" for one in self.problems))
