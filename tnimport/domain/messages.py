"""The life of a message that goes out: every state, every event, every legal move; and what a message may say.

No call of the messages API can be repeated safely, so a message whose answer is unclear is `unknown`: word of the
carrier that names it proves that it was sent, and nobody but a person decides to send it again.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tnimport.domain.life import IllegalMove
from tnimport.domain.reasons import reason_for

TEXT_MOST: Final = 2048  # characters of a text (ap-docs, messages)
MEDIA_MOST: Final = 10  # our choice: nothing is documented
SEND_AGAIN: Final = "It was tried several times, and not taken: send a new one later."
BATCH_MOST: Final = 50  # messages of one request, as in one of Bandwidth's


class MessageState(StrEnum):
    """Where a message of ours is."""

    QUEUED = "queued"  # ours to send, when the pace allows; a reason may say why it was not taken yet
    SENDING = "sending"  # we said so and called; the answer, or the lack of one, moves it on
    SENT = "sent"  # final: the carrier took it under an id; receipts tell of its delivery
    FAILED = "failed"  # final: it was refused; code and description say why
    UNKNOWN = "unknown"  # final unless the carrier is heard of it: it may have been taken; a person decides
    CANCELLED = "cancelled"  # final: it was to prove a number of an import that somebody cancelled


FINAL: Final = frozenset(MessageState) - {MessageState.QUEUED, MessageState.SENDING}


class MessageMove(StrEnum):
    """What can happen to a message."""

    CALLING = "calling"  # a run is about to call the carrier
    TAKEN = "taken"  # the carrier answered with its id
    NOT_TAKEN = "not_taken"  # the carrier certainly has not got it, and may take it later
    REFUSED = "refused"  # the carrier will not take it
    UNANSWERED = "unanswered"  # the answer was lost or unclear, or the run vanished
    HEARD = "heard"  # the carrier's own word came later, and names it: it was taken
    CANCELLED = "cancelled"  # its import was cancelled, and no run holds it
    PARKED = "parked"  # the runs that were to send it vanished before they called, again and again


_S, _M = MessageState, MessageMove
MESSAGE_MOVES: Final[Mapping[tuple[MessageState, MessageMove], MessageState]] = {
    (_S.QUEUED, _M.CALLING): _S.SENDING,
    (_S.QUEUED, _M.CANCELLED): _S.CANCELLED,
    (_S.QUEUED, _M.PARKED): _S.FAILED,
    (_S.SENDING, _M.TAKEN): _S.SENT,
    (_S.SENDING, _M.NOT_TAKEN): _S.QUEUED,
    (_S.SENDING, _M.REFUSED): _S.FAILED,
    (_S.SENDING, _M.UNANSWERED): _S.UNKNOWN,
    (_S.UNKNOWN, _M.HEARD): _S.SENT,
}


def move_message(state: MessageState, happened: MessageMove) -> MessageState:
    """Tell where a message goes; a final state stays as it is whatever happens later, but for one that is heard of.

    Raises:
        IllegalMove: the message is not through and this cannot happen to it.
    """
    known = MESSAGE_MOVES.get((state, happened))
    if known is not None:
        return known
    if state in FINAL:
        return state
    raise IllegalMove(f"{happened} cannot happen to a message that is {state}")


def fix_of(state: MessageState, code: str | None) -> str | None:
    """What a person does about a message; the catalogue's word on passing faults is for what is still being tried."""
    if state is MessageState.UNKNOWN:
        return reason_for("run_vanished").fix
    if code is None:
        return None
    reason = reason_for(code)
    return SEND_AGAIN if state is MessageState.FAILED and reason.kind == "transient" else reason.fix


def sources(happened: MessageMove) -> tuple[MessageState, ...]:
    """The states in which this may happen."""
    return tuple(state for state, known in MESSAGE_MOVES if known is happened)


class Delivery(StrEnum):
    """What receipts tell of a sent message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    ERROR = "error"  # the carrier took it, and could not send it


DELIVERY_ENDED: Final = frozenset(Delivery) - {Delivery.WAITING}
