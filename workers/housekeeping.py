"""The dispatcher's part of upkeep: sees that it is due, and sends it to one worker."""

from time import monotonic
from typing import Final

import structlog
from celery import Celery

from tnimport.contract import QUEUE_OF, Task
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import upkeep
from tnimport.ledger.housekeeping.upkeep import PRUNE, Occasion
from workers.publisher import AWAY

EVERY: Final = 3600.0
LOOK_SECONDS: Final = 60.0
_log: Final = structlog.get_logger("dispatcher")


class Housekeeping:
    """Any number may run: an occasion is claimed once."""

    def __init__(
        self, ledger: Ledger, app: Celery, *, every: float = EVERY, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._ledger = ledger
        self._app = app
        self._every = every
        self._look_seconds = look_seconds
        self._looked = -look_seconds

    def once(self) -> None:
        """Look, at most once a minute, and publish what is due; what cannot be published is due again."""
        if monotonic() - self._looked < self._look_seconds:
            return
        self._looked = monotonic()
        occasion = upkeep.claim(self._ledger, PRUNE, self._every)
        if occasion is not None and not self._published(occasion):
            upkeep.again(self._ledger, occasion)

    def _published(self, occasion: Occasion) -> bool:
        payload = {"serial": occasion.serial}
        try:
            self._app.send_task(
                Task.PRUNE.value,
                kwargs=payload,
                kwargsrepr=repr(payload),
                queue=QUEUE_OF[Task.PRUNE].value,
                ignore_result=True,
            )
        except AWAY as error:
            _log.warning("prune_not_published", error=type(error).__name__)
            return False
        return True
