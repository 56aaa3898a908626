"""Tells one receiver of one event: a signed POST, or a Celery task of the operator's choice.

Delivery is attempted for about three days, at least once; duplicates are possible: an attempt is counted before it is
made, and one whose end nobody saw is made again under the same id.
"""

import json
from random import random
from typing import Any, Final

from tasks.parts import Job, NotHandedOn
from tasks.results import Done, Later, Result
from tnimport.domain.webhooks import NOBODY, DeliveryState, Target, retry_in
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.notifying.deliveries import Attempt, Owed
from tnimport.webhooks.bodies import event_of
from tnimport.webhooks.sending import Answer

SECONDS: Final = 15.0  # for one attempt in all; a call to the carrier may take longer
GONE: Final = 410
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
FAILING: Final = 500
STOPPING: Final = "stopping"

# What no further attempt can change, until a person does.
NOT_SIGNED: Final = Answer(None, "not_signed", "There is no secret to sign it with; set TNIMPORT_WEBHOOK_SECRET.")
NO_RECEIVER: Final = Answer(None, *NOBODY)
_HOPELESS: Final = frozenset({"address_refused", *(str(one.code) for one in (NOT_SIGNED, NO_RECEIVER))})


def deliver_webhook(job: Job) -> Result:
    """Make one attempt, and plan the next one if it was in vain."""
    if not job.may_call():
        deliveries.not_begun(job.ledger, job.run)
        return Later(STOPPING, 0)
    owed = deliveries.begin(job.ledger, job.run)
    if owed is None:
        return Done({"skipped": "it is not waited for any longer"})
    event = event_of(job.ledger, owed)
    answer = _post(job, owed, event) if owed.target is Target.URL else _hand_on(job, owed, event)
    if answer.status is not None and answer.status // 100 != 2:  # noqa: PLR2004 - the class of statuses
        return _in_vain(job, _worded(answer))
    if answer.code is not None:
        return _in_vain(job, answer)
    deliveries.delivered(job.ledger, job.run, Attempt(answer.status))
    return Done({"status": answer.status or "handed on"})


def _post(job: Job, owed: Owed, event: dict[str, Any]) -> Answer:
    # Whoever submitted an import gave an address of their own; the operator's is the one that is set now.
    url = owed.address if owed.import_id is not None else job.access.account.inbound_url
    sender = job.parts.sender
    if url is None:
        return NO_RECEIVER
    if sender is None or not sender.secrets:
        return NOT_SIGNED
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return sender.post(url, owed.id, body, at=owed.now, timeout=min(SECONDS, job.timeout))


def _hand_on(job: Job, owed: Owed, event: dict[str, Any]) -> Answer:
    account, hand_on = job.access.account, job.parts.hand_on
    if hand_on is None or account.inbound_task is None or account.inbound_queue is None:
        return NO_RECEIVER
    try:
        hand_on(account.inbound_task, account.inbound_queue, owed.id, {"id": owed.id, **event})
    except NotHandedOn:
        return Answer(None, "broker_away", "The broker could not be reached.")
    return Answer(None)


def _worded(answer: Answer) -> Answer:
    """A status that is no success, with a code and in words."""
    status = answer.status or 0
    moved = status // 100 == 3  # noqa: PLR2004 - the class of statuses
    text = f"The receiver answered {status}" + ("; redirects are not followed." if moved else ".")
    return Answer(status, f"http_{status}", text, answer.wait)


def _in_vain(job: Job, answer: Answer) -> Result:
    attempt = Attempt(answer.status, answer.code, answer.description)
    if answer.status == GONE:
        deliveries.ended(job.ledger, job.run, DeliveryState.DISABLED, attempt)
        return Done({"disabled": attempt.code or ""})
    trouble = _trouble(answer)
    asked = answer.wait if answer.status in {TOO_MANY, UNAVAILABLE} else None
    wait = None if answer.code in _HOPELESS else retry_in(job.run.attempts + 1, random(), asked)  # noqa: S311 - no secret
    if wait is None:
        deliveries.ended(job.ledger, job.run, DeliveryState.FAILED, attempt, trouble)
        return Done({"failed": attempt.code or ""})
    deliveries.again(job.ledger, job.run, attempt, wait, trouble)
    return Later(attempt.code or "", wait)


def _trouble(answer: Answer) -> Trouble | None:
    """What the receiver as a whole has: it wants a rest, is failing or away; None where only this delivery failed."""
    if answer.status == TOO_MANY or (answer.status == UNAVAILABLE and answer.wait is not None):
        return Trouble(limited=True, reset_after=answer.wait)
    if answer.code in _HOPELESS or (answer.status is not None and answer.status < FAILING):
        return None
    return Trouble(limited=False)
