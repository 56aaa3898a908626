"""A process shows that it lives, and hands in what it has counted."""

from collections.abc import Iterator
from threading import Event

import pytest
import sqlalchemy as sa
from celery import Celery

from config.local import free_port
from tnimport.bandwidth.errors import CarrierError, Delivery, RetryLater
from tnimport.bandwidth.exchange import Reply, Request
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import ANSWERS
from tnimport.ledger.reading import tallies
from workers.counting import Calls, Counted
from workers.heartbeat import Heartbeat
from workers.publisher import Publisher


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    opened = Ledger(sqlite_url)
    migrate.upgrade(opened)
    yield opened
    opened.close()


class Carrier:
    """Answers with the status that the address names, or not at all."""

    def send(self, request: Request, _: float) -> Reply:
        if request.url == "silence":
            raise RetryLater("connection_refused", "nobody there", delivery=Delivery.NOT_SENT)
        return Reply(int(request.url), {}, b"")


def call(sender: Counted, url: str) -> None:
    sender.send(Request(method="GET", url=url, headers={}), 1)


def totals(ledger: Ledger) -> dict[str, int]:
    with ledger.read() as tx:
        return tallies.totals(tx, tallies.CALLS)


def wait_for_a_beat(ledger: Ledger, heartbeat: Heartbeat) -> None:
    tick = Event()
    while heartbeat.process not in [one.process for one in heartbeats.heard(ledger)]:
        tick.wait(0.01)


def test_a_process_is_heard_of_while_it_lives_and_hands_in_its_counts_at_the_end(ledger: Ledger) -> None:
    calls = Calls()
    heartbeat = Heartbeat(ledger, "worker", calls)
    heartbeat.start()
    wait_for_a_beat(ledger, heartbeat)
    sender = Counted(Carrier(), calls, "north", "catapult")
    for url in ("201", "201", "429"):
        call(sender, url)
    with pytest.raises(CarrierError):
        call(sender, "silence")
    heartbeat.stop()
    assert heartbeats.heard(ledger) == []
    assert totals(ledger) == {"north catapult 201": 2, "north catapult 429": 1, "north catapult none": 1}
    assert calls.taken() == {}


def test_a_process_that_is_not_well_is_silent(ledger: Ledger) -> None:
    well = iter([False, True])
    heartbeat = Heartbeat(ledger, "dispatcher", well=lambda: next(well))
    heartbeat._beat()
    assert heartbeats.heard(ledger) == []
    heartbeat._beat()
    assert [one.process.kind for one in heartbeats.heard(ledger)] == ["dispatcher"]


def test_a_dispatcher_tells_of_redis_with_every_beat(ledger: Ledger) -> None:
    said = iter(["answers", "ConnectionError"])
    heartbeat = Heartbeat(ledger, "dispatcher", broker=lambda: next(said, "TimeoutError"), seconds=0.01)
    heartbeat.start()
    tick = Event()
    while [one.broker for one in heartbeats.heard(ledger)] != ["TimeoutError"]:
        tick.wait(0.001)
    heartbeat.stop()


def test_whether_redis_answers_is_found_out_anew_each_time(redis_url: str) -> None:
    with Celery(broker=redis_url, set_as_current=False) as app:
        assert Publisher(app).answers() == ANSWERS
    with Celery(broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False) as app:
        assert Publisher(app).answers() == "ConnectionError"


def test_counts_that_could_not_be_handed_in_are_kept(ledger: Ledger) -> None:
    calls = Calls()
    calls.add("north", "dashboard", 200)
    heartbeat = Heartbeat(ledger, "worker", calls)
    with ledger.write() as tx:
        tx.run(sa.text("ALTER TABLE tallies RENAME TO away"))
    heartbeat.start()
    wait_for_a_beat(ledger, heartbeat)
    heartbeat.stop()
    with ledger.write() as tx:
        tx.run(sa.text("ALTER TABLE away RENAME TO tallies"))
    assert totals(ledger) == {}
    assert calls.taken() == {"north dashboard 200": 1}
