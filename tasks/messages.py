"""Step 5 of Bandwidth's guide: send one message. One call, and never a second one where the first is in doubt."""

from typing import Final

from tasks.faults import delay_of, fault_of, trouble_of
from tasks.orders import TOO_LATE
from tasks.parts import Job
from tasks.patience import recorded
from tasks.results import Done, Later, Result
from tnimport.bandwidth.errors import AccountFault, CarrierError, Delivery, OutcomeUnknown, Permanent, RateLimited
from tnimport.bandwidth.messages import MessageSpec
from tnimport.domain.backoff import ATTEMPTS_MOST
from tnimport.domain.callbacks import about_message
from tnimport.domain.messages import MessageState
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.messaging import sending
from tnimport.ledger.messaging.sending import Outgoing, Why

VANISHED: Final = Why("run_vanished", "The run that sent it ended without a word: the carrier may have taken it.")
REFUSED_FROM: Final = 400  # HTTP: below it the carrier may have done what it was asked


def send_message(job: Job) -> Result:
    """Send a queued message; one that an earlier run was sending is of unknown outcome."""
    message = sending.load(job.ledger, job.run)
    if message is None or message.state not in {MessageState.QUEUED, MessageState.SENDING}:
        sending.over(job.ledger, job.run)
        return Done({"skipped": "there is nothing to send"})
    if message.state is MessageState.SENDING:
        return _unclear(job, VANISHED)
    return _send(job, message)


def _send(job: Job, message: Outgoing) -> Result:
    sending.calling(job.ledger, job.run)
    if not job.may_call():  # as for an order: it may be somebody else's by now
        sending.not_taken(job.ledger, job.run, 0, Why(TOO_LATE))
        return Later(TOO_LATE, 0)
    try:
        carrier_id = job.access.catapult.send_message(_spec(job, message), job.timeout)
    except CarrierError as error:
        failure = error
        return recorded(lambda: _not_sent(job, failure), job.deadline)
    recorded(lambda: sending.taken(job.ledger, job.run, carrier_id), job.deadline)
    return Done({"state": MessageState.SENT, "carrier_id": carrier_id})


def _spec(job: Job, message: Outgoing) -> MessageSpec:
    """Receipts come to our callback; of messages that prove numbers it is enough that they arrive."""
    told = job.access.calling(about_message(message.id)) if message.import_id is None else None
    return MessageSpec(
        sender=message.sender,
        to=message.recipient,
        text=message.text,
        media=message.media,
        receipt_requested=message.receipt_requested,
        callback_url=told,
        callback_http_method="POST" if told else None,
        tag=message.tag,
    )


def _not_sent(job: Job, error: CarrierError) -> Result:
    why = Why(error.code, error.description)
    if not certainly_not_taken(error):
        return _unclear(job, why, trouble_of(error))
    if isinstance(error, AccountFault):
        sending.account_fault(job.ledger, job.run, fault_of(error))
        return Later(error.code, sending.ASK_AGAIN)
    if isinstance(error, Permanent) or _given_up(job, error):
        sending.refused(job.ledger, job.run, why)
        return Done({"state": MessageState.FAILED, "code": error.code})
    limited = isinstance(error, RateLimited)  # then the pause of the lane is the clock
    seconds = 0 if limited else delay_of(error, job.run.attempts)
    sending.not_taken(job.ledger, job.run, seconds, why, trouble_of(error), counts=_answered(error))
    return Later(error.code, seconds)


def _unclear(job: Job, why: Why, trouble: Trouble | None = None) -> Result:
    state = sending.unanswered(job.ledger, job.run, why, trouble)
    return Done({"state": state, "code": why.code})


def certainly_not_taken(error: CarrierError) -> bool:
    """Whether the carrier cannot have the message: nothing was sent, or it answered with a refusal (4xx)."""
    if isinstance(error, OutcomeUnknown) or error.delivery is Delivery.UNANSWERED:
        return False
    if error.delivery is Delivery.NOT_SENT:
        return True
    return error.status is not None and REFUSED_FROM <= error.status < 500  # noqa: PLR2004 - HTTP: the carrier's fault


def _given_up(job: Job, error: CarrierError) -> bool:
    """A passing refusal that does not pass is a refusal."""
    return _answered(error) and job.run.attempts + 1 >= ATTEMPTS_MOST


def _answered(error: CarrierError) -> bool:
    """Whether it says something of the message; a limit, or a carrier out of reach, does not."""
    return error.delivery is Delivery.ANSWERED and not isinstance(error, RateLimited)
