"""Makes records of rows."""

from typing import Any, TypeVar

import sqlalchemy as sa

Record = TypeVar("Record")


def values_of(row: sa.Row[Any]) -> dict[str, Any]:
    """What a row holds, by the names of its columns."""
    return dict(row._mapping)  # noqa: SLF001 - the documented way to a row's mapping


def record_of(kind: type[Record], row: sa.Row[Any], **others: Any) -> Record:  # noqa: ANN401 - fields of the record
    """A record whose fields are the row's columns; `others` are those that are none, or are read in another way."""
    return kind(**values_of(row) | others)
