"""The Dashboard API (XML): externalTns orders, and what confirms them."""

from collections.abc import Mapping, Sequence
from datetime import date

from tnimport.bandwidth import externaltns
from tnimport.bandwidth.caller import Caller, Sender
from tnimport.bandwidth.credentials import DashboardCredentials
from tnimport.bandwidth.exchange import LARGE, Request, base, query, segment
from tnimport.bandwidth.externaltns import Order, OrderRequest


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
        request = Request(
            method="POST",
            url=f"{self._account}/externalTns",
            headers=self._posting,
            body=externaltns.order_body(order),
            cap=LARGE,
            effect=True,
        )
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
        """Return the orders that match."""
        filters = {
            "customerOrderId": customer_order_id,
            "tn": tn,
            "status": status,
            "orderIdFragment": order_id_fragment,
            "createdDateFrom": created_from and created_from.isoformat(),
            "createdDateTo": created_to and created_to.isoformat(),
            "modifiedDateFrom": modified_from and modified_from.isoformat(),
            "modifiedDateTo": modified_to and modified_to.isoformat(),
            "action": action,
            "loaType": loa_type,
        }
        page = self._caller.call(self._get("externalTns", filters), timeout, externaltns.read_orders)
        found = list(page.orders)
        if customer_order_id is not None:
            found = [order for order in found if order.customer_order_id == customer_order_id.strip()]
        return found

    def _get(self, path: str, filters: Mapping[str, str | Sequence[str] | None] | None = None) -> Request:
        url = f"{self._account}/{path}{query(filters or {})}"
        return Request(method="GET", url=url, headers=self._headers, cap=LARGE)
