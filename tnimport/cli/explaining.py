"""`tnimport failures`: which rows did not become working numbers, or were not proven to be, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tnimport.cli.options import json_option
from tnimport.cli.session import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tnimport.cli.api import Api

_COLUMNS = (("number", 14), ("line", 8), ("state", 12), ("stage", 12), ("code", 18), ("description", 0))


@click.command()
@click.argument("import_id", metavar="ID")
@click.option("--csv", "as_csv", is_flag=True, help="Every row as CSV.")
@click.option("--code", help="Only the rows that failed with this code.")
@json_option
def failures(import_id: str, *, as_csv: bool, as_json: bool, code: str | None) -> None:
    """List the rows of import ID that failed, are unaccounted for, were rejected, or were to be proven and are not."""
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    with session(as_json=as_json) as api:
        pieces = _csv(api, import_id, code) if as_csv else _told(api, import_id, code, as_json=as_json)
        for piece in pieces:
            click.echo(piece)


def _csv(api: Api, import_id: str, code: str | None) -> Iterator[bytes]:
    from tnimport.cli.causes import export_path, failing  # noqa: PLC0415 - --help needs none of it

    for position, (state, of_code) in enumerate(failing(code)):
        lines = api.lines(export_path(import_id, state, of_code), "text/csv")
        header = next(lines, b"")
        if position == 0:
            yield header.rstrip(b"\r")
        yield from (line.rstrip(b"\r") for line in lines)


def _told(api: Api, import_id: str, code: str | None, *, as_json: bool) -> Iterator[str]:
    from tnimport.cli.causes import failing, rows_not_working  # noqa: PLC0415 - --help needs none of it

    searches = failing(code)
    rows = (row for state, of_code in searches for row in rows_not_working(api, import_id, (state,), of_code))
    return _json_array(rows) if as_json else _table(rows)


def _json_array(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    import json  # noqa: PLC0415 - --help needs none of it

    # One document, written as it comes: a hundred thousand rows need no memory. It begins when the API has answered.
    before = "["
    for at, row in enumerate(rows):
        yield f"{before}," if at else before
        before = json.dumps(row)
    yield before
    yield "]"


def _table(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    from tnimport.cli.causes import gather  # noqa: PLC0415 - --help needs none of it

    seen: list[dict[str, Any]] = []
    for row in rows:
        if not seen:
            yield _line({name: name.upper() for name, _ in _COLUMNS})
        seen.append(row)
        yield _line(row)
    if not seen:
        yield "Nothing failed, nothing is unaccounted for, nothing was rejected, nothing was left unproven."
        return
    yield ""
    for cause in gather(iter(seen)):
        yield cause.headline
        if cause.fix:
            yield f"    fix: {cause.fix}"


def _line(row: Mapping[str, Any]) -> str:
    cells = (_cell(row.get(name)).ljust(width) for name, width in _COLUMNS)
    return " ".join(cells).rstrip()


def _cell(value: object) -> str:
    # A raw row may hold anything; control characters must not reach the terminal.
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "?" for sign in text)
