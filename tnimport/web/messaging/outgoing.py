"""Sending messages (Bandwidth's guide, step 5), and what became of them."""

import hashlib
import json
import logging
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from tnimport.domain.instants import instant
from tnimport.domain.messages import fix_of
from tnimport.domain.reasons import reason_for
from tnimport.intake import keys
from tnimport.intake.messages import read_messages, unreadable
from tnimport.intake.problems import Problem, Refused
from tnimport.ledger.imports.staging import KeyConflict
from tnimport.ledger.messaging import messages, outgoing
from tnimport.ledger.messaging.messages import MessageView
from tnimport.ledger.messaging.outgoing import NewMessage, Stored
from tnimport.web.deps import Deps, WebDeps
from tnimport.web.imports.submitting import key_of, refusal
from tnimport.web.messaging.sendings import OPENAPI
from tnimport.web.wire import tokens
from tnimport.web.wire.body import spooled
from tnimport.web.wire.media import JSON, body_type
from tnimport.web.wire.parameters import LARGEST_LIST, MessageId, MessagesAsked, known_form
from tnimport.web.wire.problems import ProblemError, not_found
from tnimport.web.wire.schemas import REPLAYED, Message, MessagesPage, SentMessages, answers, header

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/messages", tags=["messages"])
_ACCEPTED: Final = {
    "Location": header("where the message is, if it was sent alone", "/v1/messages/msg_7r2k9c3d1m5x8w0q"),
    "Idempotent-Replayed": REPLAYED,
}
LARGEST: Final = 2 << 20


@router.post(
    "",
    status_code=202,
    responses=answers(SentMessages, 400, 403, 413, 415, 422, status=202, headers=_ACCEPTED),
    openapi_extra=OPENAPI,
)
async def send_messages(deps: Deps, request: Request) -> JSONResponse:
    """Send a message, or up to 50 in a list: all of them are accepted, or none with every problem named.

    The same Idempotency-Key and body again answer the messages that were accepted the first time, with
    Idempotent-Replayed: true. Nothing but the ledger is needed for this; a message goes out when the pace allows.
    """
    key, wrong = key_of(request)
    if body_type(request).partition(";")[0].strip().lower() != JSON:
        raise ProblemError("unsupported-media-type", "Messages are sent as application/json.")
    async with spooled(request, LARGEST) as body:
        said = body.read()
    stored, single = await run_in_threadpool(_store, deps, said, key, wrong)
    views = await run_in_threadpool(_made, deps, stored)
    ids = [view.id for view in views]
    log.info("messages_accepted", extra={"message_ids": ids, "account": views[0].account, "replayed": stored.replayed})
    shown = [message_json(view) for view in views]
    headers = {"Location": f"/v1/messages/{ids[0]}"} if single else {}
    if stored.replayed:
        headers["Idempotent-Replayed"] = "true"
    return JSONResponse(shown[0] if single else {"messages": shown}, 202, headers)


@router.get("", responses=answers(MessagesPage, 400, 422))
def list_messages(deps: Deps, asked: MessagesAsked) -> JSONResponse:
    """Messages that go out or went out, the newest first."""
    sender = None if asked.from_ is None else int(asked.from_[-10:])
    found, after = messages.page(
        deps.ledger,
        sender=sender,
        recipient=asked.to,
        state=asked.state,
        accounts=deps.visible,
        after=asked.after,
        limit=min(asked.page_size, LARGEST_LIST),
    )
    token = tokens.token_of(after, asked.filters)
    return JSONResponse({"messages": [message_json(one) for one in found], "next_page_token": token})


@router.get("/{message_id}", responses=answers(Message, 404))
def show_message(deps: Deps, message_id: MessageId) -> JSONResponse:
    """One message: where it is, and what receipts tell of its delivery."""
    view = messages.view(deps.ledger, known_form(message_id, "message"))
    if view is None or not deps.may_see(view.account):
        raise not_found("message with this id")
    return JSONResponse(message_json(view), headers={"Cache-Control": "no-cache"})


def _store(deps: WebDeps, said: bytes, key: str | None, wrong: list[Problem]) -> tuple[Stored, bool]:
    """What the ledger holds of these messages now, and whether one was sent without a list around it."""
    own = None if key is None else keys.of_header(key)
    fingerprint = hashlib.sha256(said).hexdigest()
    try:
        # What was accepted stays accepted, even if its number has been removed since.
        before = outgoing.known(deps.ledger, own, fingerprint)
        parsed = _json(said, wrong)
        single = not isinstance(parsed, list)
        if before is not None:
            return before, single
        new = _read(deps, parsed, wrong)
        return outgoing.store(deps.ledger, new, key=own, fingerprint=fingerprint), single
    except Refused as refused:
        raise refusal(refused, deps) from None
    except KeyConflict:
        raise _reused() from None


def _read(deps: WebDeps, parsed: object, wrong: list[Problem]) -> list[NewMessage]:
    """The messages; Refused with what was wrong before, and with what is wrong with them."""
    try:
        new = read_messages(parsed, deps.accounts, deps.ledger)
    except Refused as refused:
        raise Refused([*wrong, *refused.problems]) from None
    if wrong:
        raise Refused(wrong)
    return new


def _json(said: bytes, wrong: list[Problem]) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise Refused([*wrong, unreadable()]) from None


def _made(deps: WebDeps, stored: Stored) -> list[MessageView]:
    views = messages.views(deps.ledger, stored.message_ids)
    if not views or not all(deps.may_see(view.account) for view in views):
        raise _reused()  # by a caller of another account: keys of requests are one space for the whole deployment
    return views


def _reused() -> ProblemError:
    return ProblemError("key-reused", "This Idempotency-Key was used for other messages. Nothing was changed.")


def message_json(view: MessageView) -> dict[str, Any]:
    """A message as callers see it, with what the catalogue knows of its code."""
    reason = reason_for(view.code) if view.code else None
    return {
        "id": view.id,
        "account": view.account,
        "from": view.sender,
        "to": view.recipient,
        "text": view.text,
        "media": list(view.media),
        "tag": view.tag,
        "receipt_requested": view.receipt_requested or "none",
        "state": view.state,
        "code": view.code,
        "description": view.description or (reason.cause if reason else None),
        "fix": fix_of(view.state, view.code),
        "carrier_id": view.carrier_id,
        "delivery_state": view.delivery_state,
        "delivery_code": view.delivery_code,
        "delivery_description": view.delivery_description,
        "attempts": view.attempts,
        "import_id": view.import_id,
        "created_at": instant(view.created_at),
        "sent_at": instant(view.sent_at),
        "updated_at": instant(view.updated_at),
        "links": {"self": f"/v1/messages/{view.id}"},
    }
