"""The removal of numbers from Catapult, before they are ordered away from the Dashboard: look, then delete."""

from tasks.parts import Job
from tasks.result_buffer import ResultBuffer
from tasks.results import Done, Result
from tasks.verdicts import Found, Verdict, not_done, not_seen
from tnimport.bandwidth.errors import CarrierError, NotFound
from tnimport.domain.life import Stage
from tnimport.domain.telephone import to_e164
from tnimport.ledger.imports import numbers
from tnimport.ledger.imports.numbers import Place
from tnimport.ledger.imports.outcomes import Released


def release_numbers(job: Job) -> Result:
    """Work through a grant: first find each number's resource, later delete it. A number that is not there is done."""
    batch = numbers.load(job.ledger, job.run)
    buffer = ResultBuffer(job, len(batch.places))
    step = _look_at if job.run.look else _delete
    for place in batch.places:
        if not job.may_call() or not buffer.add(place.pos, step(job, place)):
            break
    buffer.close()
    return Done(buffer.counts)


def _look_at(job: Job, place: Place) -> Verdict:
    try:
        found = job.access.catapult.get_number(to_e164(place.tn), job.timeout)
    except NotFound:
        return Released(place.pos, job.run.attempts + 1)
    except CarrierError as error:
        return not_seen(job, place, error, Stage.RELEASE)
    return Found(place.pos, found.number_id)


def _delete(job: Job, place: Place) -> Verdict:
    try:
        job.access.catapult.delete_number(place.number_id or "", job.timeout)
    except NotFound:
        pass  # what we wanted; a deletion whose answer was lost ends here too
    except CarrierError as error:
        return not_done(job, place, error, Stage.RELEASE)
    return Released(place.pos, job.run.attempts + 1)
