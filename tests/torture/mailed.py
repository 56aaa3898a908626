"""Holds what was asked for, what the carrier has and what a receiver was told against each other. Pure functions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class Webhook(NamedTuple):
    """One request that the receiver got."""

    id: str
    body: bytes


@dataclass(kw_only=True)
class Mailed:
    """What there was to see of messages and webhooks."""

    asked: set[str] = field(default_factory=set)  # texts of the messages that were accepted, each of them unique
    messages: dict[str, str] = field(default_factory=dict)  # text and state in the ledger
    at_carrier: list[str] = field(default_factory=list)  # texts of what it has
    answered: set[str] = field(default_factory=set)  # ids of the messages that we said to have been told of
    inbound: list[tuple[str, str]] = field(default_factory=list)  # ids and kinds of those in the ledger
    owed: dict[str, tuple[str, str]] = field(default_factory=dict)  # webhooks in the ledger: id, type and state
    finished: int = 0  # imports that have ended
    told: list[Webhook] = field(default_factory=list)

    def __str__(self) -> str:
        states = Counter(self.messages.values())
        out = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        return f"out: {out or 'none'}; in: {len(self.inbound)}; webhooks: {len(self.owed)} by {len(self.told)} requests"


def sent_once(seen: Mailed) -> Iterator[str]:
    """No message is at the carrier twice, and each is where the ledger says; of an unknown one nobody knows."""
    there = Counter(seen.at_carrier)
    for text in sorted(seen.asked | there.keys()):
        state, count = seen.messages.get(text), there[text]
        if count > 1:
            yield f"{text}: sent {count} times"
        if state == "unknown":
            continue
        if state not in {"sent", "failed"} or count != (state == "sent"):
            yield f"{text}: {state} here, {count} times there"


def received(seen: Mailed) -> Iterator[str]:
    """What we said to have received is in the ledger, once."""
    there = {message for message, _ in seen.inbound}
    yield from (f"{one}: answered, and not there" for one in sorted(seen.answered - there))
    yield from (f"{one}: {count} times there" for one, count in Counter(seen.inbound).items() if count > 1)


def told(seen: Mailed) -> Iterator[str]:
    """Each webhook has come, always with the same body; and there is one for all that is worth one."""
    types = Counter(kind for kind, _ in seen.owed.values())
    came_in = sum(kind == "message" for _, kind in seen.inbound)
    if (types["import.finished"], types["message.received"]) != (seen.finished, came_in):
        yield f"{dict(types)}, of {seen.finished} imports and {came_in} messages"
    bodies: dict[str, set[bytes]] = {}
    for one in seen.told:
        bodies.setdefault(one.id, set()).add(one.body)
    for webhook, (_, state) in seen.owed.items():
        if state != "delivered" or len(bodies.get(webhook, ())) != 1:
            yield f"{webhook}: {state}, {len(bodies.get(webhook, ()))} bodies"
