"""Has the Dashboard tell us of orders that have ended. One call each run; failing never harms an import.

What cannot be had is done without: orders are polled. A wrong password is left for the orders themselves to find.
"""

from tasks.faults import delay_of, trouble_of
from tasks.parts import Job
from tasks.results import Done, Later, Result
from tnimport.bandwidth.errors import AccountFault, CarrierError, Conflict, NotFound, OutcomeUnknown, Permanent
from tnimport.bandwidth.notifications import EXTERNAL_TNS
from tnimport.bandwidth.subscriptions import Subscription, SubscriptionSpec
from tnimport.domain import notifying
from tnimport.domain.callbacks import USER, without_userinfo
from tnimport.domain.notifying import Channel
from tnimport.ledger.messaging import subscriptions


def channel_of(job: Job) -> Channel:
    """What is known of the account's subscription; has it made or renewed where that is due."""
    account = job.access.account
    return subscriptions.channel(job.ledger, account.name, account.orders_url) if account.orders_url else Channel()


def ensure_subscription(job: Job) -> Result:
    """Renew the one we have, find it in the carrier's list, or make it: the next of these that is to be done."""
    url = job.access.account.orders_url
    if url is None:  # it was switched off meanwhile
        subscriptions.given_up(job.ledger, job.run)
        return Done({"subscription": "not wanted"})
    if not job.may_call():
        subscriptions.again(job.ledger, job.run, 0)
        return Later("too_late", 0)
    wish = subscriptions.load(job.ledger, job.run)
    try:
        if wish.subscription_id is not None:
            return _renew(job, wish.subscription_id, _spec(job, url))
        return _look(job, url) if wish.looked_at is None else _create(job, _spec(job, url))
    except CarrierError as error:
        return _failed(job, error)


def _spec(job: Job, url: str) -> SubscriptionSpec:
    return SubscriptionSpec(url=url, expiry=int(notifying.LIFE), username=USER, password=job.access.callback_secret)


def _renew(job: Job, subscription_id: str, spec: SubscriptionSpec) -> Result:
    """With all of it: the one that was found may have an older password of ours, which nobody is shown."""
    job.access.dashboard.update_subscription(subscription_id, spec, job.timeout)
    subscriptions.made(job.ledger, job.run, subscription_id)
    return Done({"subscription": subscription_id, "created": "no"})


def _look(job: Job, url: str) -> Result:
    listed = job.access.dashboard.list_subscriptions(job.timeout)
    found = next((one.subscription_id for one in listed if _is_ours(one, url)), None)
    subscriptions.looked(job.ledger, job.run, found)
    return Later("the subscription is there" if found else "there is no subscription yet", 0)


def _is_ours(one: Subscription, url: str) -> bool:
    kind, leads_to = (one.order_type or "").lower(), without_userinfo(one.url or "")
    return kind == EXTERNAL_TNS and one.order_id is None and leads_to == url


def _create(job: Job, spec: SubscriptionSpec) -> Result:
    made = job.access.dashboard.create_subscription(spec, job.timeout)
    subscriptions.made(job.ledger, job.run, made)
    return Done({"subscription": made, "created": "yes"})


def _failed(job: Job, error: CarrierError) -> Result:
    """What is not there, is there already or may be there is looked for again; all else that lasts is given up."""
    anew = isinstance(error, NotFound | Conflict | OutcomeUnknown)
    lasting = isinstance(error, AccountFault | Permanent) and not anew
    if lasting or job.run.attempts + 1 >= notifying.ATTEMPTS:
        subscriptions.given_up(job.ledger, job.run)
        return Done({"subscription": "given up", "code": error.code})
    seconds = delay_of(error, job.run.attempts)
    subscriptions.again(job.ledger, job.run, seconds, trouble_of(error), anew=anew)
    return Later(error.code, seconds)
