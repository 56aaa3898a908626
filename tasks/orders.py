"""Steps 1 and 2 of Bandwidth's guide: submit an order, and look at it until it is finished. One call each."""

from typing import Final

from tasks.faults import delay_of, fault_of, trouble_of
from tasks.parts import Job
from tasks.results import Done, Later, Result
from tasks.subscriptions import channel_of
from tnimport.bandwidth.errors import AccountFault, CarrierError, NotFound, OutcomeUnknown, Permanent
from tnimport.bandwidth.externaltns import Order, OrderRequest
from tnimport.domain import backoff, notifying, reconcile
from tnimport.domain.life import OrderState
from tnimport.domain.reasons import reason_for
from tnimport.ledger.imports import orders, polling, submitting
from tnimport.ledger.imports.orders import Fault, OrderView

ORDER_GONE: Final = ("order_gone", "The carrier accepted the order and later said that it knows no such order.")

# The ledger kept the run waiting, or the process stood still: what it was about to send may be somebody else's by now.
TOO_LATE: Final = "too_late"


def submit_order(job: Job) -> Result:
    """Send a planned order; ask for one whose answer was lost instead of sending it twice."""
    order = orders.load(job.ledger, job.run)
    return _ask_for(job, order) if order.state is OrderState.SUBMITTING else _send(job, order)


def _send(job: Job, order: OrderView) -> Result:
    submitting.sending(job.ledger, job.run)
    request = OrderRequest(
        customer_order_id=order.reference,
        site_id=order.site_id,
        sip_peer_id=order.sip_peer_id,
        action=order.action.value,
        numbers=order.numbers,
    )
    if not job.may_call():
        submitting.not_sent(job.ledger, job.run, 0, TOO_LATE)
        return Later(TOO_LATE, 0)
    try:
        reply = job.access.dashboard.create_order(request, job.timeout)
    except CarrierError as error:
        return _not_accepted(job, error)
    return _accepted(job, reply)


def _accepted(job: Job, reply: Order) -> Result:
    first = job.access.account.poll_first
    submitting.accepted(job.ledger, job.run, reply.order_id, reply.status or "RECEIVED", first)
    channel_of(job)
    return Done({"carrier_order_id": reply.order_id, "status": reply.status})


def _not_accepted(job: Job, error: CarrierError) -> Result:
    match error:
        case AccountFault():
            submitting.account_fault(job.ledger, job.run, fault_of(error), unsent=True)
            return Done({"held": error.code})
        case Permanent():
            submitting.refused(job.ledger, job.run, error.code, error.description, error.named)
            return Done({"refused": error.code})
        case OutcomeUnknown():
            return _wait(job, error, afresh=True)
    seconds = delay_of(error, job.run.attempts)
    submitting.not_sent(job.ledger, job.run, seconds, error.code, trouble_of(error))
    return Later(error.code, seconds)


def _ask_for(job: Job, order: OrderView) -> Result:
    """Look the order up by our own reference; send it again only when it has had all its time to appear."""
    try:
        listed = job.access.dashboard.list_orders(job.timeout, customer_order_id=order.reference)
    except AccountFault as error:
        submitting.account_fault(job.ledger, job.run, fault_of(error), unsent=False)
        return Done({"held": error.code})
    except CarrierError as error:
        return _wait(job, error)  # it tells nothing, and never counts as the look that tells that the time is over
    # Whether the carrier's filter matches parts of a reference is documented nowhere; ours are compared whole.
    same = [found for found in listed if found.customer_order_id == order.reference]
    if same:
        return _accepted(job, min(same, key=lambda found: found.created_at or ""))
    return _absent(job, order)


def _left(job: Job, order: OrderView) -> float:
    """For how long the order may still appear, by the ledger's clock."""
    return (order.sent_at or 0) + job.access.account.order_settle - order.now


