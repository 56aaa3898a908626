"""The final account of an import: every row in one bucket, and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tnimport.cli import counts, phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tnimport.cli.causes import Cause


def balances(view: Mapping[str, Any]) -> bool:
    """Whether the buckets add up to the rows that came in."""
    return counts.total(view) == counts.rows(view)


def report(view: Mapping[str, Any], causes: Sequence[Cause]) -> str:
    """The report as printed at the end of a watched import."""
    return "\n".join([*_head(view), "", *_table(view), *_reasons(view, causes)])


def _head(view: Mapping[str, Any]) -> Iterator[str]:
    began, ended = phrases.moment(view.get("created_at")), phrases.moment(view.get("finished_at"))
    took = f", took {phrases.duration((ended - began).total_seconds())}" if began and ended else ""
    yield f"Import {view['id']}: {view['state']}{took}"
    if view.get("customer_order_id"):
        yield f"{view.get('action', 'IMPORT')} {view['customer_order_id']} on account {view.get('account')}"


def _table(view: Mapping[str, Any]) -> Iterator[str]:
    for name, count in counts.filled(view):
        yield f"  {name:<12}{count:>12,}"
    verdict = "" if balances(view) else "   DOES NOT BALANCE: please report this import as a bug"
    yield f"  {'-' * 24}"
    yield f"  {'sum':<12}{counts.total(view):>12,} = {counts.rows(view):,} rows{verdict}"


def _reasons(view: Mapping[str, Any], causes: Sequence[Cause]) -> Iterator[str]:
    if not causes:
        return
    yield ""
    unproven = any(cause.stage == "verify" for cause in causes)
    yield "Not working, or not proven to, by stage and code:" if unproven else "Not working, by stage and code:"
    for cause in causes:
        yield f"  {cause.headline}"
        if cause.fix:
            yield f"      fix: {cause.fix}"
    yield f"All of them: tnimport failures {view['id']} --csv"
