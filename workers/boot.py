"""How every process begins: settings or all their problems at once, masked logs, an open ledger of the right shape."""

from dataclasses import dataclass
from typing import Final

import structlog

from config.logging import configure
from config.settings import Settings
from tnimport.ledger.engine import Ledger
from tnimport.ledger.revisions import pending
from workers.configuration import refuse_to_start, settings_or_exit

_log: Final = structlog.get_logger("boot")


@dataclass(frozen=True)
class Booted:
    """What a process starts with."""

    settings: Settings
    ledger: Ledger


def boot(
    process: str, *, accounts_needed: bool = True, migrated: bool = True, lock_seconds: float | None = None
) -> Booted:
    """Load settings, set up logs, open the ledger; refuses a ledger that this version does not fit.

    Args:
        process: the name in the logs.
        accounts_needed: whether settings without an account are wrong.
        migrated: whether the ledger must be.
        lock_seconds: how long the process waits for a lock of another one; None = until it has it.
    """
    settings = settings_or_exit(accounts_needed=accounts_needed)
    configure(process, secrets=settings.secrets(), level=settings.log_level)
    ledger = Ledger(settings.database_url.get_secret_value(), lock_seconds=lock_seconds)
    if migrated and pending(ledger):
        refuse_to_start("The ledger is not migrated to this version; run `python -m workers.migrate` first.")
    _log.info("started", **settings.describe())
    return Booted(settings, ledger)
