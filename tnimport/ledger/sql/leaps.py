"""The different values that a column has, without reading every row: from one to the next, each found by an index.

One column at a time: SQLite compares pairs by reading all that are equal in the first place.
"""

import sqlalchemy as sa

Text = sa.Column[str]


def leaps(column: Text, *where: sa.ColumnElement[bool], each: Text | None = None) -> sa.CTE:
    """The values of a column of texts, none of them empty; and NULL after the last.

    Args:
        column: the column. An index begins with the columns that `where` holds to one value, `each`, and this one.
        where: what else is to be so.
        each: another column, for each value of which the values of this one are wanted.
    """

    def next_of(after: sa.ColumnElement[str], source: sa.CTE | None) -> sa.ScalarSelect[str]:
        same = () if source is None or each is None else (each == source.c[each.name],)
        return sa.select(column).where(*where, *same, column > after).order_by(column).limit(1).scalar_subquery()

    def with_(source: sa.CTE | None, after: sa.ColumnElement[str], last: str) -> sa.Select[str]:
        if source is None:
            return sa.select(next_of(after, None).label(column.name))
        kept = () if each is None else (source.c[each.name],)
        found = sa.select(*kept, next_of(after, source).label(column.name)).select_from(source)
        return found.where(source.c[last].is_not(None))

    outer = None if each is None else leaps(each, *where)
    first = with_(outer, sa.literal(""), "" if each is None else each.name)
    found = first.cte(f"each_{column.name}", recursive=True)
    return found.union_all(with_(found, found.c[column.name], column.name))
