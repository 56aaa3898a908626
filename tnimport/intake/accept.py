"""Takes a request into the ledger: all of it, or nothing."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tnimport.domain.planning import Planner, kind_of
from tnimport.intake.options import Application
from tnimport.intake.problems import Refused
from tnimport.intake.request import ImportRequest
from tnimport.intake.rows import Row
from tnimport.intake.strict import Strict
from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports.staging import (
    ApplicationWish,
    InProgress,
    KeyConflict,
    NewImport,
    Placed,
    RefusedRow,
    Staging,
    begin,
)

__all__ = ["Accepted", "InProgress", "KeyConflict", "accept"]

CHUNK: Final = 5_000  # rows in one transaction
_TEXT: Final = 200  # characters kept of a row that is no number


@dataclass(frozen=True)
class Accepted:
    """The import that the request made, or had made before."""

    import_id: str
    replayed: bool = False


def accept(
    ledger: Ledger, request: ImportRequest, rows: Iterable[Row], *, key: str | None, fingerprint: str
) -> Accepted:
    """Store the import and make its work due; the same key and fingerprint again give the same import.

    Args:
        ledger: where to.
        request: what to do.
        rows: the input, read as it is stored; when the request was accepted before, it is not read at all.
        key: the idempotency key, if the caller has one.
        fingerprint: what the request says, as `fingerprints` tells it.

    Raises:
        Refused: the rows cannot be read, or `strict` is set and some are rejected; nothing is stored.
        KeyConflict: the key was used for something else.
        InProgress: the same request is being accepted by somebody else.
    """
    staging = begin(ledger, _new_import(request, key, fingerprint))
    if isinstance(staging, str):
        return Accepted(staging, replayed=True)
    try:
        _stage(staging, request, iter(rows))
    except BaseException:
        staging.abandon()
        raise
    return Accepted(staging.import_id)


def _stage(staging: Staging, request: ImportRequest, rows: Iterator[Row]) -> None:
    planner = Planner(request.account.order_size)
    strict = Strict() if request.strict else None
    while chunk := list(islice(rows, CHUNK)):
        if strict is not None and strict.finds(chunk):
            continue
        placed = [_placed(planner, row) for row in chunk if row.kind == "number"]
        staging.add(placed, [_refused_row(row) for row in chunk if row.kind != "number"])
    if strict is not None and strict.count:
        raise Refused(strict.problems)
    staging.seal()


def _placed(planner: Planner, row: Row) -> Placed:
    number = row.number or ""
    seq, pos = planner.place(number)
    return Placed(seq, kind_of(number), pos, int(number), row.line)


def _refused_row(row: Row) -> RefusedRow:
    text = None if row.text is None else _storable(row.text[:_TEXT])
    return RefusedRow(
        line=row.line, kind=row.kind, text=text, code=row.code, description=row.detail, first_line=row.first_line
    )


def _storable(text: str) -> str:
    """The text without what a database cannot hold: NUL and halves of surrogate pairs, both of which JSON can name."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _new_import(request: ImportRequest, key: str | None, fingerprint: str) -> NewImport:
    return NewImport(
        account=request.account.name,
        action=request.action,
        site_id=request.site_id,
        sip_peer_id=request.sip_peer_id,
        customer_order_id=request.customer_order_id,
        client_ref=request.client_ref,
        key=key,
        fingerprint=fingerprint,
        application=_wish(request.application) if request.application else None,
        on_present=request.on_present,
        max_per_minute=request.max_per_minute,
        notify_url=request.notify_url,
        verify=request.verify,
        verify_count=request.verify_count,
    )


def _wish(application: Application) -> ApplicationWish:
    """Equal wishes have equal fingerprints, so that all their imports share one application."""
    spec = application.model_dump(exclude_none=True, exclude={"id"})
    told = json.dumps([application.id, spec], sort_keys=True)
    return ApplicationWish(
        application_id=application.id,
        name=application.name,
        url=application.incoming_message_url,
        spec=spec,
        fingerprint=hashlib.sha256(told.encode()).hexdigest(),
    )
