"""The limited endpoints of an account, and the pace that its settings allow each."""

from enum import StrEnum
from typing import Final

from tnimport.domain.accounts import Paces
from tnimport.domain.pacing import Pace


class Lane(StrEnum):
    """One limited endpoint."""

    DASHBOARD = "dashboard"
    APPLICATIONS = "applications"
    NUMBERS = "numbers"
    LOOKUPS = "lookups"
    MESSAGES = "messages"
    WEBHOOKS = "webhooks"  # to whoever asked to be told: no carrier's, and not limited
    VERIFY = "verify"  # looks at what has arrived: our own ledger, and not limited


# Lanes that lead to the carrier: one call at a time until one has succeeded, so that a wrong password is cheap.
CARRIERS: Final = frozenset(Lane) - {Lane.WEBHOOKS, Lane.VERIFY}


def pace_of(paces: Paces, lane: Lane) -> Pace:
    """The pace of a lane: calls a second, and the burst that may be saved up."""
    match lane:
        case Lane.DASHBOARD:
            return _steady(paces.dashboard_per_second)
        case Lane.APPLICATIONS:
            return _steady(paces.applications_per_second)
        case Lane.LOOKUPS:
            return _steady(paces.lookups_per_second)
        case Lane.MESSAGES:
            return _steady(paces.messages_per_second)
        case Lane.WEBHOOKS | Lane.VERIFY:
            return Pace(0, 0)
        case Lane.NUMBERS:
            return Pace(paces.numbers_per_minute / 60, paces.numbers_burst)


def own_pace(max_per_minute: float) -> Pace:
    """The pace a caller set for one import; nothing is saved up beyond a second's worth."""
    return _steady(max_per_minute / 60)


def _steady(rate: float) -> Pace:
    return Pace(rate, max(rate, 1.0))
