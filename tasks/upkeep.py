"""`tnimport.prune`: forgets imports, refusals, messages, webhooks and dead processes when their time is over."""

from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import structlog
from celery import Celery
from sqlalchemy.exc import OperationalError

from tasks.parts import Parts
from tnimport.contract import Task as TaskName
from tnimport.ledger.housekeeping import prune, upkeep
from tnimport.ledger.housekeeping.upkeep import PRUNE, Occasion, OccasionLost
from tnimport.ledger.reading import totals

DAY: Final = 86_400.0
BREATH_SECONDS: Final = 0.01  # between two batches, in which others get at the ledger
_log: Final = structlog.get_logger("tasks")


def register_upkeep(app: Celery, parts: Callable[[], Parts]) -> None:
    """Make `prune` a task of the app."""

    @app.task(name=TaskName.PRUNE.value, shared=False)  # type: ignore[untyped-decorator]  # celery publishes no types
    def run(serial: int) -> dict[str, Any]:
        return run_prune(parts(), serial)


def run_prune(parts: Parts, serial: int) -> dict[str, Any]:
    """Prune until nothing is left to go or the time of this run is over; what is left then goes in the next one."""
    occasion = Occasion(PRUNE, serial)
    gone: Counter[str] = Counter()
    try:
        if not upkeep.take(parts.ledger, occasion, parts.claim_seconds):
            return {"skipped": "another run has it, or had it"}
        ended = _within_its_time(parts, occasion, gone)
        totals.add_up(parts.ledger)  # without what is gone
        upkeep.done(parts.ledger, occasion)
        if not ended:
            upkeep.again(parts.ledger, occasion)
    except OccasionLost:
        _log.warning("prune_lost")
    except OperationalError as error:
        _log.warning("ledger_unreachable", task=TaskName.PRUNE.value, error=type(error.orig).__name__)
    _log.info("pruned", **gone)
    return dict(gone)


def _within_its_time(parts: Parts, occasion: Occasion, gone: Counter[str]) -> bool:
    """Whether everything that was to go has gone; half of the claim is left for the batch that is under way."""
    ends = monotonic() + parts.claim_seconds / 2
    for batch in prune.steps(parts.ledger, occasion, parts.retention_days * DAY):
        gone.update(batch)
        if parts.stopping.wait(BREATH_SECONDS) or monotonic() > ends:
            return False
    return True
