"""What the operator can make happen at the carrier."""

import re
from typing import Any, Final

from sandbox.carrier import Carrier
from sandbox.catapult.inbox import receive
from sandbox.dashboard.processing import finish
from sandbox.dashboard.state import ServiceNumber

_TEN_DIGITS: Final = re.compile(r"[0-9]{10}")


def release(carrier: Carrier) -> dict[str, int]:
    """End every stuck order as if it had not been stuck."""
    freed = 0
    for dashboard in carrier.dashboards.values():
        for order in dashboard.orders.values():
            if order.stuck:
                finish(carrier, dashboard, order)
                freed += 1
    return {"released": freed}


def put_in_service(carrier: Carrier, wanted: dict[str, Any]) -> dict[str, int]:
    """Put `numbers` (10 digits) on the dashboard of `account` (the first by default) without an order."""
    numbers = wanted.get("numbers")
    if not isinstance(numbers, list) or not all(isinstance(one, str) and _TEN_DIGITS.fullmatch(one) for one in numbers):
        raise TypeError("numbers must be a list of strings of 10 digits")
    account_id = str(wanted.get("account", carrier.accounts[0].account_id))
    if account_id not in carrier.dashboards:
        raise ValueError("no such account")
    held = carrier.dashboards[account_id].in_service
    for number in numbers:
        held[number] = ServiceNumber(number, None, None, "")
    return {"in_service": len(held)}


def inbound(carrier: Carrier, wanted: dict[str, Any], origin: str) -> dict[str, str | None]:
    """Let a message `text` come in `from` anywhere `to` a number that lives here (both E.164)."""
    text = str(wanted.get("text", ""))
    media = wanted.get("media", [])
    if not isinstance(media, list) or not all(isinstance(one, str) for one in media):
        raise TypeError("media must be a list of URLs")
    content = {"text": text, "media": media, "segmentCount": 1}
    return {"id": receive(carrier, str(wanted.get("from", "")), str(wanted.get("to", "")), content, origin)}
