"""Whether the process lives, and whether it can serve."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import ANSWERS, Heard
from tnimport.ledger.reading import reads
from tnimport.web.access.door import is_known
from tnimport.web.deps import Deps
from tnimport.web.wire.parameters import ReadyAsked
from tnimport.web.wire.schemas import Health, answers

router = APIRouter(tags=["health"])
Check = dict[str, Any]


@router.get("/livez", responses={200: {"model": Health}})
def livez() -> JSONResponse:
    """The process runs; nothing else is asked, so that no fault elsewhere restarts it."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses=answers(Health, 422) | {503: {"model": Health}})
def readyz(deps: Deps, asked: ReadyAsked, request: Request) -> JSONResponse:
    """Ready = the ledger can be written. Redis being away does not matter: imports are accepted without it.

    With `verbose` Redis, as the dispatchers see it, and every process of the deployment are listed, too; what is gone
    makes this process no less ready. Where there are keys, their hosts, numbers and versions are told to callers with
    a key only.
    """
    check: Check = request.app.state.ledger_check()
    document: dict[str, Any] = {"status": "ok" if check["ok"] else "not ready"}
    if asked.verbose is not None:
        checks = [check, *(_others(heartbeats.heard(deps.ledger)) if check["ok"] else [])]
        document["checks"] = checks if is_known(request.scope) else [_brief(one) for one in checks]
    return JSONResponse(document, 200 if check["ok"] else 503)


def _brief(check: Check) -> Check:
    """What was looked at and whether it is well."""
    return {"name": check["name"].partition(" ")[0], "ok": check["ok"]}


def _others(heard: Sequence[Heard]) -> list[Check]:
    return [*_redis(heard), *_processes(heard)]


def _redis(heard: Sequence[Heard]) -> list[Check]:
    """What each living dispatcher knows of Redis; this process does not speak to it."""
    asking = [one for one in heard if one.alive and one.broker is not None]
    if not asking:
        return [{"name": "redis", "ok": False, "detail": "not known: no dispatcher lives"}]
    return [_told_by(one) for one in asking]


def _told_by(one: Heard) -> Check:
    ok = one.broker == ANSWERS
    said = ANSWERS if ok else f"does not answer ({one.broker})"
    seen = f"{one.process.kind} {one.process.host}/{one.process.pid} saw {max(0, one.silent):.0f} s ago"
    return {"name": "redis", "ok": ok, "detail": f"{said}, as {seen}"}


def _processes(heard: Sequence[Heard]) -> list[Check]:
    return [
        {
            "name": f"{one.process.kind} {one.process.host}/{one.process.pid}",
            "ok": one.alive,
            "detail": f"seen {one.silent:.0f} s ago, runs for {one.running:.0f} s, version {one.process.version}",
        }
        for one in heard
    ]


def ledger_check(ledger: Ledger) -> Check:
    """Whether the ledger can be written now."""
    try:
        reads.writable(ledger)
    except SQLAlchemyError as fault:
        # The fault's own text may hold an address with a password; its kind does not.
        return {"name": "ledger", "ok": False, "detail": f"cannot be written: {type(fault).__name__}"}
    return {"name": "ledger", "ok": True, "detail": "can be written"}
