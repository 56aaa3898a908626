"""What the system knows of a Bandwidth account besides its secrets."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Paces:
    """How fast each limited endpoint of one account may be called; 0 means no limit."""

    dashboard_per_second: float = 1
    numbers_per_minute: float = 100
    numbers_burst: float = 800
    messages_per_second: float = 1
    applications_per_second: float = 1
    lookups_per_second: float = 10


@dataclass(frozen=True, kw_only=True)
class Account:
    """One named account: its defaults, its paces, and the patience it is polled with (seconds).

    The carrier calls us at addresses below `callback_url`, after `callback_timeout` seconds without an answer below
    `fallback_url`, and at `orders_url` when an order has ended; whichever there are.
    What comes in for it is handed on to `inbound_url`, and to the Celery task `inbound_task` on the queue
    `inbound_queue`; `signs` tells whether there is a secret that webhooks can be signed with.
    Messages that prove its numbers have `verify_seconds` to arrive; `verify_partner` (ten digits) proves a number that
    is alone.
    """

    name: str
    account_id: str
    site_id: str | None = None
    sip_peer_id: str | None = None
    application_id: str | None = None
    callback_url: str | None = None
    fallback_url: str | None = None
    callback_timeout: float | None = None
    orders_url: str | None = None
    paces: Paces = Paces()
    order_size: int = 1000
    order_settle: float = 900
    poll_first: float = 2
    poll_max: float = 300
    inbound_url: str | None = field(default=None, repr=False)  # its query may hold a secret
    inbound_task: str | None = None
    inbound_queue: str | None = None
    signs: bool = False
    verify_seconds: float = 600
    verify_partner: str | None = None
