"""What a task is handed: the ledger, the accounts with their clients, and how long a run may take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.domain.accounts import Account
from tnimport.domain.callbacks import with_secret
from tnimport.domain.lanes import Lane, pace_of
from tnimport.domain.pacing import Pace
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger
from tnimport.webhooks.sending import Sender


class NotHandedOn(Exception):
    """The broker cannot be reached, hangs, or is full."""


# Puts a task of somebody else's on a queue: its name, the queue, the id, the keyword arguments. Raises NotHandedOn.
HandOn = Callable[[str, str, str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Access:
    """One account and the two clients that speak for it."""

    account: Account
    dashboard: Dashboard
    catapult: Catapult
    callback_secret: str = field(default="", repr=False)

    def calling(self, path: str) -> str | None:
        """Our callback URL as the carrier is given it, user-info included; None where we have no public address."""
        url = self.account.callback_url
        return None if url is None else with_secret(url + path, self.callback_secret)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything the steps share within a process; `stopping` is set when the process is asked to end.

    `retention_days` is how long finished imports are kept, 0 = for ever. `sender` and `hand_on` tell others of what has
    happened; without them nobody is told.
    """

    ledger: Ledger
    accounts: Mapping[str, Access]
    claim_seconds: float
    http_timeout: float
    stopping: Event
    retention_days: float = 30
    sender: Sender | None = None
    hand_on: HandOn | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of one step."""

    parts: Parts
    run: Run
    access: Access
    deadline: float  # on the monotonic clock; the claim lasts no longer
    progress: Callable[[str], None]

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return self.parts.ledger

    @property
    def pace(self) -> Pace:
        """The pace of the run's lane."""
        return pace_of(self.access.account.paces, Lane(self.run.lane))

    @property
    def timeout(self) -> float:
        """Seconds that one call may take in all."""
        return self.parts.http_timeout

    def may_call(self) -> bool:
        """Whether a call that starts now is sure to end while the claim is ours, and nobody wants us to stop."""
        return not self.parts.stopping.is_set() and monotonic() + self.timeout < self.deadline
