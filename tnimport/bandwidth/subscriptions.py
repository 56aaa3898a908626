"""Dashboard subscriptions: being told of finished orders (api-docs subscriptions.mdx, orderWebhook.md).

Notifications are never retried by the carrier, so they only wake the poller.
"""

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.inventory import listed, none_listed, one
from tnimport.bandwidth.location import created_id
from tnimport.bandwidth.refusals import refusal, unreadable
from tnimport.bandwidth.xml_body import Node, Unreadable, children, descendants, parse, value
from tnimport.bandwidth.xml_errors import count, said, said_in


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSpec:
    """What to be told of, where, and for how many seconds; the carrier answers a 401 challenge with the password."""

    url: str = field(repr=False)  # may carry user-info
    order_type: str = "externalTns"
    order_id: str | None = None
    expiry: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as the carrier tells it; `status` holds the last failure to notify."""

    subscription_id: str
    order_type: str | None = None
    order_id: str | None = None
    url: str | None = field(default=None, repr=False)
    expiry: int | None = None
    status: str | None = None


def subscription_body(spec: SubscriptionSpec) -> bytes:
    """Return the XML of a subscription."""
    credentials = ""
    if spec.username is not None and spec.password is not None:
        basic = _element("Username", spec.username) + _element("Password", spec.password)
        credentials = f"<CallbackCredentials><BasicAuthentication>{basic}</BasicAuthentication></CallbackCredentials>"
    expiry = _element("Expiry", None if spec.expiry is None else str(spec.expiry))
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<Subscription>{_element('OrderType', spec.order_type)}{_element('OrderId', spec.order_id)}"
        f"<CallbackSubscription>{_element('URL', spec.url)}{expiry}{credentials}</CallbackSubscription>"
        "</Subscription>"
    ).encode("utf-8", "replace")


def _element(name: str, content: str | None) -> str:
    return "" if content is None else f"<{name}>{escape(texts.clean(content))}</{name}>"


def read_created(reply: Reply) -> str:
    """Return the id of the subscription made: 201, empty, `Location`."""
    if not reply.succeeded:
        raise refusal(reply, said(reply), effect=True)
    made = created_id(reply, "subscriptions")
    if made is not None:
        return made
    try:
        root = parse(reply)
    except Unreadable:
        raise unreadable(reply, "missing_location", effect=True) from None
    named = next((found for node in root.iter() if (found := value(node, "subscriptionid"))), None)
    if named is None:
        raise refusal(reply, said_in(root), effect=True)
    return texts.clean(named)


def read_subscription(reply: Reply) -> Subscription:
    """Return the subscription, or raise NotFound."""
    root = listed(reply, "subscription", subject="subscription")
    return one(_subscriptions(root), reply, "subscription")


def read_subscriptions(reply: Reply) -> tuple[Subscription, ...]:
    """Return the subscriptions of a `SubscriptionsResponse`; 204 and 404 mean none."""
    if none_listed(reply):
        return ()
    return _subscriptions(listed(reply, "subscription", "subscriptions", "subscriptionsresponse"))


def read_done(reply: Reply) -> None:
    """Return nothing if the change or deletion was done, or raise NotFound."""
    explained = said(reply)
    if not reply.succeeded or explained.code is not None:
        raise refusal(reply, explained, subject="subscription")


def _subscriptions(root: Node) -> tuple[Subscription, ...]:
    nodes = ((node, value(node, "subscriptionid")) for node in descendants(root, "subscription"))
    return tuple(_subscription(node, found) for node, found in nodes if found)


def _subscription(node: Node, named: str) -> Subscription:
    callback = next(children(node, "callbacksubscription"), None)
    return Subscription(
        subscription_id=texts.clean(named),
        order_type=value(node, "ordertype"),
        order_id=value(node, "orderid"),
        url=value(callback, "url"),
        expiry=None if callback is None else count(callback, "expiry"),
        status=value(callback, "status"),
    )
