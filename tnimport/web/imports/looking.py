"""Reading imports and their numbers."""

import json
import time
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tnimport.domain.telephone import Telephone, parse, to_e164
from tnimport.intake import keys
from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading import listing, reads
from tnimport.ledger.reading.reads import ImportView
from tnimport.web.deps import Deps, WebDeps
from tnimport.web.imports.rendering import EXPORTERS, history_json, import_json, number_json
from tnimport.web.wire import tokens
from tnimport.web.wire.media import JSON, wanted
from tnimport.web.wire.parameters import (
    LARGEST_LIST,
    LARGEST_PAGE,
    ImportId,
    ImportsAsked,
    NumbersAsked,
    NumbersQuery,
    known_form,
)
from tnimport.web.wire.problems import ProblemError, not_found
from tnimport.web.wire.schemas import History, Import, ImportsPage, NumbersPage, answers

router = APIRouter(prefix="/v1", tags=["imports"])
YOUNG, OLD = 120.0, 3600.0  # seconds


@router.get("/imports", responses=answers(ImportsPage, 400, 422))
def list_imports(deps: Deps, asked: ImportsAsked) -> JSONResponse:
    """The imports, the newest first; with client_ref what was made with it, and why a later request was refused."""
    found, after = reads.imports_page(
        deps.ledger,
        client_ref=asked.client_ref,
        accounts=deps.visible,
        after=asked.after,
        limit=min(asked.page_size, LARGEST_LIST),
        paces=deps.paces,
    )
    page: dict[str, Any] = {
        "imports": [import_json(view) for view in found],
        "next_page_token": tokens.token_of(after, asked.filters),
    }
    if asked.client_ref is not None:
        page["refusal"] = _refusal(deps, asked.client_ref, found)
    return JSONResponse(page)


def _refusal(deps: WebDeps, client_ref: str, found: Sequence[ImportView]) -> list[dict[str, Any]] | None:
    """Why a message with this reference was refused, unless an import was made with it afterwards."""
    if deps.visible is not None:
        return None  # it was kept before anybody knew its account
    since = found[0].created_at if found else 0
    return reads.refusal(deps.ledger, keys.of_client_ref(client_ref), since=since)


@router.get("/imports/{import_id}", responses=answers(Import, 404) | {304: {"description": "Not changed"}})
def show_import(deps: Deps, request: Request, import_id: ImportId) -> Response:
    """One import. With If-None-Match an unchanged one is answered 304; Retry-After says when to ask again."""
    view = seen(deps, import_id)
    tag = _tag(deps.ledger, view)
    headers = {"ETag": tag, "Cache-Control": "no-cache", **_again(view)}
    if _matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return JSONResponse(import_json(view), headers=headers)


@router.get(
    "/imports/{import_id}/numbers",
    responses=answers(NumbersPage, 400, 404, 422, exports=("text/csv", "application/x-ndjson")),
)
def list_numbers(deps: Deps, request: Request, import_id: ImportId, asked: NumbersAsked) -> Response:
    """The rows of an import: JSON in pages, or all of them streamed as text/csv or application/x-ndjson."""
    view = seen(deps, import_id)
    form = wanted(request.headers.get("accept"))
    headers = {"Vary": "Accept"}
    if form == JSON:
        return JSONResponse(_page(deps.ledger, view.id, asked), headers=headers)
    rows = listing.stream_numbers(deps.ledger, view.id, state=asked.state, code=asked.code)
    if form == "text/csv":
        headers["Content-Disposition"] = f'attachment; filename="{view.id}.csv"'
    return StreamingResponse(EXPORTERS[form](rows), headers=headers, media_type=form)


@router.get("/numbers/{number}", responses=answers(History, 404, 422), tags=["numbers"])
def show_number(deps: Deps, number: str) -> JSONResponse:
    """Everything known of one number over all imports, the newest first; any usual way of writing it will do."""
    read = parse(number)
    if not isinstance(read, Telephone):
        raise ProblemError(
            "refused",
            "This is not a telephone number.",
            [{"parameter": "number", "detail": read.detail, "code": read.code, "fix": read.fix}],
        )
    passages = listing.number_history(deps.ledger, read.number, accounts=deps.visible)
    if not passages:
        raise not_found(f"import that named {to_e164(read.number)}")
    return JSONResponse(history_json(to_e164(read.number), passages))


def seen(deps: WebDeps, import_id: str) -> ImportView:
    """The import with this id; ProblemError if there is none that the caller may see."""
    view = reads.import_view(deps.ledger, known_form(import_id), deps.paces)
    if view is None or not deps.may_see(view.account):
        raise not_found("import with this id")
    return view


def _page(ledger: Ledger, import_id: str, asked: NumbersQuery) -> dict[str, Any]:
    found, after = listing.numbers_page(
        ledger,
        import_id,
        state=asked.state,
        code=asked.code,
        after=asked.after,
        limit=min(asked.page_size, LARGEST_PAGE),
    )
    token = tokens.token_of(after, asked.filters)
    return {"numbers": [number_json(view) for view in found], "next_page_token": token}


def _tag(ledger: Ledger, view: ImportView) -> str:
    """Changes with the import and with what it waits for, which is not all in the import; not with its estimate."""
    wait = crc32(json.dumps(view.waiting_on, sort_keys=True).encode())
    return f'W/"{reads.version(ledger, view.id)}-{wait:08x}"'


def _again(view: ImportView) -> dict[str, str]:
    """How soon it is worth asking again: a young import moves fast, one that takes hours does not."""
    if view.finished_at is not None:
        return {}
    age = time.time() - view.created_at
    return {"Retry-After": "1" if age < YOUNG else "2" if age < OLD else "5"}


def _matches(if_none_match: str | None, tag: str) -> bool:
    asked = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    return "*" in asked or tag.removeprefix("W/") in asked
