"""What the carrier calls: messages (Bandwidth guide, step 6). Stored before it is answered, told twice or not."""

import logging
from asyncio import timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tnimport.bandwidth.message_events import UnreadableEvent, from_json, read_event
from tnimport.domain.accounts import Account
from tnimport.domain.callbacks import MESSAGE, MESSAGES
from tnimport.domain.inbound import MessageEvent
from tnimport.ledger.messaging.inbound import Call
from tnimport.web.carrier.callback_store import CallbackStore, NoRoomError
from tnimport.web.carrier.callers import PREFIX, admitted, proved
from tnimport.web.deps import Deps
from tnimport.web.wire.body import spooled
from tnimport.web.wire.problems import ProblemError

log = logging.getLogger(__name__)
# Not in the OpenAPI document: nobody but the carrier calls these, in the form that the carrier documents.
router = APIRouter(include_in_schema=False)
LARGEST: Final = 256 * 1024
SECONDS: Final = 8.0  # since it began to call; the carrier waits for ten, and then turns to the fallback URL
NOTHING_TO_DO: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'  # BXML without a verb
PATH: Final = f"{PREFIX}{{account}}{MESSAGES}"


@router.post(PATH)
async def told_by_post(deps: Deps, request: Request, account: str) -> Response:
    """A message event in JSON (REST control): 200 once it is stored, by this call or an earlier one."""
    called = admitted(deps, request, account)
    async with _in_time(called):
        async with spooled(request, LARGEST) as body:
            event = _read(called, body.read())
        new = await _stored(request, Call(called, event, request.query_params.get(MESSAGE)))
    return JSONResponse({"status": "stored" if new else "known"})


@router.get(PATH)
async def told_by_query(deps: Deps, request: Request, account: str) -> Response:
    """A message event in the query (BXML control); the answer is a document that asks for nothing."""
    called = admitted(deps, request, account)
    proved_ = proved(deps, request, account)
    if proved_ is not None:
        return proved_
    async with _in_time(called):
        await _stored(request, Call(called, _read(called, dict(request.query_params))))
    return Response(NOTHING_TO_DO, media_type="application/xml")


def _read(account: Account, said: bytes | dict[str, str]) -> MessageEvent:
    try:
        return from_json(said) if isinstance(said, bytes) else read_event(said)
    except UnreadableEvent as fault:
        # Which part, and nothing of what was there: it may be anybody's message.
        log.warning("callback_unreadable", extra={"account": account.name, "part": str(fault)})
        raise ProblemError("malformed-request", f"This is no event of a message: {fault}.") from None


@asynccontextmanager
async def _in_time(account: Account) -> AsyncIterator[None]:
    """Answers 503 while the carrier still waits, whatever takes so long: its own body, or the ledger."""
    try:
        async with timeout(SECONDS):
            yield
    except (TimeoutError, NoRoomError) as fault:
        why = "it takes too long" if isinstance(fault, TimeoutError) else "too many wait for the ledger"
        log.warning("callback_not_stored", extra={"account": account.name, "why": why})
        raise ProblemError("ledger-unavailable", headers={"Retry-After": "5"}) from None


async def _stored(request: Request, call: Call) -> bool:
    store = cast("CallbackStore", request.app.state.callback_store)
    new = await store.post(call)
    log.info("callback_stored", extra={"account": call.account.name, "kind": call.event.kind, "new": new})
    return new
