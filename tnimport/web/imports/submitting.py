"""Accepting an import."""

import logging
import re
from collections import Counter
from dataclasses import asdict, replace
from typing import IO, Any, Final, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from tnimport.intake import keys
from tnimport.intake.accept import Accepted, InProgress, KeyConflict, accept
from tnimport.intake.body import begins_gzipped
from tnimport.intake.payload import from_body
from tnimport.intake.problems import Problem, Refused, problem
from tnimport.ledger.reading.reads import ImportView
from tnimport.web.deps import Deps, WebDeps
from tnimport.web.imports import requests
from tnimport.web.imports.looking import seen
from tnimport.web.imports.rendering import import_json
from tnimport.web.wire.body import BODY_LIMIT, spooled
from tnimport.web.wire.media import body_type, says_gzip
from tnimport.web.wire.problems import ProblemError, too_large
from tnimport.web.wire.schemas import REPLAYED, Import, answers, header

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["imports"])
_ACCEPTED: Final = {
    "Location": header("where the import is", "/v1/imports/imp_7r2k9c3d1m5x8w0q", required=True),
    "Retry-After": header("seconds after which it is worth looking at it", 1, required=True),
    "Idempotent-Replayed": REPLAYED,
}
ROWS_LIMIT: Final = "rows"
_BAD_KEY: Final = "bad_idempotency_key"
# The draft's quoted string, or the same without quotes, as most clients send it; printable ASCII.
_KEY: Final = re.compile(r'"([ !#-\[\]-~]{1,200})"|([!#-~][!-~]{0,199})')


@router.post(
    "/imports",
    status_code=202,
    responses=answers(Import, 400, 403, 409, 413, 415, 422, status=202, headers=_ACCEPTED),
    openapi_extra=requests.OPENAPI,
)
async def submit_import(deps: Deps, request: Request) -> JSONResponse:
    """Accept an import: all of it, or nothing with every problem named.

    The same Idempotency-Key and request again, or the same client_ref where there is no key, answer the import that
    was made the first time, with Idempotent-Replayed: true. Nothing but the ledger is needed for this.
    """
    media_type = body_type(request)
    (key, wrong), twice = key_of(request), _given_twice(request)
    gzipped = says_gzip(request)
    async with spooled(request, deps.max_body) as body:
        if gzipped and not begins_gzipped(body):
            raise refusal(Refused([problem("bad_gzip")]), deps)
        accepted = await run_in_threadpool(_accept, deps, request, media_type, body, key=key, wrong=[*wrong, *twice])
    view = await run_in_threadpool(_made, deps, accepted)
    # The account and nothing of the content: whose import this is can be told from its id.
    log.info("import_accepted", extra={"import_id": view.id, "account": view.account, "replayed": accepted.replayed})
    headers = {"Location": f"/v1/imports/{view.id}", "Retry-After": "1"}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    return JSONResponse(import_json(view), 202, headers)


def _made(deps: WebDeps, accepted: Accepted) -> ImportView:
    try:
        return seen(deps, accepted.import_id)
    except ProblemError:
        # Made by a caller of another account: keys of requests are one space for the whole deployment.
        raise ProblemError("key-reused") from None


def key_of(request: Request) -> tuple[str | None, list[Problem]]:
    """The Idempotency-Key, None if there is none, and what is wrong with it."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None, []
    found = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        return None, [replace(problem(_BAD_KEY), header="Idempotency-Key")]
    return found.group(1) or found.group(2), []


def _given_twice(request: Request) -> list[Problem]:
    named = Counter(name for name, _ in request.query_params.multi_items())
    twice = [name[:60] for name, count in named.items() if count > 1]
    return [replace(problem("given_twice"), parameter=name) for name in twice]


def _accept(
    deps: WebDeps, request: Request, media_type: str, body: IO[bytes], *, key: str | None, wrong: list[Problem]
) -> Accepted:
    try:
        said = from_body(
            dict(request.query_params),
            media_type,
            cast("Any", body),
            deps.accounts,
            max_bytes=deps.max_body,
            max_rows=deps.max_rows,
            wrong=wrong,
        )
        own = _own_key(key, said.request.client_ref)
        return accept(deps.ledger, said.request, said.rows, key=own, fingerprint=said.fingerprint)
    except Refused as refused:
        raise refusal(refused, deps) from None
    except KeyConflict as conflict:
        name = "client_ref" if key is None or conflict.by_reference else "Idempotency-Key"
        raise ProblemError("key-reused", f"This {name} was used for another request. Nothing was changed.") from None
    except InProgress:
        raise ProblemError("in-progress", headers={"Retry-After": "1"}) from None


def _own_key(header: str | None, client_ref: str | None) -> str | None:
    if header is not None:
        return keys.of_header(header)
    return None if client_ref is None else keys.of_client_ref(client_ref)


def refusal(refused: Refused, deps: WebDeps) -> ProblemError:
    """The answer to a request that is refused whole, with everything that is wrong."""
    codes = {one.code for one in refused.problems}
    if codes == {"too_large"}:
        return too_large(BODY_LIMIT, deps.max_body, "bytes, unpacked")
    if codes == {"too_many_rows"}:
        return too_large(ROWS_LIMIT, deps.max_rows, "rows")
    if codes == {_BAD_KEY}:
        return ProblemError("malformed-request", errors=[_told(one) for one in refused.problems])
    count = len(refused.problems)
    detail = f"{count} problems, all of them named. Nothing was changed." if count > 1 else None
    return ProblemError("refused", detail, [_told(one) for one in refused.problems])


def _told(one: Problem) -> dict[str, Any]:
    told = {name: value for name, value in asdict(one).items() if value is not None}
    if one.header or one.parameter:
        del told["pointer"]
    return told
