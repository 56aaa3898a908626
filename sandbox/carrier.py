"""The carrier: everything that the two APIs share, and what is thrown away by a reset."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.accounts import Account
from sandbox.faults.rules import Faults
from sandbox.journal import Journal
from sandbox.limits import Limits
from sandbox.switches import Switches
from sandbox.timers import Timers

if TYPE_CHECKING:
    from sandbox.catapult.state import CatapultUser
    from sandbox.dashboard.state import DashboardAccount


@dataclass(slots=True, kw_only=True)
class Carrier:
    """Both halves of the carrier with their clock, dice and log."""

    accounts: tuple[Account, ...]
    switches: Switches
    timers: Timers
    journal: Journal
    limits: Limits
    faults: Faults
    dashboards: dict[str, "DashboardAccount"] = field(default_factory=dict)
    users: dict[str, "CatapultUser"] = field(default_factory=dict)
    number_owners: dict[str, "CatapultUser"] = field(default_factory=dict)  # by E.164, over all users

    def account_named(self, account_id: str) -> Account | None:
        """The account with that Dashboard id."""
        return next((one for one in self.accounts if one.account_id == account_id), None)
