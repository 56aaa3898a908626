"""The life of a number, an order and an import: every state, every event, every legal move.

A number row stores only its own outcome. While it has none, what the world sees is read from its order, so that what
happens to an order of a thousand numbers is one write. `seen_as` is that reading; `NUMBER_MOVES` is the map it
keeps to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class IllegalMove(Exception):
    """The event cannot happen in this state."""


class Action(StrEnum):
    """What an import does with its numbers."""

    IMPORT = "IMPORT"
    REMOVE = "REMOVE"


class Stage(StrEnum):
    """Where a number failed."""

    ORDER = "order"
    APPLICATION = "application"
    IMPORT = "import"
    RELEASE = "release"
    VERIFY = "verify"


class NumberState(StrEnum):
    """A number as everyone outside sees it."""

    REQUESTED = "requested"  # ours to order; leaves when the carrier accepts its order
    ORDERED = "ordered"  # the carrier's to process; leaves when the order ends
    AVAILABLE = "available"  # on the Dashboard, ours to import into Catapult
    RELEASED = "released"  # REMOVE: gone from Catapult, ours to order away from the Dashboard
    IMPORTED = "imported"  # final unless verified: Catapult holds it under our application
    VERIFIED = "verified"  # final: a message was seen to leave and to arrive
    REMOVED = "removed"  # final: neither API holds it any longer
    FAILED = "failed"  # final: stage, code and description say why
    CANCELLED = "cancelled"  # final: somebody cancelled the import first
    UNACCOUNTED = "unaccounted"  # final: its order ended and did not tell what became of it
    PRESENT = "present"  # final: it was there already, and was left as it was


OPEN: Final = frozenset(
    {NumberState.REQUESTED, NumberState.ORDERED, NumberState.AVAILABLE, NumberState.RELEASED},
)
FINAL: Final = frozenset(NumberState) - OPEN
GOOD: Final = frozenset(
    {NumberState.IMPORTED, NumberState.VERIFIED, NumberState.REMOVED, NumberState.PRESENT},
)


class NumberEvent(StrEnum):
    """What can happen to a number."""

    ORDER_ACCEPTED = "order_accepted"  # the carrier took the order that names it
    ORDER_WITHDRAWN = "order_withdrawn"  # the carrier ended the order for a fault of the account; it is placed anew
    ORDER_GOOD = "order_good"  # the ended order lists it and no error names it
    ORDER_BAD = "order_bad"  # an error of the order names it, or the whole order failed
    ORDER_SILENT = "order_silent"  # the ended order names it nowhere
    IMPORT_DONE = "import_done"  # Catapult answered with its resource, or shows it
    FOUND_PRESENT = "found_present"  # Catapult had it before us, under our application
    STEP_FAILED = "step_failed"  # a step of its own ended for good without success
    RELEASE_DONE = "release_done"  # Catapult no longer holds it
    CANCELLED = "cancelled"  # somebody cancelled, and no run holds it
    VERIFIED = "verified"  # both its messages arrived


_S, _E = NumberState, NumberEvent
NUMBER_MOVES: Final[Mapping[tuple[NumberState, NumberEvent], NumberState]] = {
    (_S.REQUESTED, _E.ORDER_ACCEPTED): _S.ORDERED,
    (_S.REQUESTED, _E.ORDER_BAD): _S.FAILED,
    (_S.REQUESTED, _E.STEP_FAILED): _S.FAILED,
    (_S.REQUESTED, _E.RELEASE_DONE): _S.RELEASED,
    (_S.REQUESTED, _E.CANCELLED): _S.CANCELLED,
    (_S.RELEASED, _E.ORDER_ACCEPTED): _S.ORDERED,
    (_S.RELEASED, _E.ORDER_BAD): _S.FAILED,
    (_S.RELEASED, _E.STEP_FAILED): _S.FAILED,
    (_S.RELEASED, _E.CANCELLED): _S.CANCELLED,
    (_S.ORDERED, _E.ORDER_GOOD): _S.AVAILABLE,
    (_S.ORDERED, _E.ORDER_BAD): _S.FAILED,
    (_S.ORDERED, _E.ORDER_SILENT): _S.UNACCOUNTED,
    (_S.ORDERED, _E.ORDER_WITHDRAWN): _S.REQUESTED,
    (_S.ORDERED, _E.STEP_FAILED): _S.FAILED,
    (_S.ORDERED, _E.CANCELLED): _S.CANCELLED,
    (_S.AVAILABLE, _E.IMPORT_DONE): _S.IMPORTED,
    (_S.AVAILABLE, _E.FOUND_PRESENT): _S.PRESENT,
    (_S.AVAILABLE, _E.STEP_FAILED): _S.FAILED,
    (_S.AVAILABLE, _E.ORDER_BAD): _S.FAILED,
    (_S.AVAILABLE, _E.CANCELLED): _S.CANCELLED,
    (_S.IMPORTED, _E.VERIFIED): _S.VERIFIED,
}


def move(state: NumberState, event: NumberEvent, action: Action = Action.IMPORT) -> NumberState:
    """Tell where the event leads.

    A final state stays as it is whatever happens later (answers come late and twice); the one way on is verification.
    For REMOVE an order's good end is the end of the number, and a withdrawn order leaves it released.

    Raises:
        IllegalMove: the number is open and the event cannot happen to it.
    """
    if action is Action.REMOVE and state is _S.ORDERED:
        removal = {_E.ORDER_GOOD: _S.REMOVED, _E.ORDER_WITHDRAWN: _S.RELEASED}
        if event in removal:
            return removal[event]
    known = NUMBER_MOVES.get((state, event))
    if known is not None:
        return known
    if state in FINAL:
        return state
    raise IllegalMove(f"{event} cannot happen to a number that is {state}")


class OrderState(StrEnum):
    """An order of an import, as the ledger keeps it."""

    RELEASING = "releasing"  # REMOVE: our runs delete its numbers at Catapult; then it is planned
    PLANNED = "planned"  # the dispatcher sends it when pace and window allow
    SUBMITTING = "submitting"  # we said so and called; an answer, or asking for it by reference, moves it on
    ACCEPTED = "accepted"  # the carrier works on it; we look from time to time
    AVAILABLE = "available"  # the carrier is done; our grants import its good numbers
    DONE = "done"  # final: each of its numbers has its own outcome (REMOVE: the open ones are removed)
    REFUSED = "refused"  # final: its open numbers failed together, for the reason on the order
    CANCELLED = "cancelled"  # final: its open numbers were cancelled together


UNFINISHED_ORDERS: Final = frozenset(
    {
        OrderState.RELEASING,
        OrderState.PLANNED,
        OrderState.SUBMITTING,
        OrderState.ACCEPTED,
        OrderState.AVAILABLE,
    },
)
AT_CARRIER: Final = frozenset({OrderState.SUBMITTING, OrderState.ACCEPTED})

_O = OrderState
ORDER_MOVES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _O.RELEASING: frozenset({_O.PLANNED, _O.DONE, _O.REFUSED, _O.CANCELLED}),
    _O.PLANNED: frozenset({_O.SUBMITTING, _O.REFUSED, _O.CANCELLED}),
    _O.SUBMITTING: frozenset({_O.PLANNED, _O.ACCEPTED, _O.DONE, _O.REFUSED, _O.CANCELLED}),
    _O.ACCEPTED: frozenset({_O.PLANNED, _O.AVAILABLE, _O.DONE, _O.REFUSED, _O.CANCELLED}),
    _O.AVAILABLE: frozenset({_O.DONE, _O.REFUSED, _O.CANCELLED}),
    _O.DONE: frozenset(),
    _O.REFUSED: frozenset(),
    _O.CANCELLED: frozenset(),
}


class Outcome(StrEnum):
    """What a number row stores of itself."""

    OPEN = "open"  # none yet: read the order
    RELEASED = "released"  # REMOVE: deleted at Catapult; the rest is read from the order
    IMPORTED = "imported"
    VERIFIED = "verified"
    FAILED = "failed"
    UNACCOUNTED = "unaccounted"
    PRESENT = "present"


_OPEN_SEEN: Final = {
    _O.RELEASING: _S.REQUESTED,
    _O.PLANNED: _S.REQUESTED,
    _O.SUBMITTING: _S.REQUESTED,
    _O.ACCEPTED: _S.ORDERED,
    _O.AVAILABLE: _S.AVAILABLE,
    _O.REFUSED: _S.FAILED,
    _O.CANCELLED: _S.CANCELLED,
}
_RELEASED_SEEN: Final = {
    _O.RELEASING: _S.RELEASED,
    _O.PLANNED: _S.RELEASED,
    _O.SUBMITTING: _S.RELEASED,
    _O.ACCEPTED: _S.ORDERED,
    _O.DONE: _S.REMOVED,
    _O.REFUSED: _S.FAILED,
    _O.CANCELLED: _S.CANCELLED,
}


def seen_as(outcome: Outcome, order: OrderState) -> NumberState:
    """Read what a number is from what its row stores and where its order stands."""
    if outcome is Outcome.OPEN:
        return _OPEN_SEEN[order]
    if outcome is Outcome.RELEASED:
        return _RELEASED_SEEN[order]
    return NumberState(outcome.value)


class ImportState(StrEnum):
    """An import; never stored, always computed from its counters and flags."""

    QUEUED = "queued"  # accepted; nothing of it has reached the carrier
    RUNNING = "running"
    PAUSED = "paused"  # until somebody resumes it
    HELD = "held"  # an account-level fault; until somebody mends it and resumes
    COMPLETE = "complete"  # final: every number is good
    PARTIAL = "partial"  # final: some are good
    FAILED = "failed"  # final: none is good
    CANCELLED = "cancelled"  # final: somebody cancelled it before it was through


@dataclass(frozen=True, kw_only=True)
class ImportFacts:
    """What decides the state of an import: numbers by state, rejected rows, and the flags.

    `verifying`: its numbers have their outcomes, and messages go round to prove those that were imported.
    """

    counts: Mapping[NumberState, int]
    rejected: int = 0
    started: bool = False
    paused: bool = False
    held: bool = False
    cancel_asked: bool = False
    verifying: bool = False


def import_state(facts: ImportFacts) -> ImportState:
    """Compute the state of an import; the first rule that fits decides."""
    if not facts.verifying and sum(facts.counts.get(state, 0) for state in OPEN) == 0:
        return _ended(facts)
    if facts.held:
        return ImportState.HELD  # a cancelled one, too, whose lost answers cannot be asked for until a person acts
    if facts.cancel_asked:
        return ImportState.RUNNING  # until the runs in flight have let go
    if facts.paused:
        return ImportState.PAUSED
    return ImportState.RUNNING if facts.started or _moved(facts) else ImportState.QUEUED


def _moved(facts: ImportFacts) -> bool:
    """Whether any number is past its beginning; a removal deletes numbers before it sends an order."""
    return any(count for state, count in facts.counts.items() if state is not NumberState.REQUESTED)


def _ended(facts: ImportFacts) -> ImportState:
    good = sum(facts.counts.get(state, 0) for state in GOOD)
    bad = sum(facts.counts.get(state, 0) for state in FINAL - GOOD)
    if facts.counts.get(NumberState.CANCELLED, 0):
        return ImportState.CANCELLED
    if bad == 0 and (good or not facts.rejected):
        return ImportState.COMPLETE
    return ImportState.PARTIAL if good else ImportState.FAILED
