"""Whether a process of this machine lives, by its heartbeat: `python -m workers.health worker`. For health checks.

It reads one table of the ledger and asks nobody else. Exit codes: 0 it lives, 1 it does not or the ledger is away,
2 there is no such kind of process, 4 the settings are not usable.
"""

import socket
import sys
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Heard
from workers.configuration import settings_or_exit

KINDS: Final = ("worker", "dispatcher", "web")
LIVES, GONE, USAGE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Say of one kind of process whether one of it lives here; returns the exit code."""
    if len(arguments) != 1 or arguments[0] not in KINDS:
        return _said(f"Usage: python -m workers.health {'|'.join(KINDS)}", USAGE)
    ledger = Ledger(settings_or_exit(accounts_needed=False).database_url.get_secret_value())
    try:
        heard = heartbeats.heard(ledger)
    except SQLAlchemyError as error:
        # Its text may hold an address with a password.
        return _said(f"The ledger cannot be read ({type(error).__name__}).", GONE)
    finally:
        ledger.close()
    return _judged(arguments[0], [one for one in heard if one.process.host == socket.gethostname()[:120]])


def _judged(kind: str, here: Sequence[Heard]) -> int:
    mine = sorted((one for one in here if one.process.kind == kind), key=lambda one: one.silent)
    if not mine:
        return _said(f"No {kind} has shown itself on this machine.", GONE)
    last = mine[0]
    return _said(f"{kind} {last.process.pid} showed itself {last.silent:.0f} s ago.", LIVES if last.alive else GONE)


def _said(text: str, code: int) -> int:
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
