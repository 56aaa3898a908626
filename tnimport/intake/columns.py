"""Finds out how a CSV file is laid out: its delimiter, its heading, and the column that holds the numbers.

`csv.Sniffer` is not asked: on columns of telephone numbers it chooses digits, blanks and dashes as delimiters.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tnimport.domain.telephone import Telephone, parse
from tnimport.intake.problems import Problem, Refused, problem

NO_DELIMITER: Final = "\x1f"  # a file of one column has none; this one occurs in no text
_DELIMITERS: Final = (",", ";", "\t", "|")
_SAME_WIDTH: Final = 0.9  # share of records that must agree on a delimiter
_NUMBERS: Final = 0.5  # share of cells that makes a column one of numbers
_WORDLESS: Final = 7  # a cell of so many digits is a (broken) number, never a heading
_SEP: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_DAMAGED: Final = frozenset({"digits_lost", "extension", "second_number"})
HEADINGS: Final = frozenset(
    {
        "phone",
        "phones",
        "phonenumber",
        "phonenumbers",
        "phoneno",
        "telephone",
        "telephonenumber",
        "telephonenumbers",
        "tel",
        "tn",
        "tns",
        "number",
        "numbers",
        "did",
        "dids",
        "didnumber",
        "msisdn",
        "mobile",
        "mobilenumber",
        "mobilephone",
        "cell",
        "cellphone",
        "e164",
    }
)

Record = list[str]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How to read a file: what separates its cells, how many records come before the data, where the numbers stand."""

    delimiter: str
    skip: int
    column: int
    ref_column: int | None
    guessed: bool


def layout_of(head: Sequence[str], column: str | None) -> Layout:
    """The layout that the first lines of a file show; `column` is a heading, or a position from 1.

    Raises:
        Refused: no column, or more than one, may hold the numbers.
    """
    if head and (told := _SEP.fullmatch(head[0])):
        return _layout(told.group(1), _records(head[1:], told.group(1)), column, before=1)
    delimiter = _delimiter(head)
    return _layout(delimiter, _records(head, delimiter), column, before=0)


def _layout(delimiter: str, records: list[Record], column: str | None, *, before: int) -> Layout:
    filled = [record for record in records if any(cell.strip() for cell in record)]
    heading = _heading(filled)
    data = filled[1:] if heading else filled
    chosen, guessed = _column(heading, data, column)
    names = [_plain(name) for name in heading]
    return Layout(
        delimiter=delimiter,
        skip=before + (records.index(filled[0]) + 1 if heading else 0),
        column=chosen,
        ref_column=names.index("clientref") if "clientref" in names else None,
        guessed=guessed,
    )


def _records(lines: Sequence[str], delimiter: str) -> list[Record]:
    return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))


def _delimiter(head: Sequence[str]) -> str:
    judged = [(score, delimiter) for delimiter in _DELIMITERS if (score := _score(_records(head, delimiter)))]
    return max(judged, key=lambda one: one[0])[1] if judged else NO_DELIMITER


def _score(records: list[Record]) -> tuple[bool, bool, float, int] | None:
    """How well a delimiter fits, or None: whether it bares a heading and numbers, how many records agree, how wide."""
    filled = [record for record in records if record]
    width, count = max(Counter(map(len, filled)).items(), key=lambda one: one[1], default=(0, 0))
    heads = bool(filled) and len(filled[0]) > 1 and _names_numbers(filled[0])
    if not heads and (width < 2 or count < _SAME_WIDTH * len(filled)):  # noqa: PLR2004 - two cells need a delimiter
        return None
    bares = any(_looks_like_number(cell) for record in filled for cell in record)
    return heads, bares, count / len(filled), width


def _names_numbers(record: Record) -> bool:
    return any(_plain(cell) in HEADINGS for cell in record)


def _heading(filled: list[Record]) -> Record:
    """The first record if it names the columns, else nothing."""
    if not filled:
        return []
    first = filled[0]
    if _names_numbers(first):
        return first
    if any(sum(map(str.isdigit, cell)) >= _WORDLESS for cell in first):
        return []
    return first if _number_columns(filled[1:]) else []


def _column(heading: Record, data: list[Record], wanted: str | None) -> tuple[int, bool]:
    """The column of the numbers, and whether it had to be guessed from what it holds."""
    width = max(map(len, [heading, *data]))
    if wanted is not None:
        return _wanted(heading, width, wanted), False
    named = [at for at, name in enumerate(heading) if _plain(name) in HEADINGS]
    holding = _number_columns(data)
    both = [at for at in named if at in holding]
    if len(holding) > 1 or (len(named) > 1 and len(both) != 1) or (named and holding and not both):
        raise Refused([_choose("several_number_columns", heading, sorted({*named, *holding}))])
    if found := both or named or holding:
        return found[0], not named and width > 1
    if width > 1:
        raise Refused([_choose("no_number_column", heading, range(len(heading)))])
    return 0, False


def _wanted(heading: Record, width: int, wanted: str) -> int:
    names = [_plain(name) for name in heading]
    if _plain(wanted) in names:
        return names.index(_plain(wanted))
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:6]) <= width:
        return int(wanted[:6]) - 1
    raise Refused([_choose("unknown_column", heading, range(len(heading)))])


def _choose(code: str, heading: Record, columns: Sequence[int]) -> Problem:
    seen = ", ".join(f"{at + 1} ({heading[at][:40]})" if at < len(heading) else str(at + 1) for at in columns)
    return problem(code, "/column", f"The columns are {seen}." if seen else None)


def _number_columns(data: list[Record]) -> list[int]:
    """The columns of numbers; one in which no number is whole, such as a time of day, only where there is no other."""
    held = {at: list(_cells(data, at)) for at in range(max(map(len, data), default=0))}
    likely = [at for at, cells in held.items() if _holds_numbers(cells)]
    return [at for at in likely if any(isinstance(parse(cell), Telephone) for cell in held[at])] or likely


def _holds_numbers(cells: list[str]) -> bool:
    return bool(cells) and sum(map(_looks_like_number, cells)) >= _NUMBERS * len(cells)


def _cells(data: list[Record], at: int) -> Iterator[str]:
    return (record[at] for record in data if at < len(record) and record[at].strip())


def _looks_like_number(cell: str) -> bool:
    read = parse(cell)
    return isinstance(read, Telephone) or read.code in _DAMAGED


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-#]+", "", name).casefold()
