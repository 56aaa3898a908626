"""Every exception of a request as a problem document, FastAPI's own included."""

import logging
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from tnimport.web.wire.head_requests import has_head
from tnimport.web.wire.invalid import explained
from tnimport.web.wire.problems import KINDS, ProblemError

log = logging.getLogger(__name__)
_BY_STATUS: Final = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install(app: FastAPI) -> None:
    """Let the app answer every exception as a problem."""
    app.exception_handler(ProblemError)(_problem)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(ClientDisconnect)(_gone)
    app.exception_handler(OperationalError)(_ledger_away)
    app.exception_handler(InterfaceError)(_ledger_away)
    app.exception_handler(Exception)(_mistake)


async def _problem(request: Request, fault: ProblemError) -> JSONResponse:
    return fault.response(request.url.path)


async def _invalid(request: Request, fault: RequestValidationError) -> JSONResponse:
    errors = [explained(request, one) for one in fault.errors()]
    # A token alone that cannot be read is a malformed request; beside other faults it is one of them.
    malformed = {one["code"] for one in errors} == {"bad_page_token"}
    return ProblemError("malformed-request" if malformed else "refused", errors=errors).response(request.url.path)


async def _http(request: Request, fault: HTTPException) -> JSONResponse:
    slug = _BY_STATUS.get(fault.status_code, "http-error")
    detail = None if slug in KINDS and slug != "http-error" else HTTPStatus(fault.status_code).phrase
    headers = dict(fault.headers or {}) | (_allowed(request) if fault.status_code == 405 else {})  # noqa: PLR2004 - HTTP's code
    problem = ProblemError(slug, detail, headers=headers, status=fault.status_code)
    return problem.response(request.url.path)


def _allowed(request: Request) -> dict[str, str]:
    """Every method of this address; the router names those of its first route only."""
    taken = [method for method in _METHODS if _fits(request, method)]
    if "GET" in taken and has_head(request.url.path):
        taken.insert(1, "HEAD")
    return {"Allow": ", ".join(taken)}


def _fits(request: Request, method: str) -> bool:
    asked = {**request.scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


async def _gone(request: Request, fault: Exception) -> Response:
    """The caller went away before its body was through; nobody reads the answer."""
    del fault
    log.info("caller_gone", extra={"path": request.url.path})
    return Response(status_code=400)


async def _ledger_away(request: Request, fault: Exception) -> JSONResponse:
    # The text of a database error may hold rows and addresses; its kind is enough here.
    log.warning("ledger_unreachable", extra={"error": type(fault).__name__})
    return ProblemError("ledger-unavailable", headers={"Retry-After": "5"}).response(request.url.path)


async def _mistake(request: Request, fault: Exception) -> JSONResponse:
    del fault  # Starlette raises it again after this answer, and the server logs it
    return ProblemError("internal-error").response(request.url.path)
