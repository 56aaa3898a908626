"""Pause, resume and cancel."""

import logging
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tnimport.ledger.engine import Ledger
from tnimport.ledger.imports import control
from tnimport.web.deps import Deps, WebDeps
from tnimport.web.imports.looking import seen
from tnimport.web.imports.rendering import import_json
from tnimport.web.wire.parameters import ImportId
from tnimport.web.wire.schemas import Import, answers

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/imports/{import_id}", tags=["imports"])
_ANSWERS = answers(Import, 403, 404)


@router.post("/pause", responses=_ANSWERS)
def pause(deps: Deps, import_id: ImportId) -> JSONResponse:
    """Start nothing more of it until it is resumed. A finished import stays as it is."""
    return _done(deps, import_id, control.pause, "import_paused")


@router.post("/resume", responses=_ANSWERS)
def resume(deps: Deps, import_id: ImportId) -> JSONResponse:
    """Go on with a paused or held import."""
    return _done(deps, import_id, control.resume, "import_resumed")


@router.post("/cancel", responses=_ANSWERS)
def cancel(deps: Deps, import_id: ImportId) -> JSONResponse:
    """Start nothing more of it, ever; numbers that are done stay done."""
    return _done(deps, import_id, control.cancel, "import_cancel_asked")


def _done(deps: WebDeps, import_id: str, act: Callable[[Ledger, str], bool], event: str) -> JSONResponse:
    view = seen(deps, import_id)
    act(deps.ledger, view.id)
    log.info(event, extra={"import_id": view.id, "account": view.account})
    return JSONResponse(import_json(seen(deps, import_id)))
