"""Verification: looks at which numbers have proven each other, and lays the next messages. No call to the carrier."""

from tasks.parts import Job
from tasks.results import Done, Later, Result
from tnimport.ledger.proving import verifying


def verify_numbers(job: Job) -> Result:
    """Take one look; the import is finished when no number of the ring is left."""
    account = job.access.account
    seen = verifying.look(job.ledger, job.run, partner=account.verify_partner, patience=account.verify_seconds)
    if seen.again_in is None:
        return Done(dict(seen.settled))
    return Later(f"{seen.left} places of the ring are left", seen.again_in)