def _absent(job: Job, order: OrderView) -> Result:
    left = _left(job, order)
    if left <= 0 and job.run.lost:
        submitting.settled_absent(job.ledger, job.run)
        return Later("the lost order never appeared; it is sent again", 0)
    # A clock that was put forward makes any time seem over: the last look comes as long after as a call may take.
    seconds = min(left, backoff.retry_delay(job.run.attempts + 1, 1.0)) if left > 0 else job.timeout
    orders.wait(job.ledger, job.run, seconds, "order_not_seen", over=left <= 0)
    return Later("the lost order is not seen yet", seconds)


def _wait(job: Job, error: CarrierError, *, afresh: bool = False) -> Result:
    seconds = delay_of(error, 0 if afresh else job.run.attempts)
    orders.wait(job.ledger, job.run, seconds, error.code, trouble_of(error), afresh=afresh)
    return Later(error.code, seconds)


def poll_order(job: Job) -> Result:
    """Look at an accepted order once; a slow order is waited for, never failed."""
    order = orders.load(job.ledger, job.run)
    try:
        reply = job.access.dashboard.get_order(order.carrier_order_id or "", job.timeout)
    except AccountFault as error:
        submitting.account_fault(job.ledger, job.run, fault_of(error), unsent=False)
        return Done({"held": error.code})
    except NotFound:
        return _missing(job, order)
    except CarrierError as error:
        return _not_seen(job, order, error)
    return _finished(job, order, reply) if reply.status in reconcile.FINISHED else _unfinished(job, order, reply)


def _next_look(job: Job, order: OrderView) -> float:
    account = job.access.account
    return backoff.poll_delay(order.now - (order.accepted_at or order.now), account.poll_first, account.poll_max)


def _not_seen(job: Job, order: OrderView, error: CarrierError) -> Result:
    """A look that failed is only a look: the next one comes when it would have come, or when the carrier says."""
    seconds = _next_look(job, order) if error.retry_after is None else delay_of(error, 0)
    orders.wait(job.ledger, job.run, seconds, error.code, trouble_of(error), looked_at=order.now)
    return Later(error.code, seconds)


def _unfinished(job: Job, order: OrderView, reply: Order) -> Result:
    usual, most = _next_look(job, order), job.access.account.poll_max
    seconds = notifying.next_look(channel_of(job), looked_at=order.now, usual=usual, most=most)
    seconds = polling.unfinished(job.ledger, job.run, reply.status, seconds, order.now)
    return Later(f"{reply.status}, look {order.polls + 1}", seconds)


def _finished(job: Job, order: OrderView, reply: Order) -> Result:
    fates = reconcile.fates(order.numbers, reply.status, reply.numbers, reply.errors)
    fault = _common_fault(order, fates)
    if fault is not None:
        polling.withdrawn(job.ledger, job.run, reply.status, fault)
        return Done({"status": reply.status, "held": fault.code})
    polling.ended(job.ledger, job.run, reply.status, fates)
    counts = {"good": len(fates.good), "failed": len(fates.failed), "unaccounted": len(fates.unaccounted)}
    return Done({"status": reply.status, **counts})


def _common_fault(order: OrderView, fates: reconcile.Fates) -> Fault | None:
    """The account-level fault that failed every number of the order alike, such as a wrong site; None otherwise."""
    reasons = set(fates.failed.values())
    if len(fates.failed) < len(order.numbers) or len(reasons) != 1:
        return None
    code, description = reasons.pop()
    reason = reason_for(code)
    if reason.kind != "account":
        return None
    return Fault(code, f"{description.rstrip('.')}. {reason.fix}", reason.scope == "account")


def _missing(job: Job, order: OrderView) -> Result:
    settle = job.access.account.order_settle
    over = order.missing_since is not None and order.now - order.missing_since >= settle
    if over and job.run.lost:
        polling.ended(
            job.ledger, job.run, "GONE", reconcile.Fates(frozenset(), dict.fromkeys(order.numbers, ORDER_GONE))
        )
        return Done({"status": "GONE", "failed": len(order.numbers)})
    # As for an order that never appeared: a clock that was put forward makes any time seem over.
    seconds = max(job.timeout if over else 0, min(_next_look(job, order), settle))
    polling.missing(job.ledger, job.run, seconds, order.now, over=over)
    return Later("the carrier does not show the order", seconds)
