"""Holds what was accepted against the ledger and the carrier. Pure functions; each lists what it found."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.torture import mailed
from tests.torture.mailed import Mailed
from tests.torture.rows import Wish, fate

PARKED = "needs_attention"
RECOVERY_SECONDS = 15.0
HELD = {"imported", "present"}
REFUSED = {"rejected", "duplicate", "blank"}


@dataclass(kw_only=True)
class Evidence:
    """Everything that is looked at once all is quiet."""

    wishes: dict[str, Wish]  # by import id, in the order of acceptance
    views: dict[str, dict[str, Any]]  # imports as the HTTP API shows them
    rows: dict[str, list[dict[str, Any]]]  # their rows, as exported
    work: list[dict[str, Any]]  # what is left of the ledger's work
    cancelled: set[str] = field(default_factory=set)  # imports that somebody cancelled
    withdrawn: Counter[str] = field(default_factory=Counter)  # times an order of this number was taken back
    effects: dict[str, dict[str, int]]
    resources: list[dict[str, Any]]  # numbers at Catapult, of both users
    in_service: set[str]  # numbers on the dashboards
    orders: list[dict[str, Any]]  # at the carrier
    applications: list[dict[str, Any]]  # at the carrier
    claim_seconds: float
    allowed: float = RECOVERY_SECONDS  # beyond the time of a claim, until work goes on
    overdue: float = 0.0  # longest time that a claim outlived its own while somebody could have taken it back
    recovered_after: float = 0.0  # from the end of the last fault to the first progress
    canaries: tuple[str, ...] = ()
    mail: Mailed = field(default_factory=Mailed)
    texts: dict[str, str] = field(default_factory=dict)  # logs, messages, the ledger's bytes, answers

    def latest(self) -> dict[str, tuple[Wish, dict[str, Any]]]:
        """Each number with the last import that it was in, and its row there."""
        found = {}
        for import_id, wish in self.wishes.items():
            for row in self.rows[import_id]:
                if row["state"] not in REFUSED:
                    found[row["number"][-10:]] = wish, row
        return found


def conservation(seen: Evidence) -> Iterator[str]:
    """Every accepted row is in exactly one bucket, and the sums are right."""
    for import_id, wish in seen.wishes.items():
        counts = dict(seen.views[import_id]["counts"])
        total, accepted = counts.pop("rows"), len(wish.numbers) + len(wish.refused)
        if not total == sum(counts.values()) == accepted:
            yield f"{import_id}: {accepted} accepted, {total} rows, {sum(counts.values())} in buckets"
        refused = Counter(kind for kind, _ in wish.refused)
        if Counter({kind: counts.get(kind, 0) for kind in REFUSED if counts.get(kind)}) != refused:
            yield f"{import_id}: of the rows that are no numbers {dict(refused)} were sent, and {counts} counted"
        rows = seen.rows[import_id]
        shown = Counter(row["state"] for row in rows)
        if shown != Counter({state: count for state, count in counts.items() if count and state != "blank"}):
            yield f"{import_id}: counters {counts} and rows {dict(shown)} differ"
        if Counter(row["number"][-10:] for row in rows if row["state"] not in REFUSED) != Counter(wish.numbers):
            yield f"{import_id}: its rows are not the numbers that were sent"
        sent = Counter(text for kind, text in wish.refused if kind == "rejected")
        if Counter(row["number"] for row in rows if row["state"] == "rejected") != sent:
            yield f"{import_id}: its rejected rows are not those that were sent"


def lost(seen: Evidence) -> Iterator[str]:
    """Nothing is open for ever, and what is imported here exists there under the same id, and the other way round."""
    held = {one["number"][-10:]: one["id"] for one in seen.resources}
    for number, (_, row) in seen.latest().items():
        if row["code"] == PARKED:
            continue
        ours = row["number_id"] if row["state"] in HELD else None
        if ours != held.get(number):
            yield f"{number}: {row['state']} here with {ours}, there {held.get(number)}"
        if row["state"] == "removed" and number in seen.in_service:
            yield f"{number}: removed here, in service there"
    for import_id, view in seen.views.items():
        if not view["finished_at"]:
            yield f"{import_id}: never ended: {view['state']} {view.get('waiting_on')}"


def doubled(seen: Evidence) -> Iterator[str]:
    """No number has two resources, none was imported twice, no order and no application was made twice."""
    for number, done in seen.effects.items():
        if done["most_resources"] > 1 or done["imports"] > 1 + done["deletes"]:
            yield f"{number}: imported {done['imports']} times, {done['most_resources']} resources at once"
        if max(done["orders"], done["removals"]) > 1 + seen.withdrawn[number]:
            yield f"{number}: in {done['orders']} orders and {done['removals']} removals"
    for reference, count in Counter(order["customer_order_id"] for order in seen.orders).items():
        if count > 1:
            yield f"order {reference}: placed {count} times"
    for name, count in Counter((one["user"], one["name"]) for one in seen.applications).items():
        if count > 1:
            yield f"application {name}: made {count} times"


def unexplained(seen: Evidence) -> Iterator[str]:
    """Every number has the fate that it would have had without any fault of the machine or the network.

    Of a cancelled import, what was done is done, and the rest is cancelled.
    """
    stopped = {seen.wishes[import_id].ref for import_id in seen.cancelled}
    for number, (wish, row) in seen.latest().items():
        if row["state"] == "cancelled" and wish.ref in stopped:
            continue
        if row["code"] != PARKED and (row["state"], row["code"]) != fate(wish, number):
            yield f"{number}: {row['state']} {row['code']}, not {fate(wish, number)}"


def claims(seen: Evidence) -> Iterator[str]:
    """No claim outlived its time while somebody was there to take it back, and no work is left."""
    if seen.overdue > seen.allowed:
        yield f"a claim was {seen.overdue:.1f} s over its time"
    for row in seen.work:
        yield f"work is left: {row}"


def recovery(seen: Evidence) -> Iterator[str]:
    """After the last fault something moved within the time of a claim and 15 seconds, or what this run allows."""
    if seen.recovered_after > seen.claim_seconds + seen.allowed:
        yield f"nothing moved for {seen.recovered_after:.1f} s"


def secrets(seen: Evidence) -> Iterator[str]:
    """No secret of the accounts is where it must not be."""
    for name, text in seen.texts.items():
        if any(canary in text for canary in seen.canaries):
            yield f"a secret is in {name}"


def parked(seen: Evidence) -> list[str]:
    """Numbers that three runs in a row left unanswered: said to be so, and for a person to look at."""
    return [number for number, (_, row) in seen.latest().items() if row["code"] == PARKED]


def cancelled(seen: Evidence) -> list[str]:
    """Numbers that a cancel left undone: here and, as `lost` looks, at the carrier."""
    return [number for number, (_, row) in seen.latest().items() if row["state"] == "cancelled"]


CHECKERS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    one.__name__: one for one in (conservation, lost, doubled, unexplained, claims, recovery, secrets)
}


def judge(seen: Evidence) -> dict[str, list[str]]:
    """What each checker found; empty lists are what we want."""
    found = {name: list(checker(seen)) for name, checker in CHECKERS.items()}
    return found | {one.__name__: list(one(seen.mail)) for one in (mailed.sent_once, mailed.received, mailed.told)}
