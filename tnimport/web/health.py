"""Whether the process lives, and whether it can serve."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from tnimport.ledger import heartbeats, reads
from tnimport.ledger.engine import Ledger
from tnimport.web.deps import Deps
from tnimport.web.parameters import ReadyAsked
from tnimport.web.schemas import Health, answers

router = APIRouter(tags=["health"])


@router.get("/livez", responses={200: {"model": Health}})
def livez() -> JSONResponse:
    """The process runs; nothing else is asked, so that no fault elsewhere restarts it."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses=answers(Health, 422) | {503: {"model": Health}})
def readyz(deps: Deps, asked: ReadyAsked) -> JSONResponse:
    """Ready = the ledger can be written. Redis being away does not matter: imports are accepted without it.

    With `verbose` every process of the deployment is listed, too; one that is gone makes this one no less ready.
    """
    check = _ledger(deps.ledger)
    document: dict[str, Any] = {"status": "ok" if check["ok"] else "not ready"}
    if asked.verbose is not None:
        document["checks"] = [check, *(_processes(deps.ledger) if check["ok"] else [])]
    return JSONResponse(document, 200 if check["ok"] else 503)


def _processes(ledger: Ledger) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{one.process.kind} {one.process.host}/{one.process.pid}",
            "ok": one.alive,
            "detail": f"seen {one.silent:.0f} s ago, runs for {one.running:.0f} s, version {one.process.version}",
        }
        for one in heartbeats.heard(ledger)
    ]


def _ledger(ledger: Ledger) -> dict[str, Any]:
    try:
        reads.writable(ledger)
    except SQLAlchemyError as fault:
        # The fault's own text may hold an address with a password; its kind does not.
        return {"name": "ledger", "ok": False, "detail": f"cannot be written: {type(fault).__name__}"}
    return {"name": "ledger", "ok": True, "detail": "can be written"}
