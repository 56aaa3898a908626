"""Step 3 of Bandwidth's guide: the application that numbers go to, found or created once. One call each run."""

from tasks.faults import delay_of, fault_of, trouble_of
from tasks.parts import Job
from tasks.results import Done, Later, Result
from tnimport.bandwidth.applications import Application, ApplicationSpec
from tnimport.bandwidth.errors import AccountFault, CarrierError, OutcomeUnknown, Permanent
from tnimport.ledger import applications
from tnimport.ledger.applications import ApplicationView


def ensure_application(job: Job) -> Result:
    """Look through the list for our name and URL; create it only when the list does not hold it.

    A creation whose answer was lost is looked for again before another one, since names need not be unique
    (ap-docs, applications): the request may have been carried out for as long as a call may take.
    """
    wish = applications.load(job.ledger, job.run)
    return _look(job, wish) if wish.looked_at is None else _create(job, wish)


def _look(job: Job, wish: ApplicationView) -> Result:
    try:
        page = job.access.catapult.list_applications(job.timeout, page=wish.page)
    except CarrierError as error:
        return _failed(job, error, creating=False)
    for found in page.items:
        if _is_ours(found, wish):
            applications.ready(job.ledger, job.run, found.application_id, added=False)
            return Done({"application_id": found.application_id, "created": "no"})
    if page.next is not None:
        applications.looked(job.ledger, job.run, wish.page + 1)
        return Later(f"page {wish.page + 1} of the applications is next", 0)
    return _absent(job, wish)


def _absent(job: Job, wish: ApplicationView) -> Result:
    if wish.sent_at is not None and not job.run.lost:
        # As long as a call may take, counted from now: a clock that was put forward makes any time seem over.
        applications.wait(job.ledger, job.run, job.timeout, over=True)
        return Later("a creation whose answer was lost may still appear", job.timeout)
    applications.looked(job.ledger, job.run, None)
    return Later("it does not exist yet", 0)


def _is_ours(found: Application, wish: ApplicationView) -> bool:
    return found.name == wish.name and _plain(found.incoming_message_url) == _plain(wish.url)


def _plain(url: str | None) -> str | None:
    """The URL without user-info, which the carrier may show or hide."""
    if url is None or "://" not in url:
        return url
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _create(job: Job, wish: ApplicationView) -> Result:
    applications.sending(job.ledger, job.run)
    if not job.may_call():  # as for an order: it may be somebody else's by now
        applications.wait(job.ledger, job.run, 0, unsent=True)
        return Later("too_late", 0)
    try:
        application_id = job.access.catapult.create_application(ApplicationSpec(**wish.spec), job.timeout)
    except CarrierError as error:
        return _failed(job, error, creating=True)
    applications.ready(job.ledger, job.run, application_id, added=True)
    return Done({"application_id": application_id, "created": "yes"})


def _failed(job: Job, error: CarrierError, *, creating: bool) -> Result:
    """A failed look tells nothing of a creation; a failed creation made nothing, unless its outcome is unknown."""
    unsent = creating and not isinstance(error, OutcomeUnknown)
    match error:
        case AccountFault():
            applications.account_fault(job.ledger, job.run, fault_of(error), unsent=unsent)
            return Done({"held": error.code})
        case Permanent() if creating:
            applications.refused(job.ledger, job.run, error.code, error.description)
            return Done({"refused": error.code})
    seconds = delay_of(error, job.run.attempts)
    applications.wait(job.ledger, job.run, seconds, trouble_of(error), unsent=unsent)
    return Later(error.code, seconds)
