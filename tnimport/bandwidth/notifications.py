"""Notifications of orders (api-docs orderWebhook.md): word that something happened, never the truth about it."""

from dataclasses import dataclass
from typing import Final

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.xml_body import Unreadable, local, parse, value

EXTERNAL_TNS: Final = "externaltns"
_LONGEST: Final = 64


class UnreadableNotification(ValueError):
    """It is no notification of an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Which order it is about: by the carrier's id, by ours, or both (one printed example lacks the former)."""

    order_id: str | None
    customer_order_id: str | None
    order_type: str | None

    @property
    def of_external_tns(self) -> bool:
        """Whether it is about an order of the kind that we place; what does not say so may be."""
        return self.order_type is None or self.order_type.lower() == EXTERNAL_TNS


def read_notification(body: bytes, content_type: str = "") -> Notification:
    """Return what a notification tells, or raise UnreadableNotification."""
    try:
        root = parse(Reply(200, {"Content-Type": content_type}, body))
    except Unreadable:
        raise UnreadableNotification from None
    named = _short(value(root, "orderid")), _short(value(root, "customerorderid"))
    if local(root) != "notification" or named == (None, None):
        raise UnreadableNotification
    return Notification(order_id=named[0], customer_order_id=named[1], order_type=value(root, "ordertype"))


def _short(text: str | None) -> str | None:
    return texts.clean(texts.free(text))[:_LONGEST] or None if text else None
