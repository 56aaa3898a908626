"""Why rows did not become working numbers, gathered by stage and code."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tnimport.cli.counts import NOT_WORKING, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tnimport.cli.api import Api


@dataclass(frozen=True)
class Cause:
    """One reason shared by `count` rows."""

    stage: str
    code: str
    description: str
    fix: str | None
    count: int

    @property
    def headline(self) -> str:
        """`30 x order 7518: not active`."""
        return f"{self.count:,} x {self.stage} {self.code}: {self.description}"


def rows_not_working(
    api: Api,
    import_id: str,
    states: tuple[str, ...] = NOT_WORKING,
    code: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Every such row of the import as the API tells it, state by state, streamed."""
    for state in states:
        for line in api.lines(export_path(import_id, state, code), "application/x-ndjson"):
            yield json.loads(line)


def rows_to_explain(api: Api, view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every row that a report gives a reason for: those not working, and those that were to be proven and are not."""
    yield from rows_not_working(api, str(view["id"]))
    yield from rows_unproven(api, view)


def rows_unproven(api: Api, view: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every number that was to be proven by messages and was not."""
    if view.get("verify", "none") != "none":
        for code in UNPROVEN:
            yield from rows_not_working(api, str(view["id"]), ("imported",), code)


def failing(code: str | None = None) -> list[tuple[str, str | None]]:
    """State and code of all rows that have a reason, or of those with one code."""
    if code in UNPROVEN:
        return [("imported", code)]
    ended: list[tuple[str, str | None]] = [(state, code) for state in NOT_WORKING]
    return ended if code else [*ended, *(("imported", unproven) for unproven in UNPROVEN)]


def export_path(import_id: str, state: str, code: str | None = None) -> str:
    """The address of the rows in one state."""
    from urllib.parse import quote, urlencode  # noqa: PLC0415 - --help needs none of it

    query = {"state": state} | ({"code": code} if code else {})
    return f"/v1/imports/{quote(import_id, safe='')}/numbers?{urlencode(query)}"


def gather(rows: Iterator[dict[str, Any]]) -> list[Cause]:
    """The causes behind these rows, the most frequent first; in the words of a cause's first row, and said to be so."""
    tally: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    several: set[tuple[str, str]] = set()
    for row in rows:
        key = (row.get("stage") or row["state"], row.get("code") or row["state"])
        tally[key] += 1
        if row.get("description") != first.setdefault(key, row).get("description"):
            several.add(key)
    return [_cause(key, first[key], count, several=key in several) for key, count in tally.most_common()]


def _cause(key: tuple[str, str], row: Mapping[str, Any], count: int, *, several: bool) -> Cause:
    words = row.get("description") or "no description"
    return Cause(key[0], key[1], f"for instance: {words}" if several else words, row.get("fix"), count)
