"""The Dashboard tells that an order has ended: a wake-up for the poller, never the truth."""

import logging
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from tnimport.bandwidth.notifications import Notification, UnreadableNotification, read_notification
from tnimport.domain.callbacks import ORDERS
from tnimport.ledger.imports import waking
from tnimport.web.carrier.callbacks import LARGEST
from tnimport.web.carrier.callers import PREFIX, admitted, proved
from tnimport.web.deps import Deps
from tnimport.web.wire.body import spooled
from tnimport.web.wire.problems import ProblemError

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
PATH: Final = f"{PREFIX}{{account}}{ORDERS}"


@router.post(PATH)
async def order_ended(deps: Deps, request: Request, account: str) -> Response:
    """200 for every notification, whosever order it is about; the carrier never sends it again."""
    called = admitted(deps, request, account)
    async with spooled(request, LARGEST) as body:
        said = body.read()
    try:
        told = read_notification(said, request.headers.get("content-type", ""))
    except UnreadableNotification:
        log.warning("notification_unreadable", extra={"account": called.name})
        raise ProblemError("malformed-request", "This is no notification of an order.") from None
    known = told.of_external_tns and await run_in_threadpool(_wake, deps, called.name, told)
    log.info("order_told", extra={"account": called.name, "carrier_order_id": told.order_id, "known": known})
    return Response()


def _wake(deps: Deps, account: str, told: Notification) -> bool:
    return waking.wake(deps.ledger, account, carrier_order_id=told.order_id, reference=told.customer_order_id)


@router.get(PATH)
async def probed(deps: Deps, request: Request, account: str) -> Response:
    """Nothing is told by GET; whoever looks whether we are here gets an answer."""
    admitted(deps, request, account)
    return proved(deps, request, account) or JSONResponse({"status": "ok"})
