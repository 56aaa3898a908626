"""Tells subscribers that an order ended: once, never again, with credentials only when challenged."""

import asyncio
from typing import Final

from sandbox.carrier import Carrier
from sandbox.dashboard.state import DashboardAccount, Order, Subscription, now, stamp
from sandbox.dashboard.xml_out import Element, document
from sandbox.wire.outbound import Outgoing, Reply, basic_header, send
from sandbox.wire.urls import is_loopback, without_userinfo

_HEADERS: Final = {"Content-Type": "application/xml; charset=utf-8"}


def notify(carrier: Carrier, dashboard: DashboardAccount, order: Order) -> None:
    """Send the notification for an order that has just ended to everyone who asked for it.

    externalTns is notified of COMPLETE, PARTIAL and FAILED; only the import order also of EXCEPTION.
    """
    if order.status == "EXCEPTION" and order.kind != "importTnOrders":
        return
    for subscription in list(dashboard.subscriptions.values()):
        if _wants(subscription, order):
            for _ in range(carrier.switches.callback_copies):
                carrier.timers.start(_tell(carrier, subscription, order.order_id, notification(subscription, order)))


def _wants(subscription: Subscription, order: Order) -> bool:
    return (
        subscription.order_type.lower() == order.kind.lower()
        and (subscription.order_id or order.order_id).lower() == order.order_id
        and subscription.expires > now()
    )


def notification(subscription: Subscription, order: Order) -> bytes:
    """The body of the notification."""
    own_id: list[Element] = []
    if order.customer_order_id is not None:
        own_id.append(("CustomerOrderId", order.customer_order_id))
    message: list[Element] = [("Message", order.errors[0].description)] if order.errors else []
    return document(
        (
            "Notification",
            [
                ("SubscriptionId", subscription.subscription_id),
                ("OrderType", subscription.order_type),
                ("OrderId", order.order_id),
                *own_id,
                ("Status", order.status),
                *message,
                ("LastModifiedDate", stamp(order.modified)),
            ],
        )
    )


async def _tell(carrier: Carrier, subscription: Subscription, order_id: str, body: bytes) -> None:
    await asyncio.sleep(carrier.switches.callback_delay)
    subscription.status = await _outcome(carrier, subscription, body)
    carrier.journal.callbacks.append(
        {
            "kind": "order",
            "id": order_id,
            "method": "POST",
            "url": without_userinfo(subscription.url),
            "outcome": subscription.status,
        }
    )


async def _outcome(carrier: Carrier, subscription: Subscription, body: bytes) -> str:
    if carrier.switches.callback_hosts == "loopback" and not is_loopback(subscription.url):
        return "not sent: only loopback is called"
    try:
        reply = await _send_challenged(carrier, subscription, body)
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with the URL or the answer, it was not delivered
        return f"failed: {type(problem).__name__}"
    # Anything but 200 counts as a failure, and is not tried again.
    return "delivered" if reply.status == 200 else f"failed: {reply.status}"  # noqa: PLR2004 - HTTP's own number


async def _send_challenged(carrier: Carrier, subscription: Subscription, body: bytes) -> Reply:
    """The first call carries no credentials; they follow where a 401 asks for Basic ones."""
    timeout = carrier.switches.callback_timeout
    outgoing = Outgoing(method="POST", url=subscription.url, headers=dict(_HEADERS), body=body)
    reply = await send(outgoing, timeout)
    challenged = reply.status == 401 and "basic" in reply.headers.get("www-authenticate", "").lower()  # noqa: PLR2004 - HTTP's own number
    if challenged and subscription.username is not None:
        outgoing.headers |= basic_header(subscription.username, subscription.password or "")
        reply = await send(outgoing, timeout)
    return reply
