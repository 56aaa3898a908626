"""Everything that the carrier holds, as JSON and without a single secret."""

from collections.abc import Callable
from typing import Any, Final

from sandbox.carrier import Carrier
from sandbox.catapult.applications import as_json as application_json
from sandbox.catapult.messages import shown as message_json
from sandbox.catapult.state import CatapultUser
from sandbox.catapult.state import stamp as catapult_stamp
from sandbox.dashboard.state import DashboardAccount
from sandbox.wire.urls import without_userinfo


def everything(carrier: Carrier, parts: str) -> dict[str, Any]:
    """The parts asked for, separated by commas; all of them when none is named."""
    wanted = [part for part in parts.split(",") if part] or list(_PARTS)
    unknown = [part for part in wanted if part not in _PARTS]
    if unknown:
        raise ValueError(f"no such part: {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    return {part: _PARTS[part](carrier) for part in wanted}


def _dashboard(dashboard: DashboardAccount) -> dict[str, Any]:
    return {
        "orders": [order.as_json() for order in dashboard.orders.values()],
        "numbers": {
            one.number: {"site_id": one.site_id, "sip_peer_id": one.sip_peer_id, "order_id": one.order_id}
            for one in dashboard.in_service.values()
        },
        "subscriptions": [
            {
                "id": one.subscription_id,
                "order_type": one.order_type,
                "order_id": one.order_id,
                "url": without_userinfo(one.url),
                "status": one.status,
            }
            for one in dashboard.subscriptions.values()
        ],
    }


def _user(user: CatapultUser) -> dict[str, Any]:
    return {
        "applications": [_application(application_json(one)) for one in user.applications.values()],
        "numbers": [
            {
                "id": one.number_id,
                "number": one.number,
                "application_id": one.application_id,
                "name": one.name,
                "created": catapult_stamp(one.created),
            }
            for one in user.numbers.values()
        ],
        "messages": [message_json(one) for one in user.messages.values()],
        "errors": list(user.errors),
    }


def _application(fields: dict[str, Any]) -> dict[str, Any]:
    """URLs may carry a password as user-info; here it is left out."""
    return {
        name: without_userinfo(value) if name.endswith("Url") and value else value for name, value in fields.items()
    }


_PARTS: Final[dict[str, Callable[[Carrier], Any]]] = {
    "summary": lambda carrier: carrier.journal.summary(),
    "dashboards": lambda carrier: {key: _dashboard(one) for key, one in carrier.dashboards.items()},
    "users": lambda carrier: {key: _user(one) for key, one in carrier.users.items()},
    "effects": lambda carrier: carrier.journal.effects_as_json(),
    "callbacks": lambda carrier: list(carrier.journal.callbacks),
    "switches": lambda carrier: carrier.switches.as_json(),
    "faults": lambda carrier: carrier.faults.as_json(),
}
