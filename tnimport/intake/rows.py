"""Reads the rows of a request, in whatever format they come: every row is a number, rejected, a duplicate or blank."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO, Final, Literal, NamedTuple, TypeVar

from tnimport.domain.telephone import Rejection, parse
from tnimport.intake.body import MAX_BYTES, read_chunks, read_lines
from tnimport.intake.formats import (
    Item,
    consumed,
    csv_items,
    listed_numbers,
    ndjson_items,
    read_object,
    text_items,
    value_items,
)
from tnimport.intake.problems import Problem, Refused, problem

RowKind = Literal["number", "rejected", "duplicate", "blank"]
JSON: Final = "application/json"
CSV: Final = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})
NDJSON: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
TEXT: Final = "text/plain"
_Thing = TypeVar("_Thing")
_Read = Callable[[Counter[str]], Iterator[_Thing]]  # from the beginning of a body; counts its warnings


class Row(NamedTuple):
    """One row of the input.

    `line` is the physical line where the row begins, for JSON its position in `numbers`; both from 1. `number` (ten
    digits) is set for kinds `number` and `duplicate`, `code`, `detail` and `fix` for `rejected`, `first_line` for
    `duplicate`. `text` is the number as it was given.
    """

    kind: RowKind
    line: int
    number: str | None = None
    text: str | None = None
    client_ref: str | None = None
    code: str | None = None
    detail: str | None = None
    fix: str | None = None
    first_line: int | None = None


class Rows(Iterable[Row]):
    """The rows of one request, to be gone through once.

    Making them and going through them may raise Refused when the text turns out not to be rows. `warnings` counts, by
    code of `reasons.WARNINGS`, what was seen so far.
    """

    def __init__(
        self, items: Iterable[Item], warnings: Counter[str] | None = None, max_rows: int | None = None
    ) -> None:
        self.warnings: Counter[str] = Counter() if warnings is None else warnings
        rows = _judged(items if max_rows is None else _at_most(max_rows, items), self.warnings)
        # The first row is read at once: what is wrong with the body as a whole comes to light there.
        self._rows = chain(list(islice(rows, 1)), rows)

    def __iter__(self) -> Iterator[Row]:
        """The rows that have not been asked for yet."""
        return self._rows


def read_rows(
    stream: BinaryIO,
    media_type: str,
    *,
    charset: str | None = None,
    column: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int | None = None,
) -> Rows:
    """The rows of a body of any supported media type, gzipped or not.

    Args:
        stream: the body, read in pieces while rows are asked for (JSON: whole, at once); with `max_rows` it is read
            twice.
        media_type: the Content-Type, with or without `; charset=`.
        charset: what the text is encoded in; a byte order mark counts more, and the default is a guess.
        column: for CSV, the heading or the position (from 1) of the column that holds the numbers.
        max_bytes: the most that the body may be when unpacked.
        max_rows: the most rows that one import may have.

    Raises:
        Refused: here or while rows are read: the body cannot be read as rows.
    """
    kind, _, parameters = media_type.partition(";")
    kind = kind.strip().lower()
    if kind == JSON:
        return Rows(value_items(consumed(listed_numbers(read_object(stream, max_bytes)))), max_rows=max_rows)
    if kind not in CSV | NDJSON | {TEXT}:
        raise Refused([problem("unsupported_media_type", detail=f"The media type is {kind[:60]!r}.")])

    def lines(warnings: Counter[str]) -> Iterator[str]:
        return read_lines(read_chunks(stream, max_bytes), charset or _charset(parameters), warnings)

    def items(warnings: Counter[str]) -> Iterator[Item]:
        if kind in CSV:
            return csv_items(lines(warnings), column, warnings)
        return (ndjson_items if kind in NDJSON else text_items)(lines(warnings))

    if max_rows is not None:
        _refuse_at_once(stream, lines, items, max_rows, row_a_line=kind not in CSV)
    warnings: Counter[str] = Counter()
    return Rows(items(warnings), warnings, max_rows)


def _refuse_at_once(stream: BinaryIO, lines: _Read[str], items: _Read[Item], most: int, *, row_a_line: bool) -> None:
    """Refuse a body with more rows before any of them is judged, which takes much longer than counting them."""

    def more_than(count: int, read: _Read[Any]) -> bool:
        found = next(islice(read(Counter()), count, None), None) is not None
        stream.seek(0)
        return found

    if not more_than(most, lines):
        return
    # A heading is no row, and a row of CSV may have several lines.
    if (row_a_line and more_than(most + 1, lines)) or more_than(most, items):
        raise Refused([too_many_rows(most)])


def too_many_rows(most: int) -> Problem:
    """That a list has more than so many rows."""
    return problem("too_many_rows", detail=f"The list has more than {most} rows.")


def _charset(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"') or None
    return None


def _at_most(most: int, items: Iterable[Item]) -> Iterator[Item]:
    for count, item in enumerate(items, 1):
        if count > most:
            raise Refused([too_many_rows(most)])
        yield item


def _judged(items: Iterable[Item], warnings: Counter[str]) -> Iterator[Row]:
    # Integers, since a million strings are twice as large; by area code, since one large dict doubles when it grows.
    first_lines: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for line, text, ref in items:
        if text is None:
            yield Row("blank", line)
            continue
        read = text if isinstance(text, Rejection) else parse(text)
        given = None if isinstance(text, Rejection) else text
        if isinstance(read, Rejection):
            yield Row("rejected", line, None, given, ref, read.code, read.detail, read.fix)
            continue
        first = first_lines[read.number[:3]].setdefault(int(read.number[3:]), line)
        if first != line:
            yield Row("duplicate", line, read.number, given, ref, None, None, None, first)
            continue
        if read.warnings:
            warnings.update(read.warnings)
        yield Row("number", line, read.number, given, ref)
