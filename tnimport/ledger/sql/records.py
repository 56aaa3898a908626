"""Makes records of rows."""

from typing import Any, TypeVar

import sqlalchemy as sa

Record = TypeVar("Record")


def columns_of(table: sa.Table, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - what the columns hold
    """The values for columns of a table, to fill a statement in with.

    Raises:
        KeyError: one is no column; SQLAlchemy passes over a parameter that a statement does not know.
    """
    return {table.c[name].name: value for name, value in values.items()}


def values_of(row: sa.Row[Any]) -> dict[str, Any]:
    """What a row holds, by the names of its columns."""
    return dict(row._mapping)  # noqa: SLF001 - the documented way to a row's mapping


def record_of(kind: type[Record], row: sa.Row[Any], **others: Any) -> Record:  # noqa: ANN401 - fields of the record
    """A record whose fields are the row's columns; `others` are those that are none, or are read in another way."""
    return kind(**values_of(row) | others)
