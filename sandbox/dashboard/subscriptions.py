"""subscriptions: who is told that an order ended."""

from datetime import timedelta
from typing import Final

from lxml import etree

from sandbox.call import Call
from sandbox.dashboard.orders import location
from sandbox.dashboard.refusals import Refusal, no_such_resource
from sandbox.dashboard.state import Subscription, now
from sandbox.dashboard.xml_in import child, root_of, text
from sandbox.dashboard.xml_out import Element, answer
from sandbox.digits import whole
from sandbox.ids import order_id
from sandbox.wire.message import Response
from sandbox.wire.urls import is_callable, without_userinfo

_LONGEST: Final = 3_122_064_000  # seconds, or 99 years


def create(call: Call) -> Response:
    """POST subscriptions: 201, no body, the id in Location."""
    subscription = _read(call, order_id())
    held = call.carrier.dashboards[call.account.account_id].subscriptions
    if any(_target(one) == _target(subscription) for one in held.values() if one.expires > now()):
        # Our choice: 409 is documented for the same target; the code is not.
        raise Refusal(409, "1010", "A subscription for this target exists already.")
    held[subscription.subscription_id] = subscription
    # The id is nowhere but in the header, so that `none` cannot apply here.
    headers = location(call, "subscriptions", subscription.subscription_id)
    path = f"/api/accounts/{call.account.account_id}/subscriptions/{subscription.subscription_id}"
    return Response(status=201, headers=headers or {"Location": call.request.origin + path})


def index(call: Call) -> Response:
    """GET subscriptions, of one `orderType` where the query names it."""
    held = call.carrier.dashboards[call.account.account_id].subscriptions
    wanted = call.query().get("orderType", "").lower()
    shown = [_shown(one) for one in held.values() if one.expires > now() and wanted in {"", one.order_type.lower()}]
    return answer(("SubscriptionsResponse", [("Subscriptions", shown)]))


def fetch(call: Call) -> Response:
    """GET subscriptions/{id}: Expiry shows the seconds that are left, Status the last attempt."""
    return answer(("SubscriptionsResponse", [("Subscriptions", [_shown(_find(call))])]))


def update(call: Call) -> Response:
    """PUT subscriptions/{id}."""
    old = _find(call)
    new = _read(call, old.subscription_id)
    new.status = old.status
    call.carrier.dashboards[call.account.account_id].subscriptions[old.subscription_id] = new
    return Response(status=200)


def delete(call: Call) -> Response:
    """DELETE subscriptions/{id}."""
    gone = _find(call).subscription_id
    del call.carrier.dashboards[call.account.account_id].subscriptions[gone]
    return Response(status=200)


def _find(call: Call) -> Subscription:
    held = call.carrier.dashboards[call.account.account_id].subscriptions
    found = held.get(call.params["subscription"].lower())
    if found is None or found.expires <= now():
        raise no_such_resource()
    return found


def _read(call: Call, subscription_id: str) -> Subscription:
    root = root_of(call.request.body, "Subscription")
    order_type = text(root, "OrderType")
    callback = child(root, "CallbackSubscription")
    if order_type is None or callback is None:
        # Our choice: e-mail and event subscriptions are not played, so they are refused.
        raise Refusal(400, "1003", "OrderType and CallbackSubscription are required.")
    url, expiry = text(callback, "URL"), text(callback, "Expiry")
    # Our choice: nothing says that Expiry is mandatory; without it a subscription lasts as long as any may.
    seconds = _LONGEST if expiry is None else whole(expiry)
    if url is None or not is_callable(url) or seconds is None:
        # A failed validation is documented as 404, odd as that is.
        raise Refusal(404, "1003", "URL must be a valid URL and Expiry a number of seconds.")
    username, password = _credentials(callback)
    return Subscription(
        subscription_id=subscription_id,
        order_type=order_type,
        order_id=text(root, "OrderId"),
        url=url,
        expires=now() + timedelta(seconds=min(seconds, _LONGEST)),
        username=username,
        password=password,
    )


def _credentials(callback: etree._Element) -> tuple[str | None, str | None]:
    """User name and password; a public key is taken and not used, as nothing here speaks TLS."""
    holder = child(callback, "CallbackCredentials")
    basic = child(holder, "BasicAuthentication") if holder is not None else None
    return (text(basic, "Username"), text(basic, "Password")) if basic is not None else (None, None)


def _target(subscription: Subscription) -> tuple[str, str | None, str]:
    return subscription.order_type.lower(), subscription.order_id, subscription.url


def _shown(subscription: Subscription) -> Element:
    """The subscription without its password, which is never shown."""
    left = max(0, int((subscription.expires - now()).total_seconds()))
    inner: list[Element] = [("URL", without_userinfo(subscription.url)), ("Expiry", str(left))]
    if subscription.status:
        inner.append(("Status", subscription.status))
    if subscription.username:
        inner.append(("CallbackCredentials", [("BasicAuthentication", [("Username", subscription.username)])]))
    order: list[Element] = [("OrderId", subscription.order_id)] if subscription.order_id else []
    return (
        "Subscription",
        [
            ("SubscriptionId", subscription.subscription_id),
            ("OrderType", subscription.order_type),
            *order,
            ("CallbackSubscription", inner),
        ],
    )
