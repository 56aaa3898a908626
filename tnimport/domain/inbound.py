"""What the carrier calls us about: a message that came in, or how one of ours fares."""

from dataclasses import dataclass
from typing import Final

from tnimport.domain.messages import Delivery

MESSAGE: Final = "message"
FAILED: Final = "out:error"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """One callback of the messages API.

    Attributes:
        message_id: the carrier's id of the message; with `kind` it tells an event from its repetitions.
        kind: `message` for one that came in; for ours `receipt:` and its delivery state, or `out:` and its state.
        event_type: sms or mms.
        sender: E.164 where it is a North American number, else as it came.
        recipient: as the sender.
        text: the message's; empty where there is none.
        media: addresses of pictures and the like.
        tag: what the sender of an outgoing message attached for itself.
        application_id: the application that was called for.
        delivery_state: of receipts: delivered, not-delivered, waiting.
        delivery_code: of receipts: the carrier's code, "0" for delivered.
        delivery_description: of receipts: the code in words.
        said_at: the carrier's own words for when.
    """

    message_id: str
    kind: str
    event_type: str
    sender: str
    recipient: str
    text: str = ""
    media: tuple[str, ...] = ()
    tag: str | None = None
    application_id: str | None = None
    delivery_state: str | None = None
    delivery_code: str | None = None
    delivery_description: str | None = None
    said_at: str | None = None

    @property
    def delivery(self) -> str | None:
        """What it says of the delivery of a message of ours; one that the carrier could not send says so elsewhere."""
        return Delivery.ERROR if self.kind == FAILED else self.delivery_state

    @property
    def came_in(self) -> bool:
        """Whether it is a message to one of our numbers."""
        return self.kind == MESSAGE
