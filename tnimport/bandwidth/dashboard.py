"""The Dashboard API (XML): externalTns orders, and what confirms them."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

from tnimport.bandwidth import externaltns, inventory, subscriptions, texts
from tnimport.bandwidth.caller import Caller, Sender
from tnimport.bandwidth.credentials import DashboardCredentials
from tnimport.bandwidth.exchange import LARGE, Request, base, query, segment
from tnimport.bandwidth.externaltns import Order, OrderPage, OrderRequest
from tnimport.bandwidth.inventory import NumberPage, SipPeer, Site
from tnimport.bandwidth.order_listing import Filters, every_order
from tnimport.bandwidth.subscriptions import Subscription, SubscriptionSpec


class Dashboard:
    """One account of the Dashboard. Safe to share between threads; every call has a total time-out in seconds."""

    def __init__(self, base_url: str, credentials: DashboardCredentials, transport: Sender) -> None:
        self._account = f"{base(base_url)}/accounts/{segment(credentials.account_id)}"
        self._headers = {
            "Authorization": credentials.authorization(),
            "Accept": "application/xml",
            "User-Agent": "tnimport",
        }
        self._posting = self._headers | {"Content-Type": "application/xml; charset=utf-8"}
        self._caller = Caller(transport, credentials.secrets())

    def create_order(self, order: OrderRequest, timeout: float) -> Order:
        """Submit an order and return it as accepted; OutcomeUnknown if it may have been (Bandwidth guide, step 1)."""
        request = self._post("externalTns", externaltns.order_body(order))
        return self._caller.call(request, timeout, externaltns.read_created)

    def get_order(self, order_id: str, timeout: float) -> Order:
        """Return the order with its outcome so far; NotFound if there is none (Bandwidth guide, step 2)."""
        request = self._get(f"externalTns/{segment(order_id)}")
        return self._caller.call(request, timeout, lambda reply: externaltns.read_order(reply, order_id))

    def list_orders(
        self,
        timeout: float,
        *,
        customer_order_id: str | None = None,
        tn: str | None = None,
        status: str | Sequence[str] | None = None,
        order_id_fragment: str | None = None,
        created_from: date | None = None,
        created_to: date | None = None,
        modified_from: date | None = None,
        modified_to: date | None = None,
        action: str | None = None,
        loa_type: str | None = None,
    ) -> list[Order]:
        """Return all orders that match, however many.

        One call to the carrier for up to 1,000; more are asked for in narrower ranges (`order_listing`), within the
        same time-out. Whether the carrier matches `customer_order_id` whole or in part is not documented, so it is
        compared here again; more is asked for only until one is seen. Dates are days, created or modified; `status`
        may be several.
        """
        filters: dict[str, str | list[str] | None] = {
            "customerOrderId": customer_order_id and customer_order_id.strip(),
            "tn": tn and texts.number(tn),
            "status": status if status is None or isinstance(status, str) else list(status),
            "orderIdFragment": order_id_fragment,
            "createdDateFrom": _day(created_from),
            "createdDateTo": _day(created_to),
            "modifiedDateFrom": _day(modified_from),
            "modifiedDateTo": _day(modified_to),
            "action": action,
            "loaType": loa_type,
        }
        ends = time.monotonic() + timeout

        def fetch(narrowed: Filters) -> OrderPage:
            left = ends - time.monotonic()
            return self._caller.call(self._get("externalTns", narrowed), left, externaltns.read_orders)

        today = datetime.now(UTC).date()
        if customer_order_id is None:
            return every_order(fetch, filters, today)
        named = customer_order_id.strip()
        found = every_order(fetch, filters, today, lambda order: order.customer_order_id == named)
        return [order for order in found if order.customer_order_id == named]

    # What is on the account

    def list_in_service(
        self, timeout: float, *, size: int = 500, page: str = "1", after: str | None = None
    ) -> NumberPage:
        """Return one page of the numbers in service; `after` is the `next` of the page before."""
        path = "inserviceNumbers" + (query({"page": page, "size": size}) if after is None else "?" + after)
        return self._caller.call(self._get(path), timeout, inventory.read_numbers)

    def is_in_service(self, tn: str, timeout: float) -> bool:
        """Return whether a number is on the account."""
        request = self._get(f"inserviceNumbers/{segment(texts.number(tn))}")
        return self._caller.call(request, timeout, inventory.read_in_service)

    def get_site(self, site_id: str, timeout: float) -> Site:
        """Return a site, or raise NotFound."""
        return self._caller.call(self._get(f"sites/{segment(site_id)}"), timeout, inventory.read_site)

    def list_sites(self, timeout: float) -> tuple[Site, ...]:
        """Return the sites of the account."""
        return self._caller.call(self._get("sites"), timeout, inventory.read_sites)

    def get_sip_peer(self, site_id: str, peer_id: str, timeout: float) -> SipPeer:
        """Return a SIP peer of a site, or raise NotFound."""
        path = f"sites/{segment(site_id)}/sippeers/{segment(peer_id)}"
        return self._caller.call(self._get(path), timeout, inventory.read_sip_peer)

    def list_sip_peers(self, site_id: str, timeout: float) -> tuple[SipPeer, ...]:
        """Return the SIP peers of a site."""
        path = f"sites/{segment(site_id)}/sippeers"
        return self._caller.call(self._get(path), timeout, inventory.read_sip_peers)

    # Being told of finished orders

    def create_subscription(self, spec: SubscriptionSpec, timeout: float) -> str:
        """Subscribe and return the id; the order may have finished before, so ask for it once more afterwards."""
        request = self._post("subscriptions", subscriptions.subscription_body(spec))
        return self._hiding_password(spec).call(request, timeout, subscriptions.read_created)

    def list_subscriptions(
        self, timeout: float, *, order_type: str | None = None, order_id: str | None = None
    ) -> tuple[Subscription, ...]:
        """Return the subscriptions that match."""
        request = self._get("subscriptions", {"orderType": order_type, "orderId": order_id})
        return self._caller.call(request, timeout, subscriptions.read_subscriptions)

    def get_subscription(self, subscription_id: str, timeout: float) -> Subscription:
        """Return a subscription, or raise NotFound."""
        path = f"subscriptions/{segment(subscription_id)}"
        return self._caller.call(self._get(path), timeout, subscriptions.read_subscription)

    def update_subscription(self, subscription_id: str, spec: SubscriptionSpec, timeout: float) -> None:
        """Replace a subscription by this, which prolongs it; NotFound if there is none."""
        url = f"{self._account}/subscriptions/{segment(subscription_id)}"
        body = subscriptions.subscription_body(spec)
        request = Request(method="PUT", url=url, headers=self._posting, body=body)
        self._hiding_password(spec).call(request, timeout, subscriptions.read_done)

    def delete_subscription(self, subscription_id: str, timeout: float) -> None:
        """End a subscription, or raise NotFound."""
        url = f"{self._account}/subscriptions/{segment(subscription_id)}"
        request = Request(method="DELETE", url=url, headers=self._headers)
        self._caller.call(request, timeout, subscriptions.read_done)

    def _hiding_password(self, spec: SubscriptionSpec) -> Caller:
        return self._caller if spec.password is None else self._caller.also_hiding(spec.password)

    def _get(self, path: str, filters: Filters | None = None) -> Request:
        url = f"{self._account}/{path}{query(filters or {})}"
        return Request(method="GET", url=url, headers=self._headers, cap=LARGE)

    def _post(self, path: str, body: bytes) -> Request:
        url = f"{self._account}/{path}"
        return Request(method="POST", url=url, headers=self._posting, body=body, cap=LARGE, effect=True)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
