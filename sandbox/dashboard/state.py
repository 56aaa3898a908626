"""What the Dashboard holds for an account: orders, numbers in service, subscriptions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.accounts import Account

FINAL: Final = frozenset({"COMPLETE", "PARTIAL", "FAILED", "EXCEPTION"})


def now() -> datetime:
    """The time that the Dashboard writes."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A time as the Dashboard writes it, with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class OrderError:
    """One entry of an order's Errors; without numbers it concerns the whole order."""

    code: str
    description: str
    numbers: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Order:
    """An order for external numbers; `kind` is the name of its endpoint."""

    order_id: str
    kind: str
    user: str
    customer_order_id: str | None
    site_id: str | None
    sip_peer_id: str | None
    action: str
    loa_type: str | None
    numbers: tuple[str, ...]
    subscriber: str | None = None
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    status: str = "RECEIVED"
    listed: tuple[str, ...] = ()
    errors: tuple[OrderError, ...] = ()
    stuck: bool = False
    history: list[tuple[datetime, str]] = field(default_factory=list)

    def move(self, status: str) -> None:
        """Enter a status now."""
        self.status, self.modified = status, now()
        self.history.append((self.modified, status))

    def as_json(self) -> dict[str, Any]:
        """The order for the control pages."""
        return {
            "order_id": self.order_id,
            "kind": self.kind,
            "customer_order_id": self.customer_order_id,
            "site_id": self.site_id,
            "sip_peer_id": self.sip_peer_id,
            "action": self.action,
            "status": self.status,
            "stuck": self.stuck,
            "created": stamp(self.created),
            "modified": stamp(self.modified),
            "numbers": len(self.numbers),
            "listed": len(self.listed),
            "errors": [{"code": one.code, "numbers": list(one.numbers)} for one in self.errors],
        }


@dataclass(frozen=True, slots=True)
class ServiceNumber:
    """A number in service on the account."""

    number: str
    site_id: str | None
    sip_peer_id: str | None
    order_id: str


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A wish to be told of orders by HTTP; the password is used, and never shown again."""

    subscription_id: str
    order_type: str
    order_id: str | None
    url: str
    expires: datetime
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    status: str = ""


@dataclass(slots=True)
class DashboardAccount:
    """One account's half of the carrier."""

    account: Account
    orders: dict[str, Order] = field(default_factory=dict)
    in_service: dict[str, ServiceNumber] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
