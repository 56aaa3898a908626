"""The two shapes of a request, made ready for `accept`: an object with numbers and options, or a body with a query."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from tnimport.domain.accounts import Account
from tnimport.intake import fingerprints
from tnimport.intake.body import MAX_BYTES
from tnimport.intake.formats import consumed, listed_numbers, read_object, value_items
from tnimport.intake.options import READING, from_query
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.intake.request import ImportRequest, request_from
from tnimport.intake.rows import JSON, Rows, read_rows


@dataclass(frozen=True)
class Submission:
    """A request that `accept` can take: what to do, with which rows, and what it said."""

    request: ImportRequest
    rows: Rows
    fingerprint: str


def from_object(
    fields: Mapping[str, Any], accounts: Mapping[str, Account], *, max_rows: int | None = None
) -> Submission:
    """The submission of `{"numbers": […], …options}`: a JSON body, or the keyword arguments of the task.

    The object is left as it is; Refused tells everything wrong with it.
    """
    request, numbers = _parts(dict(fields), accounts)
    return Submission(request, Rows(value_items(numbers), max_rows=max_rows), fingerprints.of_fields(fields))


def from_body(
    parameters: Mapping[str, str],
    media_type: str,
    body: BinaryIO,
    accounts: Mapping[str, Account],
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int | None = None,
) -> Submission:
    """The submission of an HTTP request; `body` can be wound back, and is gzipped or not.

    The options stand in a JSON body itself, for the other formats in the query.
    """
    fingerprint = fingerprints.of_body(parameters, media_type, body)
    if media_type.partition(";")[0].strip().lower() == JSON:
        misplaced = [problem("unknown_field", f"/{name[:60]}", fix="Put it into the JSON body.") for name in parameters]
        request, numbers = _parts(read_object(body, max_bytes), accounts, misplaced)
        return Submission(request, Rows(value_items(consumed(numbers)), max_rows=max_rows), fingerprint)
    problems: list[Problem] = []
    with _collecting(problems):
        request = request_from(from_query(parameters), accounts)
    with _collecting(problems):
        reading = {name: parameters.get(name) for name in READING}
        rows = read_rows(body, media_type, **reading, max_bytes=max_bytes, max_rows=max_rows)
    if problems:
        raise Refused(problems)
    return Submission(request, rows, fingerprint)


def _parts(
    fields: dict[str, Any], accounts: Mapping[str, Account], misplaced: Iterable[Problem] = ()
) -> tuple[ImportRequest, list[object]]:
    """The request and the list of numbers, or everything wrong with either."""
    problems = [*misplaced]
    with _collecting(problems):
        numbers = listed_numbers(fields)
    with _collecting(problems):
        request = request_from({name: value for name, value in fields.items() if name != "numbers"}, accounts)
    if problems:
        raise Refused(problems)
    return request, numbers


@contextmanager
def _collecting(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of a refusal to the list instead of ending at the first."""
    try:
        yield
    except Refused as refused:
        problems += refused.problems
