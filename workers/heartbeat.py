"""Shows every few seconds that this process lives, and hands in what it has counted; a thread that disturbs nobody."""

import os
import socket
from collections.abc import Callable
from importlib.metadata import version
from threading import Event, Lock, Thread
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import BEAT_SECONDS, Process
from tnimport.ledger.reading import tallies
from workers.counting import Calls

STOP_SECONDS: Final = 3.0
_log: Final = structlog.get_logger("heartbeat")


class Heartbeat:
    """The heartbeat of one process.

    `calls` are its calls to Bandwidth, if it makes any; `broker` tells of Redis; while `well` says no, the process is
    silent as if it were gone, for it does as little.
    """

    def __init__(
        self,
        ledger: Ledger,
        kind: str,
        calls: Calls | None = None,
        *,
        broker: Callable[[], str] | None = None,
        well: Callable[[], bool] = lambda: True,
        seconds: float = BEAT_SECONDS,
    ) -> None:
        self.process = Process(kind=kind, host=socket.gethostname()[:120], pid=os.getpid(), version=version("tnimport"))
        self._ledger = ledger
        self._calls = calls
        self._broker = broker
        self._well = well
        self._seconds = seconds
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)
        self._away = False
        self._begun = False
        self._beating = Lock()

    def start(self) -> None:
        """Begin; a ledger that is away is tried again at the next beat."""
        self._thread.start()

    def stop(self) -> None:
        """The process stops as asked: hand in the last counts, and be missed by nobody."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        if not self._away:
            self._try(self._leave)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._try(self._beat)
            self._stopping.wait(self._seconds)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            with self._beating:
                act()
        except SQLAlchemyError as error:
            # Its text may hold an address with a password.
            if not self._away:
                _log.warning("heartbeat_missed", error=type(error).__name__)
            self._away = True
        else:
            self._away = False

    def _beat(self) -> None:
        if not self._well():
            return
        told = self._broker() if self._broker else None
        heartbeats.beat(self._ledger, self.process, first=not self._begun, broker=told)
        self._begun = True
        self._hand_in()

    def _leave(self) -> None:
        self._hand_in()
        heartbeats.leave(self._ledger, self.process)

    def _hand_in(self) -> None:
        if self._calls is None or not (counts := self._calls.taken()):
            return
        try:
            tallies.hand_in(self._ledger, tallies.CALLS, counts)
        except SQLAlchemyError:
            self._calls.put_back(counts)
            raise
