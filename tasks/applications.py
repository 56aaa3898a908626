"""Step 3 of Bandwidth's guide: the application that numbers go to, found or created once. One call each run."""

from typing import Any, Final

from tasks.faults import delay_of, fault_of, trouble_of
from tasks.parts import Job
from tasks.results import Done, Later, Result
from tnimport.bandwidth.applications import Application, ApplicationSpec
from tnimport.bandwidth.errors import AccountFault, CarrierError, NotFound, OutcomeUnknown, Permanent
from tnimport.domain.callbacks import MESSAGES, with_secret, without_userinfo
from tnimport.ledger.imports import applications
from tnimport.ledger.imports.applications import ApplicationView

_URLS: Final = frozenset({"incoming_message_url", "incoming_message_fallback_url"})


def ensure_application(job: Job) -> Result:
    """Look through the list for our name and URL; create it only when the list does not hold it.

    A creation whose answer was lost is looked for again before another one, since names need not be unique
    (ap-docs, applications): the request may have been carried out for as long as a call may take.
    """
    wish = applications.load(job.ledger, job.run)
    if wish.found_id is not None:
        return _change(job, wish, wish.found_id)
    return _look(job, wish) if wish.looked_at is None else _create(job, wish)


def _look(job: Job, wish: ApplicationView) -> Result:
    try:
        page = job.access.catapult.list_applications(job.timeout, page=wish.page)
    except CarrierError as error:
        return _failed(job, error, creating=False)
    for found in page.items:
        if _is_ours(found, wish) and (_lacks_secret(job, found) or _differs(found, wish)):
            applications.found(job.ledger, job.run, found.application_id)
            return Later("it exists, and is to be as it was asked for", 0)
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
    """By name and URL, without user-info, which the carrier may show or hide."""
    return found.name == wish.name and _plain(found.incoming_message_url) == _plain(wish.url)


def _plain(url: str | None) -> str | None:
    return None if url is None else without_userinfo(url)


def _lacks_secret(job: Job, found: Application) -> bool:
    """Whether messages that it sends to us would be refused, as far as can be seen: nobody shows a hidden secret."""
    shown = found.incoming_message_url or ""
    plain = without_userinfo(shown)
    return _leads_to_us(job, plain) and shown != _presenting(job, plain)


def _differs(found: Application, wish: ApplicationView) -> bool:
    """Whether anything that was asked for stands otherwise there; what was not asked for is left as it is."""
    return any(_comparable(name, getattr(found, name)) != _comparable(name, value) for name, value in wish.spec.items())


def _comparable(name: str, value: Any) -> Any:  # noqa: ANN401 - as the carrier has it, a text or a number
    return _plain(value) if name in _URLS else value


def _leads_to_us(job: Job, url: str) -> bool:
    account = job.access.account
    return url in {f"{base}{MESSAGES}" for base in (account.callback_url, account.fallback_url) if base}


def _presenting(job: Job, url: str) -> str:
    """The URL as it is given to the carrier: with our secret if it leads to us, and as it is if it does not."""
    return with_secret(url, job.access.callback_secret) if _leads_to_us(job, url) else url


def _spec(job: Job, wish: ApplicationView) -> ApplicationSpec:
    said: dict[str, Any] = {
        name: _presenting(job, value) if name in _URLS else value for name, value in wish.spec.items()
    }
    return ApplicationSpec(**said)


def _change(job: Job, wish: ApplicationView, application_id: str) -> Result:
    """It is not as it was asked for, or leads to us without our secret: what comes in through it would be refused."""
    try:
        job.access.catapult.update_application(application_id, _spec(job, wish), job.timeout)
    except NotFound:
        applications.found(job.ledger, job.run, None)
        return Later("it has gone meanwhile", 0)
    except Permanent as error:  # numbers can go to it all the same
        applications.ready(job.ledger, job.run, application_id, added=False)
        return Done({"application_id": application_id, "created": "no", "change_refused": error.code})
    except CarrierError as error:
        return _failed(job, error, creating=False)
    applications.ready(job.ledger, job.run, application_id, added=False)
    return Done({"application_id": application_id, "created": "no"})


def _create(job: Job, wish: ApplicationView) -> Result:
    applications.sending(job.ledger, job.run)
    if not job.may_call():  # as for an order: it may be somebody else's by now
        applications.wait(job.ledger, job.run, 0, unsent=True)
        return Later("too_late", 0)
    try:
        application_id = job.access.catapult.create_application(_spec(job, wish), job.timeout)
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
