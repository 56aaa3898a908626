"""The faults by kind: what each does to the stand, with which arguments, and what ends it."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.error import URLError

from tests.torture.stand import PROCESSES, Stand

Undo = Callable[[], object]
Done = Undo | bool | None  # what ends it, or whether it did anything; None = it did, and nothing ends it


@dataclass(frozen=True)
class Kind:
    """What a fault does, what it may be told, and how many seconds later it is undone (`undo` is what it returns).

    One that is a rule of the carrier's has done something when a call has met it.
    """

    act: Callable[[Stand, str], Done]
    arguments: Sequence[str]
    seconds: float = 0.0
    is_rule: bool = False


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


def _more(*numbers: int) -> Callable[[Stand, str], Undo]:
    def act(stand: Stand, name: str) -> Undo:
        others = [f"{name}{number}" for number in numbers]
        stand.ensure(*others)
        return lambda: [stand.remove(other) for other in others]

    return act


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


def _stop_files(stand: Stand, _: str) -> Undo:
    """No file of our processes may grow: not the ledger on SQLite and its log, and not what they say.

    PostgreSQL's files are PostgreSQL's: on it this is about our logs alone, and its own full disk is in no run.
    """
    stand.limit_files(FULL_BYTES)
    return lambda: stand.limit_files(None)


# An import that has not ended and that nobody has stopped yet; one that takes numbers away is left to end.
_RUNNING = (
    "SELECT id FROM imports WHERE sealed_at IS NOT NULL AND finished_at IS NULL AND action = 'IMPORT' "
    "AND cancel_asked_at IS NULL AND paused_at IS NULL ORDER BY created_at LIMIT 1"
)


def _tell_import(stand: Stand, what: str) -> bool:
    """What a person asks of the import that has been at work longest; a paused one is resumed by the operator.

    Returns whether there was one, and it was told.
    """
    for row in stand.ask(_RUNNING):
        with suppress(URLError, OSError):
            return "status_code" not in stand.http("POST", f"/v1/imports/{row['id']}/{what}")
    return False


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


def _carrier(arguments: Sequence[str], **rule: Any) -> Kind:
    """A fault of the sandbox; its argument is the endpoint."""

    def act(stand: Stand, endpoint: str) -> None:
        stand.sandbox.fault(endpoint, **rule)

    return Kind(act, arguments, is_rule=True)


FULL_BYTES = 4096
LIMIT = json.dumps({"category": "limit", "code": "message-rate-limit", "message": "Too many."})
CREATING = ("dashboard.orders.create", "catapult.numbers.create", "catapult.applications.create")
EFFECTS = (*CREATING, "catapult.messages.create")  # what is found out about when its answer is lost
LOSSES = ("cut-after", "error-after", "slow")  # how an answer is lost though the effect is there
ANY = (
    *EFFECTS,
    "dashboard.orders.get",
    "dashboard.orders.list",
    "catapult.numbers.get",
    "catapult.*",
)


def sure(seed: int) -> list[tuple[str, str]]:
    """A third of all ways to lose the answer of an effect: any three seeds in a row deal every one of them."""
    return list(product(LOSSES, EFFECTS))[seed % 3 :: 3]


def kinds(*, redis_hang: float, lock: float) -> Mapping[str, Kind]:
    """Every kind of fault; how long Redis hangs and SQLite is locked is the run's."""
    return {
        "kill": Kind(_kill, PROCESSES, 0.5),
        "kill-worker": Kind(_kill, ("worker",), 0.1),
        "freeze": Kind(_freezing(1.5), PROCESSES, 1.5),
        "freeze-past-claim": Kind(_freezing(4.5), ("worker",), 4.5),
        "two-dispatchers": Kind(_more(2), ("dispatcher",), 6.0),
        "three-dispatchers": Kind(_more(2, 3), ("dispatcher",), 6.0),
        "two-workers": Kind(_more(2), ("worker",), 8.0),
        "doubled-messages": Kind(_double, ("",), 6.0),
        "redis-killed": Kind(_kill_redis, ("",), 1.0),
        "redis-told": Kind(_tell_redis, ("FLUSHALL", "CLIENT KILL TYPE normal SKIPME yes")),
        "redis-hangs": Kind(_freezing(redis_hang), ("redis",), redis_hang),
        "redis-full": Kind(_fill_redis, ("",), 2.0),
        "ledger": Kind(_break_ledger, (f"{lock}",), lock),
        "no-file-grows": Kind(_stop_files, ("",), 3.0),
        "pause": Kind(_tell_import, ("pause",)),
        "cancel": Kind(_tell_import, ("cancel",)),
        "refused": Kind(_shut_carrier, ("",), 2.0),
        "stuck": Kind(_stick, ("stuck-received", "stuck-processing"), 3.0),
        "feature-off": Kind(_feature_off, ("",), 1.0),
        "cut-before": _carrier(ANY, kind="cut-before", count=3),
        "cut-after": _carrier(ANY, kind="cut-after", count=3),
        "error": _carrier(ANY, kind="error", count=4),
        "error-after": _carrier(ANY, kind="error-after", count=3),
        "slow": _carrier(ANY, kind="slow", seconds=1.6, count=3),
        "drip": _carrier(ANY, kind="drip", seconds=0.4, count=2),
        "truncated": _carrier(ANY, kind="truncated", count=2),
        "oversized": _carrier(ANY, kind="oversized", bytes=9_000_000, count=2),
        "wrong-type": _carrier(ANY, kind="wrong-type", count=2),
        "html": _carrier(ANY, kind="html", count=2),
        "empty": _carrier(ANY, kind="empty", count=2),
        "entity-bomb": _carrier(ANY, kind="entity-bomb", count=2),
        "limited": _carrier(ANY, kind="rate-limited", seconds=1, count=2),
        "limited-bare": _carrier(ANY, kind="rate-limited-bare", count=1),
        "limit-403": _carrier(
            ("catapult.numbers.create", "catapult.numbers.get"),
            kind="answer",
            status=403,
            headers={"Content-Type": "application/json"},
            body=LIMIT,
            count=2,
        ),
        "unauthorized": _carrier(ANY, kind="unauthorized", count=1),
        "order-gone": _carrier(("dashboard.orders.get",), kind="answer", status=404, count=2),
    }
