"""Sends callbacks: JSON by POST or a query by GET, to one URL and then to its fallback."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from sandbox.carrier import Carrier
from sandbox.catapult.state import CatapultUser, Message, stamp
from sandbox.wire.outbound import Outgoing, basic_of, send
from sandbox.wire.urls import is_loopback, without_userinfo

_AGENT: Final = "BandwidthAPI/v1 (sandbox)"


def message_event(
    user: CatapultUser, message: Message, origin: str, *, application_id: str | None, receipt: bool
) -> dict[str, Any]:
    """What is told about a message; a receipt also says how it was delivered."""
    media = message.fields["media"]
    event = {
        "eventType": "mms" if media else "sms",
        "direction": message.direction,
        "messageId": message.message_id,
        "messageUri": f"{origin}/v1/users/{user.account.user_id}/messages/{message.message_id}",
        "from": message.sender,
        "to": message.recipient,
        "text": message.fields["text"],
        "media": media or None,
        "applicationId": application_id,
        "time": stamp(message.time),
        "state": message.state,
        "segmentCount": message.fields["segmentCount"],
        "tag": message.fields.get("tag"),
    }
    if receipt:
        event |= {
            "deliveryState": message.delivery_state,
            "deliveryCode": message.delivery_code,
            "deliveryDescription": message.delivery_description,
        }
    return {name: value for name, value in event.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where events go: the URL, its fallback, the method (get or post) and the seconds to wait for an answer."""

    url: str
    fallback: str | None
    method: str
    seconds: float

    @property
    def urls(self) -> list[str]:
        """The URLs in the order in which they are tried."""
        return [self.url, self.fallback] if self.fallback else [self.url]


def tell(carrier: Carrier, event: dict[str, Any], target: Target, wait: float = 0.0) -> None:
    """Send the event in the background, as often as the switch says, after `wait` seconds."""
    for _ in range(carrier.switches.callback_copies):
        carrier.timers.start(_tell(carrier, event, target, wait))


async def _tell(carrier: Carrier, event: dict[str, Any], target: Target, wait: float) -> None:
    await asyncio.sleep(carrier.switches.callback_delay + wait)
    for url in target.urls:
        outcome = await _outcome(carrier, event, target, url)
        carrier.journal.callbacks.append(
            {
                "kind": "message",
                "id": event["messageId"],
                "method": target.method.upper(),
                "url": without_userinfo(url),
                "outcome": outcome,
            }
        )
        # Our choice: any answer of 2xx is enough, nothing else is retried except at the fallback URL;
        # neither the expected answer nor retries are documented for this version of the API.
        if outcome == "delivered":
            return


async def _outcome(carrier: Carrier, event: dict[str, Any], target: Target, url: str) -> str:
    if carrier.switches.callback_hosts == "loopback" and not is_loopback(url):
        return "not sent: only loopback is called"
    try:
        reply = await send(_outgoing(event, target.method, url), min(target.seconds, carrier.switches.callback_timeout))
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with the URL or the answer, it was not delivered
        return f"failed: {type(problem).__name__}"
    return "delivered" if 200 <= reply.status < 300 else f"failed: {reply.status}"  # noqa: PLR2004 - HTTP's own numbers


def _outgoing(event: dict[str, Any], method: str, url: str) -> Outgoing:
    headers = {"User-Agent": _AGENT, **basic_of(url)}
    if method == "get":
        joint = "&" if urlsplit(url).query else "?"
        return Outgoing(method="GET", url=f"{url}{joint}{urlencode(_flat(event), errors='replace')}", headers=headers)
    headers["Content-Type"] = "application/json; charset=utf-8"
    return Outgoing(method="POST", url=url, headers=headers, body=json.dumps(event).encode())


def _flat(event: dict[str, Any]) -> dict[str, str]:
    """As query parameters; a list becomes text in brackets."""
    return {name: f"[{', '.join(value)}]" if isinstance(value, list) else str(value) for name, value in event.items()}
