"""A receiver that hangs, however much it is owed, takes a few threads of a worker and nobody else's time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from tasks.webhooks import deliver_webhook
from tests.servers.receiver import Receiver, receiver
from tests.tasks.conftest import CLAIM_SECONDS, World
from tnimport.contract import Queue
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.reach import Reach
from tnimport.ledger.claims import work
from tnimport.ledger.claims.grants import Grant
from tnimport.ledger.claims.receivers import AT_ONCE
from tnimport.ledger.imports import control
from tnimport.ledger.messaging import inbound
from tnimport.ledger.messaging.inbound import Call
from tnimport.webhooks.sending import Sender
from workers.dispatching import Dispatcher

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWI="
THREADS = 8  # of a worker
OWED = 100
SOON = 20.0  # seconds; a receiver that hangs takes 30


class Threads:
    """A worker's threads: they take every grant as soon as one of them is free."""

    def __init__(self, world: World, pool: ThreadPoolExecutor) -> None:
        self._world, self._pool = world, pool

    def room(self) -> dict[Queue, int]:
        return dict.fromkeys(Queue, 64)

    def publish(self, grants: list[Grant]) -> list[Grant]:
        for grant in grants:
            self._pool.submit(self._run, grant)
        return []

    def _run(self, grant: Grant) -> None:
        run = work.take(self._world.ledger, grant.work, grant.serial, CLAIM_SECONDS)
        if run is not None:
            deliver_webhook(self._world.job(run))


@pytest.fixture
def hanging() -> Iterator[Receiver]:
    """Somebody who takes a request and never answers."""
    with receiver() as hook:
        yield hook


@pytest.fixture
def good() -> Iterator[Receiver]:
    """Somebody who answers."""
    with receiver() as hook:
        yield hook


@pytest.fixture
def dispatcher(world: World) -> Iterator[Dispatcher]:
    """A dispatcher and a worker of eight threads."""
    world.sender = Sender([SECRET], Reach(["127.0.0.0/8"]))
    world.http_timeout = 30
    with ThreadPoolExecutor(THREADS) as pool:
        accounts = {world.account.name: world.account}
        yield Dispatcher(world.ledger, accounts, Threads(world, pool), claim_seconds=CLAIM_SECONDS)


def rounds(dispatcher: Dispatcher, until: Receiver, count: int) -> float:
    """Hand out work until somebody was told so often; returns how long it took."""
    began, never = monotonic(), Event()
    while len(until.told) < count:
        assert monotonic() - began < SOON, f"told {len(until.told)} times of {count}"
        never.wait(min(dispatcher.once(), 0.05))
    return monotonic() - began


@pytest.mark.parametrize("answered_before", [False, True])
def test_a_hundred_for_one_that_hangs_do_not_delay_one_for_another(
    world: World, dispatcher: Dispatcher, hanging: Receiver, good: Receiver, *, answered_before: bool
) -> None:
    world.change(signs=True, inbound_url=hanging.url)
    if answered_before:
        owe(world, 1)
        rounds(dispatcher, hanging, 1)
    hanging.awake.clear()
    owe(world, OWED)
    rounds(dispatcher, hanging, 1 + answered_before)
    for number in range(5):
        import_id = world.submit(f"919555000{number}", notify_url=good.url)
        control.cancel(world.ledger, import_id)
    assert rounds(dispatcher, good, 5) < SOON
    assert len(hanging.told) - answered_before <= (AT_ONCE if answered_before else 1)
    hanging.awake.set()  # lets the threads end


def owe(world: World, count: int) -> None:
    said = {"event_type": "sms", "sender": "+1", "recipient": "+2", "text": "hi"}
    events = [MessageEvent(message_id=f"m-{count}-{at}", kind="message", **said) for at in range(count)]
    inbound.store(world.ledger, [Call(world.account, event) for event in events])
