"""The process that hands out work: `python -m workers.dispatcher`."""

import signal
from contextlib import ExitStack
from functools import partial
from math import inf
from threading import Event
from types import FrameType
from typing import Final, NamedTuple

import structlog
from sqlalchemy.exc import OperationalError

from workers.apart import Apart
from workers.boot import boot
from workers.dispatching import Dispatcher
from workers.heartbeat import Heartbeat
from workers.housekeeping import Housekeeping
from workers.publisher import Publisher
from workers.wakeup import WakeUp, wake_up_for

LEDGER_AWAY_SECONDS: Final = 0.5
LOCK_SECONDS: Final = 2.0  # a lane whose row somebody keeps locked is passed over, and the others go on
DEAF_SECONDS: Final = 0.5  # so often a dispatcher looks that cannot be woken
FAILURES_HIDDEN: Final = 4  # rounds in a row; a dispatcher that fails at more of them is as good as gone, and shown so
EARLIEST: Final = 0.05  # under load every result is a commit, and a round for each would cost more than it finds
_log: Final = structlog.get_logger("dispatcher")


class Rounds(NamedTuple):
    """What the dispatcher does again and again, each kept apart from the other's troubles."""

    dispatcher: Dispatcher
    housekeeping: Housekeeping
    apart: Apart

    def once(self) -> float:
        """Do one round of each; returns after how many seconds to look again."""
        seconds = self.apart.run("round", self.dispatcher.once)
        if not self.dispatcher.broker_away:
            self.apart.run("housekeeping", self._keep_house)
        return seconds

    def well(self) -> bool:
        """Whether rounds do what they should, but for the odd one."""
        return self.apart.failures("round") <= FAILURES_HIDDEN

    def _keep_house(self) -> float:
        self.housekeeping.once()
        return inf


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    booted = boot("dispatcher", lock_seconds=LOCK_SECONDS)
    from workers.app import app  # noqa: PLC0415 - it reads the settings too, and would tell less of what is wrong

    stopping = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with ExitStack() as ends:
        ends.callback(booted.ledger.close)
        wake_up = wake_up_for(booted.ledger)
        ends.callback(wake_up.close)
        publisher = Publisher(app)
        accounts = {name: access.account for name, access in booted.settings.accounts.items()}
        seconds = booted.settings.claim_seconds
        dispatcher = Dispatcher(booted.ledger, accounts, publisher, claim_seconds=seconds)
        rounds = Rounds(dispatcher, Housekeeping(booted.ledger, app), Apart())
        heartbeat = Heartbeat(booted.ledger, "dispatcher", broker=publisher.answers, well=rounds.well)
        heartbeat.start()
        ends.callback(heartbeat.stop)
        work(rounds, wake_up, stopping)


def work(rounds: Rounds, wake_up: WakeUp, stopping: Event) -> None:
    """Do rounds until asked to stop; a ledger that is away is waited for."""
    _log.info("dispatcher_ready")
    hearing = Apart()
    while not stopping.is_set():
        try:
            seconds = rounds.once()
        except OperationalError as error:
            _log.warning("ledger_unreachable", error=type(error.orig).__name__)
            seconds = LEDGER_AWAY_SECONDS
        stopping.wait(min(seconds, EARLIEST))
        if hearing.run("wake_up", partial(_listen, wake_up, seconds - EARLIEST, stopping)):
            stopping.wait(min(max(seconds - EARLIEST, 0), DEAF_SECONDS))
    _log.info("dispatcher_stopped")


def _listen(wake_up: WakeUp, seconds: float, stopping: Event) -> float:
    wake_up.wait(seconds, stopping)
    return 0.0


if __name__ == "__main__":
    main()
