"""Does word of orders reach us? Nobody else says so: where none comes, orders are polled, and all goes on."""

from collections.abc import Iterator
from typing import Final

from config.settings import Settings
from tnimport.domain import notifying
from tnimport.ledger.engine import Ledger
from tnimport.ledger.messaging import subscriptions
from workers.checkups.finding import Finding, ok, warning

RIGHT: Final = "give the Dashboard user the right to make subscriptions, or set TNIMPORT_ORDER_NOTIFICATIONS=0"
WAY: Final = "let Bandwidth reach {url}: look at the proxy and the firewall in front of the web process"


def check(settings: Settings, ledger: Ledger) -> Iterator[Finding]:
    """Each account whose orders shall be told of, by what has come so far."""
    for name, held in sorted(settings.accounts.items()):
        if held.account.orders_url:
            yield _account(f"account {name}", held.account.orders_url, subscriptions.state_of(ledger, name))


def _account(area: str, url: str, state: subscriptions.State | None) -> Finding:
    if state is None:
        return ok(area, "its first order will have the Dashboard tell us of those that end")
    if state.rests:
        return warning(area, "the Dashboard does not let us ask for word of orders: they are polled", RIGHT)
    if notifying.trusted(state.channel, state.now):
        return ok(area, "the Dashboard tells us of orders that end")
    if state.channel.untold_at is not None:
        return warning(
            area, "orders end without word of it, though it was asked for: they are polled", WAY.format(url=url)
        )
    return ok(area, "word of orders was asked for, and none of them has ended since")
