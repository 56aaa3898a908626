"""Puts a carrier together, and empties one."""

from sandbox.accounts import Account
from sandbox.carrier import Carrier
from sandbox.catapult.state import CatapultUser
from sandbox.dashboard.state import DashboardAccount
from sandbox.faults.rules import Faults
from sandbox.journal import Journal
from sandbox.limits import Limits
from sandbox.switches import Switches
from sandbox.timers import Timers


def build(accounts: tuple[Account, ...], switches: Switches) -> Carrier:
    """A carrier that holds nothing yet."""
    carrier = Carrier(
        accounts=accounts,
        switches=switches,
        timers=Timers(),
        journal=Journal(),
        limits=Limits(switches),
        faults=Faults(switches.seed),
    )
    empty(carrier)
    return carrier


def empty(carrier: Carrier) -> None:
    """Forget orders, numbers, messages, faults and the log; switches stay."""
    carrier.timers.clear()
    carrier.limits.clear()
    carrier.faults.clear(carrier.switches.seed)
    carrier.journal = Journal()
    carrier.number_owners.clear()
    carrier.dashboards = {one.account_id: DashboardAccount(one) for one in carrier.accounts}
    carrier.users = {one.user_id: CatapultUser(one) for one in carrier.accounts}
