"""Reading what came in."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tnimport.domain.instants import instant
from tnimport.ledger.messaging import inbound
from tnimport.ledger.messaging.inbound import Received
from tnimport.web.deps import Deps
from tnimport.web.wire import tokens
from tnimport.web.wire.parameters import LARGEST_PAGE, InboundAsked
from tnimport.web.wire.schemas import InboundPage, answers

router = APIRouter(prefix="/v1", tags=["messages"])


@router.get("/inbound", responses=answers(InboundPage, 400, 422))
def list_inbound(deps: Deps, asked: InboundAsked) -> JSONResponse:
    """Messages that came in, the newest first; with `number` only those to it, in any usual way of writing it."""
    after = asked.after
    found, next_ = inbound.page(
        deps.ledger,
        number=asked.number,
        accounts=deps.visible,
        after=None if after is None else int(after),
        limit=min(asked.page_size, LARGEST_PAGE),
    )
    token = tokens.token_of(None if next_ is None else str(next_), asked.filters)
    return JSONResponse({"inbound": [_json(one) for one in found], "next_page_token": token})


def _json(one: Received) -> dict[str, Any]:
    return {
        "id": one.id,
        "account": one.account,
        "message_id": one.message_id,
        "type": one.event_type,
        "from": one.sender,
        "to": one.recipient,
        "text": one.text,
        "media": list(one.media),
        "tag": one.tag,
        "application_id": one.application_id,
        "time": one.said_at,
        "received_at": instant(one.received_at),
    }
