"""Which processes live, and totals that many add to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import ALIVE_SECONDS, Process
from tnimport.ledger.reading import tallies
from tnimport.ledger.schema import heartbeats as table

if TYPE_CHECKING:
    from tnimport.ledger.engine import Ledger

WORKER = Process(kind="worker", host="one", pid=7, version="1")


def _earlier(ledger: Ledger, seconds: float) -> None:
    with ledger.write() as tx:
        tx.run(sa.update(table).values(seen_at=table.c.seen_at - seconds, started_at=table.c.started_at - seconds))


def test_a_process_that_beats_is_alive_and_keeps_the_time_of_its_start(ledger: Ledger) -> None:
    heartbeats.beat(ledger, WORKER, first=True)
    _earlier(ledger, 100)
    heartbeats.beat(ledger, WORKER)
    (heard,) = heartbeats.heard(ledger)
    assert heard.process == WORKER
    assert heard.alive
    assert heard.running >= 100
    assert 0 <= heard.silent < 50


def test_a_process_that_is_silent_for_three_beats_is_gone_but_not_forgotten(ledger: Ledger) -> None:
    heartbeats.beat(ledger, WORKER, first=True)
    _earlier(ledger, ALIVE_SECONDS + 1)
    assert [one.alive for one in heartbeats.heard(ledger)] == [False]


def test_a_new_process_with_the_number_of_a_dead_one_starts_anew(ledger: Ledger) -> None:
    heartbeats.beat(ledger, WORKER, first=True)
    _earlier(ledger, 100)
    heartbeats.beat(ledger, Process(kind="worker", host="one", pid=7, version="2"), first=True)
    (heard,) = heartbeats.heard(ledger)
    assert heard.process.version == "2"
    assert heard.running < 100


def test_a_process_that_stops_as_asked_is_missed_by_nobody(ledger: Ledger) -> None:
    heartbeats.beat(ledger, WORKER, first=True)
    heartbeats.beat(ledger, Process(kind="web", host="one", pid=8, version="1"), first=True)
    heartbeats.leave(ledger, WORKER)
    assert [one.process.kind for one in heartbeats.heard(ledger)] == ["web"]


def test_totals_add_up_by_name_and_label(ledger: Ledger) -> None:
    for counts in ({"a": 1, "b": 2}, {"b": 3}):
        with ledger.write() as tx:
            tallies.add(tx, "x", counts)
            tallies.add(tx, "y", {"a": 9})
    with ledger.read() as tx:
        assert tallies.totals(tx, "x") == {"a": 1, "b": 5}
