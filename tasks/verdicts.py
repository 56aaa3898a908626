"""What one call about one number means: an outcome, another attempt, or trouble that is not the number's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tasks.faults import delay_of, fault_of, trouble_of
from tasks.parts import Job
from tnimport.bandwidth.errors import (
    AccountFault,
    CarrierError,
    Conflict,
    Delivery,
    OutcomeUnknown,
    Permanent,
    RateLimited,
)
from tnimport.bandwidth.phone_numbers import PhoneNumber
from tnimport.domain.backoff import ATTEMPTS_MOST
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Stage
from tnimport.domain.reasons import reason_for
from tnimport.domain.wishes import OnPresent
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports.numbers import Again, Batch, Place
from tnimport.ledger.imports.orders import Fault
from tnimport.ledger.imports.outcomes import Failed, Imported, Present, Released

CLOCKS_DIFFER: Final = 300.0  # seconds that the carrier's clock may be behind the ledger's
OTHER_APPLICATION: Final = "application_conflict"
NO_APPLICATION: Final = "application-not-found"
VANISHED: Final = "application_vanished"
ALREADY_THERE: Final = "duplicate-number"


@dataclass(frozen=True)
class Stop:
    """The grant ends here; the number at which it stopped has not been dealt with."""

    trouble: Trouble | None = None
    fault: Fault | None = None
    missed: str | None = None  # the fault is that the carrier does not know this application


@dataclass(frozen=True)
class Tried:
    """The number is to be tried again, and what the call told about the lane besides."""

    again: Again
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Found:
    """A look before a removal found the resource to delete."""

    pos: int
    number_id: str


Verdict = Imported | Present | Released | Failed | Found | Tried | Stop


def stopped_by(error: CarrierError) -> Stop | None:
    """The stop that an error is, when it concerns everybody and certainly nothing happened to the number."""
    if isinstance(error, AccountFault):
        return Stop(fault=fault_of(error))
    if isinstance(error, RateLimited) or error.delivery is Delivery.NOT_SENT:
        return Stop(trouble=trouble_of(error))
    return None


def without_application(batch: Batch, error: CarrierError) -> Stop | None:
    """The stop that it is when the carrier does not know an application wished for by name: that can be had again."""
    if not batch.named or not isinstance(error, AccountFault) or error.code != NO_APPLICATION:
        return None
    fix = reason_for(VANISHED).fix
    fault = Fault(
        VANISHED, f"Catapult does not know the application {batch.application_id}. {fix}", whole_account=False
    )
    return Stop(fault=fault, missed=batch.application_id)


def not_done(job: Job, place: Place, error: CarrierError, stage: Stage) -> Verdict:
    """What follows when a call that changes something failed."""
    stop = stopped_by(error)
    if stop is not None:
        return stop
    attempts = job.run.attempts + 1
    answered = error.delivery is Delivery.ANSWERED
    if isinstance(error, Permanent) and not isinstance(error, Conflict):
        return Failed(place.pos, stage, error.code, error.description, attempts)
    if answered and attempts >= ATTEMPTS_MOST:
        return Failed(place.pos, stage, error.code, error.description, attempts)
    unknown = isinstance(error, OutcomeUnknown)
    look = unknown or isinstance(error, Conflict)
    again = Again(
        pos=place.pos,
        wait=0 if isinstance(error, Conflict) else delay_of(error, job.run.attempts),
        lane=Lane.LOOKUPS if look else Lane(job.run.lane),
        look=look,
        lost=job.run.lost or unknown,
        code=error.code,
        counted=answered,
    )
    return Tried(again, trouble_of(error))


def not_seen(job: Job, place: Place, error: CarrierError, stage: Stage) -> Verdict:
    """What follows when a look failed: the same look again, for a look changes nothing."""
    stop = stopped_by(error)
    if stop is not None:
        return stop
    if isinstance(error, Permanent) and job.run.attempts + 1 >= ATTEMPTS_MOST:
        return Failed(place.pos, stage, error.code, error.description, job.run.attempts + 1)
    again = Again(
        pos=place.pos,
        wait=delay_of(error, job.run.attempts),
        lane=Lane.LOOKUPS,
        look=True,
        lost=job.run.lost,
        code=error.code,
        counted=error.delivery is Delivery.ANSWERED,
    )
    return Tried(again, trouble_of(error))


def absent(job: Job, batch: Batch, place: Place) -> Tried:
    """Catapult does not hold it: it can be imported (again).

    Where the import was cancelled meanwhile nothing brings to light what arrives later: the look that counts comes when
    the last call of it, and what the carrier may still make of it, are over.
    """
    if job.run.lost and batch.cancel_asked_at is not None:
        left = batch.cancel_asked_at + 2 * job.timeout - batch.now
        if left > 0:
            late = Again(
                pos=place.pos, wait=left, lane=Lane.LOOKUPS, look=True, lost=True, code="not_there", counted=False
            )
            return Tried(late)
    again = Again(
        pos=place.pos, wait=0, lane=Lane.NUMBERS, look=False, lost=job.run.lost, code="not_there", counted=False
    )
    return Tried(again)


def there(job: Job, batch: Batch, place: Place, found: PhoneNumber) -> Verdict | None:
    """What it means that Catapult holds it; None when it is to be put under our application first."""
    attempts = job.run.attempts
    ours = found.application_id is not None and found.application_id == batch.application_id
    unknown = batch.application_id is None  # it has vanished, and the import is stopped: it can only be ours
    if (ours or unknown) and job.run.lost and _since(found, batch):
        return Imported(place.pos, found.number_id, added=True, attempts=attempts)
    if batch.on_present is OnPresent.REFRESH and not unknown:
        return Imported(place.pos, found.number_id, added=False, attempts=attempts) if ours else None
    if not ours:
        whose = found.application_id or "none"
        text = f"Catapult holds the number already, for the application {whose}."
        return Failed(place.pos, Stage.IMPORT, OTHER_APPLICATION, text, attempts)
    if batch.on_present is OnPresent.FAIL:
        return Failed(place.pos, Stage.IMPORT, ALREADY_THERE, "Catapult holds the number already.", attempts)
    return Present(place.pos, found.number_id, attempts)


def _since(found: PhoneNumber, batch: Batch) -> bool:
    """Whether it was made after our order was sent; a time that tells nothing speaks for us, who lost an answer.

    One that is still to come was written before the ledger's clock was put back, and has not followed it yet.
    """
    try:
        made = datetime.fromisoformat(found.created_at or "")
    except ValueError:
        return True
    began = batch.order_sent_at
    return began is None or began > batch.now or made.timestamp() >= began - CLOCKS_DIFFER
