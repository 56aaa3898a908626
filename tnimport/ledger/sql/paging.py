"""Pages of rows from the newest to the oldest, by key: the last page costs what the first does."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa


def newest(
    query: sa.Select[Any], table: sa.Table, *, accounts: Collection[str] | None, after: str | None, limit: int
) -> sa.Select[Any]:
    """The rows of a page, and one more if there is one.

    Args:
        query: what is wanted of the table.
        table: the table, which has an id, an account and a time of creation.
        accounts: those whose rows are meant, None = all.
        after: the key that an earlier page gave.
        limit: most rows of a page.
    """
    if accounts is not None:
        query = query.where(table.c.account.in_(accounts))
    if after is not None:
        at, _, known = after.partition(":")
        query = query.where(sa.tuple_(table.c.created_at, table.c.id) < (float(at), known))
    return query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit + 1)


def cut(rows: Sequence[sa.Row[Any]], limit: int) -> tuple[Sequence[sa.Row[Any]], str | None]:
    """The rows of a page without the one more, and the key of the next page if there is one."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], f"{last.created_at!r}:{last.id}"
