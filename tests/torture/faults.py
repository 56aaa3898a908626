"""The faults by kind: what each does to the stand, with which arguments, and what ends it."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

from tests.torture.stand import PROCESSES, Stand

Undo = Callable[[], object]


@dataclass(frozen=True)
class Kind:
    """What a fault does, what it may be told, and how many seconds later it is undone (`undo` is what it returns)."""

    act: Callable[[Stand, str], Undo | None]
    arguments: Sequence[str]
    seconds: float = 0.0


def _kill(stand: Stand, name: str) -> Undo:
    stand.remove(name)
    return lambda: stand.ensure(name)


def _freezing(seconds: float) -> Callable[[Stand, str], Undo]:
    """Thawed by a thread of its own: whoever applies the schedule may be waiting for just this process."""

    def act(stand: Stand, name: str) -> Undo:
        timer = threading.Timer(seconds, stand.freeze(name))
        timer.daemon = True
        timer.start()
        return timer.join

    return act


def _second(stand: Stand, name: str) -> Undo:
    stand.ensure(f"{name}2")
    return lambda: stand.remove(f"{name}2")


def _double(stand: Stand, _: str) -> Undo:
    stand.remove("dispatcher")
    stand.ensure("doubler")

    def single() -> None:
        stand.remove("doubler")
        stand.ensure("dispatcher")

    return single


def _kill_redis(stand: Stand, _: str) -> Undo:
    stand.remove("redis")
    return lambda: stand.ensure("redis")


def _tell_redis(stand: Stand, command: str) -> None:
    stand.tell_broker(*command.split())


def _fill_redis(stand: Stand, _: str) -> Undo:
    stand.tell_broker("CONFIG", "SET", "maxmemory", "1")
    return lambda: stand.tell_broker("CONFIG", "SET", "maxmemory", "0")


def _break_ledger(stand: Stand, seconds: str) -> Undo | None:
    if stand.restart_database is None:
        return stand.lock_ledger(float(seconds)).join
    stand.restart_database()
    return None


def _fill_disk(stand: Stand, _: str) -> Undo:
    """No file of our processes may grow: not the ledger on SQLite and its log, and not what they say."""
    stand.limit_files(FULL_BYTES)
    return lambda: stand.limit_files(None)


# An import that has not ended and that nobody has stopped yet; one that takes numbers away is left to end.
_RUNNING = (
    "SELECT id FROM imports WHERE sealed_at IS NOT NULL AND finished_at IS NULL AND action = 'IMPORT' "
    "AND cancel_asked_at IS NULL AND paused_at IS NULL ORDER BY created_at LIMIT 1"
)


def _tell_import(stand: Stand, what: str) -> None:
    """What a person asks of the import that has been at work longest; a paused one is resumed by the operator."""
    for row in stand.ask(_RUNNING):
        with suppress(URLError, OSError):
            stand.http("POST", f"/v1/imports/{row['id']}/{what}")


def _shut_carrier(stand: Stand, _: str) -> Undo:
    stand.gate.shut()
    return stand.gate.open


def _stick(stand: Stand, outcome: str) -> Undo:
    stand.sandbox.switch(order_outcome=outcome)

    def unstick() -> None:
        stand.sandbox.switch(order_outcome="normal")
        stand.sandbox.release()

    return unstick


def _feature_off(stand: Stand, _: str) -> Undo:
    stand.sandbox.switch(feature_off=True)
    return lambda: stand.sandbox.switch(feature_off=False)


def _carrier(**rule: Any) -> Callable[[Stand, str], None]:
    """A fault of the sandbox; its argument is the endpoint."""

    def act(stand: Stand, endpoint: str) -> None:
        stand.sandbox.fault(endpoint, **rule)

    return act


FULL_BYTES = 4096
LIMIT = json.dumps({"category": "limit", "code": "message-rate-limit", "message": "Too many."})
CREATING = ("dashboard.orders.create", "catapult.numbers.create", "catapult.applications.create")
ANY = (
    *CREATING,
    "catapult.messages.create",
    "dashboard.orders.get",
    "dashboard.orders.list",
    "catapult.numbers.get",
    "catapult.*",
)


def kinds(*, redis_hang: float, lock: float) -> Mapping[str, Kind]:
    """Every kind of fault; how long Redis hangs and SQLite is locked is the run's."""
    return {
        "kill": Kind(_kill, PROCESSES, 0.5),
        "kill-worker": Kind(_kill, ("worker",), 0.1),
        "freeze": Kind(_freezing(1.5), PROCESSES, 1.5),
        "freeze-past-claim": Kind(_freezing(4.5), ("worker",), 4.5),
        "two-dispatchers": Kind(_second, ("dispatcher",), 6.0),
        "two-workers": Kind(_second, ("worker",), 8.0),
        "doubled-messages": Kind(_double, ("",), 6.0),
        "redis-killed": Kind(_kill_redis, ("",), 1.0),
        "redis-told": Kind(_tell_redis, ("FLUSHALL", "CLIENT KILL TYPE normal SKIPME yes")),
        "redis-hangs": Kind(_freezing(redis_hang), ("redis",), redis_hang),
        "redis-full": Kind(_fill_redis, ("",), 2.0),
        "ledger": Kind(_break_ledger, (f"{lock}",), lock),
        "disk-full": Kind(_fill_disk, ("",), 3.0),
        "pause": Kind(_tell_import, ("pause",)),
        "cancel": Kind(_tell_import, ("cancel",)),
        "refused": Kind(_shut_carrier, ("",), 2.0),
        "stuck": Kind(_stick, ("stuck-received", "stuck-processing"), 3.0),
        "feature-off": Kind(_feature_off, ("",), 1.0),
        "cut-before": Kind(_carrier(kind="cut-before", count=3), ANY),
        "cut-after": Kind(_carrier(kind="cut-after", count=3), ANY),
        "error": Kind(_carrier(kind="error", count=4), ANY),
        "error-after": Kind(_carrier(kind="error-after", count=3), ANY),
        "slow": Kind(_carrier(kind="slow", seconds=1.6, count=3), ANY),
        "drip": Kind(_carrier(kind="drip", seconds=0.4, count=2), ANY),
        "truncated": Kind(_carrier(kind="truncated", count=2), ANY),
        "oversized": Kind(_carrier(kind="oversized", bytes=9_000_000, count=2), ANY),
        "wrong-type": Kind(_carrier(kind="wrong-type", count=2), ANY),
        "html": Kind(_carrier(kind="html", count=2), ANY),
        "empty": Kind(_carrier(kind="empty", count=2), ANY),
        "entity-bomb": Kind(_carrier(kind="entity-bomb", count=2), ANY),
        "limited": Kind(_carrier(kind="rate-limited", seconds=1, count=2), ANY),
        "limited-bare": Kind(_carrier(kind="rate-limited-bare", count=1), ANY),
        "limit-403": Kind(
            _carrier(kind="answer", status=403, headers={"Content-Type": "application/json"}, body=LIMIT, count=2),
            ("catapult.numbers.create", "catapult.numbers.get"),
        ),
        "unauthorized": Kind(_carrier(kind="unauthorized", count=1), ANY),
        "order-gone": Kind(_carrier(kind="answer", status=404, count=2), ("dashboard.orders.get",)),
    }
