"""The formats that numbers come in, each read into the same items: input line, number as text, client_ref."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from tnimport.domain.reasons import reason_for
from tnimport.domain.telephone import Rejection
from tnimport.intake.body import MAX_BYTES, read_chunks
from tnimport.intake.columns import HEADINGS, Layout, layout_of
from tnimport.intake.problems import Refused, problem

# None instead of a text is a blank row; a Rejection is a row that could not be read as far as its number.
Item = tuple[int, str | Rejection | None, str | None]

_HEAD: Final = 200  # lines that decide on the layout of a CSV file


def csv_items(lines: Iterator[str], column: str | None, warnings: Counter[str]) -> Iterator[Item]:
    """Items of a CSV file by their physical line, its heading left out; Refused if it has no one number column."""
    head = list(islice(lines, _HEAD))
    if not head:
        return
    layout = _layout(head, column)
    warnings["column_guessed"] += layout.guessed
    records = csv.reader(chain(head, lines), delimiter=layout.delimiter, skipinitialspace=True, strict=True)
    try:
        for _ in range(layout.skip):
            next(records)
        before = records.line_num
        for cells in records:
            line, before = before + 1, records.line_num
            yield _csv_item(line, cells, layout.column, layout.ref_column)
    except csv.Error as error:
        raise Refused([problem("broken_csv", detail=f"{error}.", line=records.line_num)]) from error


def _layout(head: list[str], column: str | None) -> Layout:
    try:
        return layout_of(head, column)
    except csv.Error as error:
        raise Refused([problem("broken_csv", detail=f"{error}.")]) from error


def _csv_item(line: int, cells: Sequence[str], column: int, ref_column: int | None) -> Item:
    text = cells[column].strip() if column < len(cells) else ""
    if not text and not any(cell.strip() for cell in cells):
        return line, None, None
    ref = cells[ref_column].strip() if ref_column is not None and ref_column < len(cells) else None
    return line, text, ref or None


def text_items(lines: Iterator[str]) -> Iterator[Item]:
    """Items of plain text, one a line; a heading in the first line is left out."""
    for at, text in enumerate(map(str.strip, lines), 1):
        if at > 1 or text.casefold().replace(" ", "") not in HEADINGS:
            yield at, text or None, None


def ndjson_items(lines: Iterator[str]) -> Iterator[Item]:
    """Items of NDJSON, one JSON value a line: a string, an integer, or an object with `number`."""
    for at, text in enumerate(map(str.strip, lines), 1):
        yield value_item(at, _loads(text)) if text else (at, None, None)


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        reason = reason_for("unreadable_row")
        return Rejection(reason.code, reason.cause, reason.fix)


def value_items(values: Iterable[object]) -> Iterator[Item]:
    """Items of a list of JSON values, by their position from 1."""
    for at, value in enumerate(values, 1):
        yield (at, value.strip() or None, None) if isinstance(value, str) else value_item(at, value)


def value_item(line: int, value: object) -> Item:
    """One JSON value as an item: a string, a bare number, null (blank), or an object with `number`."""
    if isinstance(value, dict):
        ref = value.get("client_ref")
        _, text, _ = value_item(line, value.get("number", ""))
        return line, "" if text is None else text, None if ref is None else str(ref)
    if isinstance(value, str):
        return line, value.strip() or None, None
    if value is None or isinstance(value, Rejection):
        return line, value, None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return line, repr(value), None
    reason = reason_for("not_a_number")
    return line, Rejection(reason.code, f"A JSON {type(value).__name__} is no number.", reason.fix), None


def read_object(stream: BinaryIO, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object that a body is; Refused if it is none."""
    try:
        body = json.loads(b"".join(read_chunks(stream, max_bytes)))
    except (ValueError, RecursionError) as error:
        raise Refused([problem("unreadable_json", detail=_where(error))]) from error
    if not isinstance(body, dict):
        raise Refused([problem("unreadable_json", detail="The body is not a JSON object.")])
    return body


def _where(error: Exception) -> str | None:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    return None


def listed_numbers(body: dict[str, Any]) -> list[object]:
    """The list under `numbers`, taken out of the body; Refused if there is none."""
    if "numbers" not in body:
        raise Refused([problem("required", "/numbers")])
    numbers = body.pop("numbers")
    if not isinstance(numbers, list):
        raise Refused([problem("invalid_value", "/numbers", "It must be a list.")])
    return numbers


def consumed(values: list[object]) -> Iterator[object]:
    """The values one by one, letting go of each: a list of a million is gone when it has been read."""
    for at, value in enumerate(values):
        values[at] = None
        yield value
