"""The release step: brings the ledger's tables up to this version. `python -m workers.migrate`."""

import structlog

from tnimport.ledger.migrate import upgrade
from workers.boot import boot


def main() -> None:
    """Migrate and end; harmless to repeat, and to run twice at once."""
    booted = boot("migrate", accounts_needed=False, migrated=False)
    upgrade(booted.ledger)
    booted.ledger.close()
    structlog.get_logger("migrate").info("migrated")


if __name__ == "__main__":
    main()
