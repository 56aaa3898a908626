"""Imports and numbers as they go over the wire, in JSON, CSV and NDJSON."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from tnimport.domain.instants import instant
from tnimport.domain.life import NumberState
from tnimport.domain.reasons import Reason, reason_for
from tnimport.ledger.reading.listing import NumberView
from tnimport.ledger.reading.reads import ImportView
from tnimport.web.imports.history import told
from tnimport.web.imports.waits import in_words

BATCH: Final = 500
AGAIN: Final = "Import the number again; it is no longer tried by itself."
# One column of numbers and no more, so that an export can be posted again as it is.
COLUMNS: Final = (
    "number",
    "line",
    "state",
    "stage",
    "code",
    "description",
    "fix",
    "retryable",
    "attempts",
    "number_id",
    "order_id",
    "order",
    "first_line",
    "updated_at",
)
_E164: Final = re.compile(r"\+1\d{10}")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_FREE_TEXT: Final = frozenset({"code", "description", "fix", "number_id", "order_id"})


def import_json(view: ImportView) -> dict[str, Any]:
    """An import as callers see it."""
    own = f"/v1/imports/{view.id}"
    return {
        "id": view.id,
        "state": view.state,
        "action": view.action,
        "account": view.account,
        "customer_order_id": view.customer_order_id,
        "client_ref": view.client_ref,
        "verify": view.verify,
        "counts": view.counts,
        "waiting_on": _wait_json(view.waiting_on),
        "eta": None if view.finished_at is not None else instant(view.eta),
        "created_at": instant(view.created_at),
        "finished_at": instant(view.finished_at),
        "held": view.held,
        "orders": [_timed(order) for order in view.orders],
        "links": {
            "self": own,
            "numbers": f"{own}/numbers",
            "pause": f"{own}/pause",
            "resume": f"{own}/resume",
            "cancel": f"{own}/cancel",
            "page": f"/imports/{view.id}",
        },
    }


def _wait_json(wait: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if wait is None else {**_timed(wait), "text": in_words(wait)}


def _timed(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: instant(value) if _is_time(name) else value for name, value in facts.items()}


def _is_time(name: str) -> bool:
    return name.endswith("_at") or name in {"at", "since", "until"}


def history_json(number: str, passages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Every import that named a number, with what became of it there and what happened."""
    return {
        "number": number,
        "imports": [
            {
                "import_id": passage["import_id"],
                "now": number_json(passage["number"]),
                "events": [_event_json(event) for event in passage["events"]],
            }
            for passage in passages
        ],
    }


def _event_json(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**_timed(event), "text": told(event)}


def number_json(view: NumberView) -> dict[str, Any]:
    """A row of an import as callers see it, with what the catalogue knows of its code."""
    reason = reason_for(view.code) if view.code else None
    return {
        "number": view.number,
        "line": view.line,
        "state": view.state,
        "stage": view.stage,
        "code": view.code,
        "description": view.description or (reason.cause if reason else None),
        "fix": _fix(view, reason) if reason else None,
        "retryable": reason.retryable if reason else None,
        "attempts": view.attempts,
        "number_id": view.number_id,
        "order_id": view.carrier_order_id,
        "order": view.order_id,
        "first_line": view.first_line,
        "updated_at": instant(view.updated_at),
    }


def _fix(view: NumberView, reason: Reason) -> str:
    """What a person does; the catalogue's word on a passing fault is for numbers that are still being tried."""
    return AGAIN if view.state == NumberState.FAILED and reason.kind == "transient" else reason.fix


def ndjson(views: Iterable[NumberView]) -> Iterator[bytes]:
    """One JSON object a line, some hundred lines a piece."""
    for some in _some(views):
        yield b"".join(json.dumps(number_json(view)).encode() + b"\n" for view in some)


def csv_text(views: Iterable[NumberView]) -> Iterator[bytes]:
    """CSV with a header, which can be posted again; no cell of free text can be taken for a formula."""
    yield _csv_lines([COLUMNS])
    for some in _some(views):
        yield _csv_lines(_cells(number_json(view)) for view in some)


def _some(views: Iterable[NumberView]) -> Iterator[list[NumberView]]:
    # A piece a row would cost a change of thread a row.
    rest = iter(views)
    while piece := list(islice(rest, BATCH)):
        yield piece


def _csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cells(row: dict[str, Any]) -> list[object]:
    number = row["number"]
    shown = number if _E164.fullmatch(number or "") else _harmless(number)
    return [shown, *[cell(row[name]) if cell else row[name] for name, cell in _CELLS]]


def _harmless(value: str | None) -> str | None:
    """Text that no spreadsheet runs as a formula; the apostrophe is what they show as text."""
    return f"'{value}" if value and value.startswith(_FORMULA) else value


def _truth(value: bool | None) -> str | None:  # noqa: FBT001 - a cell's value
    return None if value is None else str(value).lower()


def _how(column: str) -> Callable[[Any], str | None] | None:
    """What a cell of this column needs before it is written; most need nothing."""
    if column in _FREE_TEXT:
        return _harmless
    return _truth if column == "retryable" else None


# Worked out once: an export has a million rows of fourteen cells.
_CELLS: Final = [(name, _how(name)) for name in COLUMNS[1:]]


EXPORTERS: Final[dict[str, Callable[[Iterable[NumberView]], Iterator[bytes]]]] = {
    "text/csv": csv_text,
    "application/x-ndjson": ndjson,
}
