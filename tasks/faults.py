"""From an error of the carrier to what the ledger is told."""

from secrets import SystemRandom
from typing import Final

from tnimport.bandwidth.errors import AccountFault, CarrierError, Delivery, RateLimited
from tnimport.domain import backoff
from tnimport.domain.reasons import reason_for
from tnimport.ledger.claims.lanes import Trouble
from tnimport.ledger.imports.orders import Fault

_RANDOM: Final = SystemRandom()
UNAUTHORIZED: Final = 401


def fault_of(error: AccountFault) -> Fault:
    """The fault with its one instruction; wrong credentials stop the whole account, a wrong site only one import."""
    reason = reason_for(error.code)
    told = f"{error.description.rstrip('.')}. " if error.description else ""
    whole = error.status == UNAUTHORIZED or reason.scope == "account"
    return Fault(error.code, told + reason.fix, whole)


def trouble_of(error: CarrierError) -> Trouble | None:
    """What the error says about the lane; None when it is about the request alone."""
    if isinstance(error, RateLimited):
        return Trouble(limited=True, reset_after=error.retry_after)
    server_side = error.status is None or error.status >= 500  # noqa: PLR2004 - HTTP: the carrier's own fault
    return Trouble(limited=False) if server_side or error.delivery is not Delivery.ANSWERED else None


def delay_of(error: CarrierError, attempts: int) -> float:
    """How long to wait before another attempt, as the carrier asks or as the number of attempts suggests."""
    own = backoff.retry_delay(attempts + 1, _RANDOM.random())
    return own if error.retry_after is None else max(error.retry_after, 0.0)
