"""Step 4 of Bandwidth's guide: import each number of a grant into Catapult. One call each number."""

from tasks.parts import Job
from tasks.result_buffer import ResultBuffer
from tasks.results import Done, Result
from tasks.verdicts import Verdict, absent, not_done, not_seen, there, without_application
from tnimport.bandwidth.errors import CarrierError, NotFound
from tnimport.domain.life import Stage
from tnimport.domain.telephone import to_e164
from tnimport.ledger.imports import numbers
from tnimport.ledger.imports.numbers import Batch, Place
from tnimport.ledger.imports.outcomes import Imported


def import_numbers(job: Job) -> Result:
    """Work through a grant until it is done, time is up, or somebody wants it to stop."""
    batch = numbers.load(job.ledger, job.run)
    buffer = ResultBuffer(job, len(batch.places), proving=batch.application_id if batch.in_doubt else None)
    step = _look_at if job.run.look else _import
    for place in batch.places if _can_go(batch) else ():
        if not job.may_call() or not buffer.add(place.pos, step(job, batch, place)):
            break
    buffer.close()
    return Done(buffer.counts)


def _can_go(batch: Batch) -> bool:
    """Not while the application is looked for again; what a stopped import left behind is found out without it."""
    return batch.application_id is not None or batch.closing


def _import(job: Job, batch: Batch, place: Place) -> Verdict:
    try:
        number_id = job.access.catapult.import_number(to_e164(place.tn), batch.application_id or "", job.timeout)
    except CarrierError as error:
        return without_application(batch, error) or not_done(job, place, error, Stage.IMPORT)
    return Imported(place.pos, number_id, added=True, attempts=job.run.attempts + 1)


def _look_at(job: Job, batch: Batch, place: Place) -> Verdict:
    """Find out what became of a number whose import was lost, or who has one that was there already."""
    try:
        found = job.access.catapult.get_number(to_e164(place.tn), job.timeout)
    except NotFound:
        return absent(job, batch, place)
    except CarrierError as error:
        return not_seen(job, place, error, Stage.IMPORT)
    return there(job, batch, place, found) or _move_here(job, batch, place, found.number_id)


def _move_here(job: Job, batch: Batch, place: Place, number_id: str) -> Verdict:
    """`refresh`: put a number that another application has under ours; the same change may be repeated."""
    try:
        job.access.catapult.update_number(number_id, job.timeout, application_id=batch.application_id)
    except CarrierError as error:
        return without_application(batch, error) or not_seen(job, place, error, Stage.IMPORT)
    return Imported(place.pos, number_id, added=False, attempts=job.run.attempts)
