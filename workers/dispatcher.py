"""The process that hands out work: `python -m workers.dispatcher`."""

import signal
from contextlib import ExitStack
from threading import Event
from types import FrameType
from typing import Final, NamedTuple

import structlog
from sqlalchemy.exc import OperationalError

from workers.boot import boot
from workers.dispatching import Dispatcher
from workers.heart import Heart
from workers.housekeeping import Housekeeping
from workers.publisher import Publisher
from workers.wakeup import Bell, bell_for

LEDGER_AWAY_SECONDS: Final = 0.5
EARLIEST: Final = 0.05  # under load every result is a commit, and a round for each would cost more than it finds
_log: Final = structlog.get_logger("dispatcher")


class Rounds(NamedTuple):
    """What the dispatcher does again and again."""

    dispatcher: Dispatcher
    housekeeping: Housekeeping

    def once(self) -> float:
        """Do one round of each; returns after how many seconds to look again."""
        seconds = self.dispatcher.once()
        self.housekeeping.once()
        return seconds


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    booted = boot("dispatcher")
    from workers.app import app  # noqa: PLC0415 - it reads the settings too, and would tell less of what is wrong

    stopping = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with ExitStack() as ends:
        ends.callback(booted.ledger.close)
        bell = bell_for(booted.ledger)
        ends.callback(bell.close)
        publisher = Publisher(app)
        heart = Heart(booted.ledger, "dispatcher", broker=publisher.answers)
        heart.start()
        ends.callback(heart.stop)
        accounts = {name: access.account for name, access in booted.settings.accounts.items()}
        seconds = booted.settings.claim_seconds
        dispatcher = Dispatcher(booted.ledger, accounts, publisher, claim_seconds=seconds)
        work(Rounds(dispatcher, Housekeeping(booted.ledger, app)), bell, stopping)


def work(rounds: Rounds, bell: Bell, stopping: Event) -> None:
    """Do rounds until asked to stop; a ledger that is away is waited for."""
    _log.info("dispatcher_ready")
    while not stopping.is_set():
        try:
            seconds = rounds.once()
        except OperationalError as error:
            _log.warning("ledger_unreachable", error=type(error.orig).__name__)
            seconds = LEDGER_AWAY_SECONDS
        stopping.wait(min(seconds, EARLIEST))
        bell.wait(seconds - EARLIEST, stopping)
    _log.info("dispatcher_stopped")


if __name__ == "__main__":
    main()
