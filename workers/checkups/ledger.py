"""Is the ledger there, of this version, and can it be written?"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading import reads
from tnimport.ledger.revisions import pending
from workers.checkups.finding import Finding, fault, ok

AREA = "ledger"
MIGRATE = "python -m workers.migrate"


def check(ledger: Ledger) -> Iterator[Finding]:
    """Whether the ledger can be worked with; it is not changed, and not made if it is not there."""
    kind = ledger.url.get_backend_name()
    if kind == "sqlite" and not Path(ledger.url.database or "").exists():
        yield fault(AREA, f"the file {ledger.url.database} does not exist", MIGRATE)
        return
    try:
        if pending(ledger):
            yield fault(AREA, "its tables are not those of this version", MIGRATE)
            return
        yield ok(AREA, f"{kind}, migrated to this version")
        reads.writable(ledger)
        yield ok(AREA, "can be written")
    except SQLAlchemyError as error:
        # Its text may hold an address with a password.
        yield fault(
            AREA,
            f"{kind} cannot be used ({type(error).__name__})",
            "start the database, or mend TNIMPORT_DATABASE_URL and the rights of its user"
            if kind != "sqlite"
            else "mend the rights of the file and its folder, and look for free disk space",
        )
