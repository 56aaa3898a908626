import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tnimport.bandwidth import applications, externaltns, inventory, messages, phone_numbers, subscriptions
from tnimport.bandwidth.catapult_replies import read_created, read_done, read_one, read_page
from tnimport.bandwidth.exchange import Reply

REPLIES = Path(__file__).parent / "replies"
NEW_YEAR = 1767225600.0  # 2026-01-01T00:00:00Z: our clock whenever a recorded reply arrives

# Every decipherer of the package, by the name used in status.json; `asked` is what the request asked for.
READERS: dict[str, Callable[[Reply, Any], object]] = {
    "order_created": lambda reply, _: externaltns.read_created(reply),
    "order": externaltns.read_order,
    "orders": lambda reply, _: externaltns.read_orders(reply),
    "in_service": lambda reply, _: inventory.read_in_service(reply),
    "in_service_page": lambda reply, _: inventory.read_numbers(reply),
    "site": lambda reply, _: inventory.read_site(reply),
    "sites": lambda reply, _: inventory.read_sites(reply),
    "sip_peer": lambda reply, _: inventory.read_sip_peer(reply),
    "sip_peers": lambda reply, _: inventory.read_sip_peers(reply),
    "subscription_created": lambda reply, _: subscriptions.read_created(reply),
    "subscription": lambda reply, _: subscriptions.read_subscription(reply),
    "subscriptions": lambda reply, _: subscriptions.read_subscriptions(reply),
    "subscription_deleted": lambda reply, _: subscriptions.read_deleted(reply),
    "application_created": lambda reply, _: read_created(reply, "applications"),
    "application": lambda reply, _: read_one(reply, "application", applications.read_application),
    "applications": lambda reply, _: read_page(reply, applications.read_application),
    "number_created": lambda reply, _: read_created(reply, "phoneNumbers"),
    "number": phone_numbers.read_asked,
    "numbers": lambda reply, _: read_page(reply, phone_numbers.read_phone_number),
    "number_done": lambda reply, _: read_done(reply, "number"),
    "message_created": lambda reply, _: read_created(reply, "messages"),
    "message": lambda reply, _: read_one(reply, "message", messages.read_message),
    "messages": lambda reply, _: read_page(reply, messages.read_message),
    "batch": lambda reply, asked: messages.read_batch(reply, asked or 0),
}


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One reply on disk: how it arrived, which decipherer reads it, and the one fate that is right."""

    name: str
    call: str
    asked: Any
    reply: Reply
    fate: dict[str, Any]

    def read(self) -> object:
        return READERS[self.call](self.reply, self.asked)


def _recorded(folder: Path) -> Recorded:
    said = json.loads((folder / "status.json").read_text())
    reply = Reply(said["status"], said["headers"], (folder / "body").read_bytes(), NEW_YEAR)
    return Recorded(folder.name, said["call"], said.get("asked"), reply, said["fate"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recorded" in metafunc.fixturenames:
        cases = [_recorded(folder) for folder in sorted(REPLIES.iterdir())]
        metafunc.parametrize("recorded", cases, ids=lambda case: case.name)
    if "reader" in metafunc.fixturenames:
        metafunc.parametrize("reader", READERS.values(), ids=READERS.keys())
