"""What others were told, or are yet to be told, and having it told again."""

import logging
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tnimport.domain.instants import instant
from tnimport.ledger.notifying import webhooks
from tnimport.ledger.notifying.webhooks import DeliveryView
from tnimport.web.deps import Deps, WebDeps
from tnimport.web.wire import tokens
from tnimport.web.wire.parameters import LARGEST_PAGE, WebhookId, WebhooksAsked, known_form
from tnimport.web.wire.problems import not_found
from tnimport.web.wire.schemas import Webhook, WebhooksPage, answers

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.get("", responses=answers(WebhooksPage, 400, 422))
def list_webhooks(deps: Deps, asked: WebhooksAsked) -> JSONResponse:
    """Webhooks, the newest first."""
    found, after = webhooks.page(
        deps.ledger,
        state=asked.state,
        import_id=asked.import_id,
        accounts=deps.visible,
        after=asked.after,
        limit=min(asked.page_size, LARGEST_PAGE),
    )
    token = tokens.token_of(after, asked.filters)
    return JSONResponse({"webhooks": [_json(one) for one in found], "next_page_token": token})


@router.get("/{webhook_id}", responses=answers(Webhook, 404))
def show_webhook(deps: Deps, webhook_id: WebhookId) -> JSONResponse:
    """One webhook."""
    return JSONResponse(_json(_seen(deps, webhook_id)))


@router.post("/{webhook_id}/replay", status_code=202, responses=answers(Webhook, 403, 404, status=202))
def replay(deps: Deps, webhook_id: WebhookId) -> JSONResponse:
    """Send it again, now, under the same `webhook-id`, whatever has become of it; the retries begin anew."""
    known = _seen(deps, webhook_id)
    webhooks.replay(deps.ledger, known.id, deps.accounts.get(known.account))
    log.info("webhook_replayed", extra={"delivery_id": known.id, "account": known.account})
    return JSONResponse(_json(_seen(deps, webhook_id)), status_code=202)


def _seen(deps: WebDeps, webhook_id: str) -> DeliveryView:
    found = webhooks.view(deps.ledger, known_form(webhook_id, "webhook"))
    if found is None or not deps.may_see(found.account):
        raise not_found("webhook with this id")
    return found


def _json(one: DeliveryView) -> dict[str, Any]:
    return {
        "id": one.id,
        "account": one.account,
        "type": one.type,
        "target": one.target,
        "address": one.address,
        "import_id": one.import_id,
        "inbound_id": one.inbound_id,
        "state": one.state,
        "attempts": one.attempts,
        "status": one.status,
        "code": one.code,
        "description": one.description,
        "created_at": instant(one.created_at),
        "updated_at": instant(one.updated_at),
        "next_attempt_at": instant(one.next_attempt_at),
        "links": {"self": f"/v1/webhooks/{one.id}", "replay": f"/v1/webhooks/{one.id}/replay"},
    }
