"""Moves an accepted order through its life: RECEIVED, PROCESSING, and an end that takes effect."""

from sandbox.carrier import Carrier
from sandbox.dashboard.notifications import notify
from sandbox.dashboard.state import DashboardAccount, Order, ServiceNumber
from sandbox.dashboard.verdict import judge
from sandbox.scenarios import fate_of


def accept(carrier: Carrier, dashboard: DashboardAccount, order: Order) -> None:
    """Take the order in and let time do the rest."""
    dashboard.orders[order.order_id] = order
    order.history.append((order.created, "RECEIVED"))
    for number in order.numbers:
        effects = carrier.journal.of(number)
        if order.action == "IMPORT":
            effects.orders += 1
        else:
            effects.removals += 1
    fates = {fate_of(number) for number in order.numbers}
    outcome = carrier.switches.order_outcome
    slow = "slow-order" in fates
    seconds = carrier.switches.slow_order_delay if slow else carrier.switches.order_delay
    if outcome == "stuck-received" or "stuck-received" in fates:
        order.stuck = True
        return
    carrier.timers.later(seconds / 2, process, order)
    if outcome == "stuck-processing" or "stuck-processing" in fates:
        order.stuck = True
    else:
        carrier.timers.later(seconds, finish, carrier, dashboard, order)


def process(order: Order) -> None:
    """Begin to work on the order."""
    if order.status == "RECEIVED":
        order.move("PROCESSING")


def finish(carrier: Carrier, dashboard: DashboardAccount, order: Order) -> None:
    """End the order, change what is in service, tell the subscribers."""
    verdict = judge(carrier, dashboard, order)
    order.listed, order.errors = verdict.listed, verdict.errors
    order.stuck = False
    for number in verdict.good:
        if order.action == "REMOVE":
            dashboard.in_service.pop(number, None)
        elif fate_of(number) != "not-provisioned":
            _put_in_service(carrier, dashboard, order, number)
    order.move(verdict.status)
    notify(carrier, dashboard, order)


def _put_in_service(carrier: Carrier, dashboard: DashboardAccount, order: Order, number: str) -> None:
    """A number that is there already is set anew, as if it came for the first time."""
    site = dashboard.account.site(order.site_id or "")
    default = site.default_peer if site else None
    peer_id = order.sip_peer_id or (default.peer_id if default else None)
    dashboard.in_service[number] = ServiceNumber(number, order.site_id, peer_id, order.order_id)
    carrier.journal.of(number).in_service += 1
