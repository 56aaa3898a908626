"""The two shapes of a request, made ready for `accept`: an object with numbers and options, or a body with a query."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from tnimport.domain.accounts import Account
from tnimport.intake import fingerprints
from tnimport.intake.body import MAX_BYTES
from tnimport.intake.formats import consumed, listed_numbers, read_object, value_items
from tnimport.intake.options import READING, from_query, read_options
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.intake.request import ImportRequest, request_from
from tnimport.intake.rows import JSON, Rows, read_rows, too_many_rows
from tnimport.intake.strict import Strict


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
    request, rows = _parts(dict(fields), accounts, max_rows, iter)
    return Submission(request, rows, fingerprints.of_fields(fields))


def from_body(
    parameters: Mapping[str, str],
    media_type: str,
    body: BinaryIO,
    accounts: Mapping[str, Account],
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int | None = None,
    wrong: Iterable[Problem] = (),
) -> Submission:
    """The submission of an HTTP request; `body` can be wound back, and is gzipped or not.

    The options stand in a JSON body itself, for the other formats in the query. `wrong` is what was found wrong before:
    the request is refused for it, and for whatever else is wrong.
    """
    fingerprint = fingerprints.of_body(parameters, media_type, body)
    problems = [*wrong]
    if media_type.partition(";")[0].strip().lower() == JSON:
        problems += [problem("unknown_field", f"/{name[:60]}", fix="Put it into the JSON body.") for name in parameters]
        request, rows = _parts(_object(body, max_bytes, problems), accounts, max_rows, consumed, problems)
        return Submission(request, rows, fingerprint)
    fields, found = from_query(parameters), None
    with _collecting(problems):
        request = request_from(fields, accounts)
    with _collecting(problems):
        reading = {name: parameters.get(name) for name in READING}
        found = read_rows(body, media_type, **reading, max_bytes=max_bytes, max_rows=max_rows)
    if problems or found is None:
        raise Refused([*problems, *_rejected(fields, found)])
    return Submission(request, found, fingerprint)


def _object(body: BinaryIO, max_bytes: int, problems: list[Problem]) -> dict[str, Any]:
    """The object that the body is; what is wrong already is told with that it is none."""
    try:
        return read_object(body, max_bytes)
    except Refused as refused:
        raise Refused([*problems, *refused.problems]) from refused


def _parts(
    fields: dict[str, Any],
    accounts: Mapping[str, Account],
    max_rows: int | None,
    taken: Callable[[list[object]], Iterator[object]],
    wrong: Iterable[Problem] = (),
) -> tuple[ImportRequest, Rows]:
    """The request and the rows, or everything wrong with either; `taken` goes through the list of numbers."""
    problems, rows = [*wrong], None
    with _collecting(problems):
        numbers = listed_numbers(fields)
        if max_rows is not None and len(numbers) > max_rows:
            raise Refused([too_many_rows(max_rows)])
        rows = Rows(value_items(taken(numbers)))
    options = {name: value for name, value in fields.items() if name != "numbers"}
    with _collecting(problems):
        request = request_from(options, accounts)
    if problems or rows is None:
        raise Refused([*problems, *_rejected(options, rows)])
    return request, rows


def _rejected(fields: Mapping[str, Any], rows: Rows | None) -> list[Problem]:
    """Of a request that is refused anyway: the rows that refuse it too, if it is strict and they can be read."""
    if rows is None or not read_options(fields)[0].strict:
        return []
    strict, unreadable = Strict(), list[Problem]()
    with _collecting(unreadable):
        strict.finds(rows)
    return [*strict.problems, *unreadable]


@contextmanager
def _collecting(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of a refusal to the list instead of ending at the first."""
    try:
        yield
    except Refused as refused:
        problems += refused.problems
