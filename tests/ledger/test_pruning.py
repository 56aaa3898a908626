"""What is over goes when its time has come, in small batches, once at a time; everything else stays."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tnimport.domain.accounts import Account
from tnimport.domain.inbound import MessageEvent
from tnimport.domain.lanes import Lane
from tnimport.domain.webhooks import DeliveryState
from tnimport.ledger import schema as tables
from tnimport.ledger.housekeeping import heartbeats, prune, upkeep
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.housekeeping.upkeep import PRUNE, OccasionLost
from tnimport.ledger.imports import control
from tnimport.ledger.imports.staging import InProgress, RefusedRow
from tnimport.ledger.messaging import inbound, outgoing, sending
from tnimport.ledger.messaging.inbound import Call
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.notifying.deliveries import Attempt
from tnimport.ledger.proving import verifying
from tnimport.ledger.reading import reads

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger
    from tnimport.ledger.housekeeping.upkeep import Occasion

DAY = 86_400.0
EVERY = 3600.0
OF_AN_IMPORT = ("numbers", "orders", "events", "refused_rows", "imports")


def occasion_of(desk: Desk) -> Occasion:
    """An hour later the next occasion is due, and ours."""
    upkeep.claim(desk.ledger, PRUNE, EVERY)
    desk.passes(EVERY + 1)
    occasion = upkeep.claim(desk.ledger, PRUNE, EVERY)
    assert occasion is not None
    assert upkeep.take(desk.ledger, occasion, 120)
    return occasion


def pruned(desk: Desk, days: float) -> Counter[str]:
    occasion = occasion_of(desk)
    gone: Counter[str] = Counter()
    for batch in prune.steps(desk.ledger, occasion, days * DAY):
        gone.update(batch)
    upkeep.done(desk.ledger, occasion)
    return gone


def finished(desk: Desk, total: int = 5, **changes: object) -> str:
    import_id = desk.available(total, 3, **changes)
    desk.finish_all()
    return import_id


def left(desk: Desk) -> dict[str, int]:
    with desk.ledger.read() as tx:
        counts = {
            name: tx.run(sa.select(sa.func.count()).select_from(tables.metadata.tables[name])).scalar_one()
            for name in (*OF_AN_IMPORT, "work")
        }
    return {name: count for name, count in counts.items() if count}


def test_an_import_stays_as_long_as_somebody_is_still_to_be_told_of_it(desk: Desk) -> None:
    import_id = finished(desk, notify_url="https://example.com/told")
    run = desk.run(Lane.WEBHOOKS)
    owed = deliveries.begin(desk.ledger, run)
    deliveries.again(desk.ledger, run, Attempt(500), 2 * DAY, None)
    desk.passes(2 * DAY)
    assert not pruned(desk, 1)["hidden"]
    run = desk.run(Lane.WEBHOOKS)
    assert deliveries.begin(desk.ledger, run).id == owed.id
    deliveries.delivered(desk.ledger, run, Attempt(200))
    assert pruned(desk, 1)["imports"] == 1
    assert desk.rows(tables.imports, id=import_id) == desk.rows(tables.deliveries) == []


def test_a_finished_import_goes_with_all_its_rows_when_its_time_is_over(desk: Desk) -> None:
    finished(desk, max_per_minute=6000, refused=[RefusedRow(line=9, kind="rejected")], key="k", client_ref="r")
    desk.passes(2 * DAY)
    gone = pruned(desk, 1)
    assert left(desk) == {}
    assert gone["numbers"] == 5
    assert gone["orders"] == 2
    assert desk.rows(tables.lanes, name="import:x") == []
    assert not [row for row in desk.rows(tables.lanes) if row.name.startswith("import:")]


def test_what_came_in_goes_with_what_was_told_of_it_unless_somebody_is_still_to_be_told(desk: Desk) -> None:
    owner = Account(name="default", account_id="9", inbound_task="theirs", inbound_queue="theirs")

    def came_in(message_id: str, state: str | None) -> None:
        plain = {"kind": "message", "event_type": "sms", "sender": "+13233326955", "recipient": "+14352154439"}
        inbound.store(desk.ledger, [Call(owner, MessageEvent(message_id=message_id, **plain))])
        if state is not None:
            with desk.ledger.write() as tx:
                tx.run(sa.update(tables.deliveries).where(tables.deliveries.c.state == "waiting").values(state=state))

    came_in("m-told", "delivered")
    came_in("m-owed", None)
    desk.passes(2 * DAY)
    came_in("m-young", None)
    assert pruned(desk, 0) == {}
    assert pruned(desk, 1) == {"inbound": 1}
    assert [row.message_id for row in desk.rows(tables.inbound)] == ["m-owed", "m-young"]
    assert len(desk.rows(tables.deliveries)) == 2


def test_what_was_told_of_an_import_or_given_up_goes_with_it(desk: Desk) -> None:
    finished(desk, notify_url="https://a.example/")
    deliveries.ended(desk.ledger, desk.run(Lane.WEBHOOKS), DeliveryState.FAILED, Attempt(500))
    desk.passes(2 * DAY)
    assert pruned(desk, 1)["deliveries"] == 1
    assert left(desk) == {}


def test_messages_go_when_they_are_over_and_those_that_prove_numbers_go_with_their_import(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    finished(desk, verify="all")
    verifying.look(desk.ledger, desk.run(Lane.VERIFY), partner=None, patience=60)
    one = {"account": "default", "sender": "9192380000", "recipient": "+12065550123", "text": "Hi"}
    outgoing.store(desk.ledger, [NewMessage(**one)] * 4, key=None, fingerprint="f")
    runs = [run for run in map(desk.take, desk.claim(Lane.MESSAGES).grants) if run is not None]
    own = [run for run in runs if run.import_id is None]
    for run in runs:
        if run not in own[:1]:
            sending.calling(desk.ledger, run)
            sending.taken(desk.ledger, run, "m-1")
    desk.passes(70)
    verifying.look(desk.ledger, desk.run(Lane.VERIFY), partner=None, patience=60)
    desk.passes(8 * DAY)
    assert pruned(desk, 30) == Counter()
    gone = pruned(desk, 7)
    assert (gone["imports"], gone["proofs"], gone["messages"]) == (1, 5, 8)
    assert [row.id for row in desk.rows(tables.messages)] == [own[0].message_id]  # it still waits
    assert desk.rows(tables.rings) == []


def test_a_receiver_that_has_been_quiet_for_long_is_forgotten(desk: Desk) -> None:
    for name in ("to:old", "to:paused", "to:new"):
        with desk.ledger.write() as tx:
            paused = tx.now + 3 * DAY if name == "to:paused" else 0
            row = {"account": "default", "name": name, "tokens": 1, "filled_at": tx.now, "paused_until": paused}
            tx.run(sa.insert(tables.lanes).values(**row))
        if name == "to:paused":
            desk.passes(2 * DAY)
    pruned(desk, 1)
    names = {row.name for row in desk.rows(tables.lanes) if row.name.startswith("to:")}
    assert names == {"to:paused", "to:new"}


def test_what_is_young_unfinished_or_kept_for_ever_stays(desk: Desk) -> None:
    old_and_open = desk.available(2, key="a")
    desk.passes(40 * DAY)
    young = finished(desk, key="b")
    before = left(desk)
    assert pruned(desk, 30) == {}
    desk.passes(400 * DAY)
    assert pruned(desk, 0) == {}
    assert left(desk) == before
    assert {view.id for view in reads.imports_page(desk.ledger)[0]} == {old_and_open, young}


def test_it_goes_in_batches_and_what_goes_is_hidden_as_a_whole(desk: Desk) -> None:
    import_id = finished(desk, 7, key="k")
    desk.passes(2 * DAY)
    sizes = [batch["numbers"] for batch in prune.steps(desk.ledger, occasion_of(desk), DAY) if _hidden(desk, import_id)]
    assert max(sizes) == 3  # an order's
    assert sum(sizes) == 7


def _hidden(desk: Desk, import_id: str) -> bool:
    assert reads.import_view(desk.ledger, import_id) is None or left(desk)["numbers"] == 7
    return True


def test_a_run_that_dies_in_the_middle_is_finished_by_the_next(desk: Desk) -> None:
    finished(desk, 7)
    desk.passes(2 * DAY)
    run = prune.steps(desk.ledger, occasion_of(desk), DAY)
    while not next(run)["numbers"]:
        pass
    run.close()
    rest = left(desk)["numbers"]
    assert 0 < rest < 7
    assert pruned(desk, 1)["numbers"] == rest
    assert left(desk) == {}


def test_events_and_refused_rows_go_in_batches_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    finished(desk, refused=[RefusedRow(line=line, kind="rejected") for line in range(10, 15)])
    desk.passes(2 * DAY)
    batches = list(prune.steps(desk.ledger, occasion_of(desk), DAY))
    for what in ("events", "refused_rows"):
        assert max(batch[what] for batch in batches) == 2
    assert sum(batch["refused_rows"] for batch in batches) == 5
    assert left(desk) == {}


def test_a_run_whose_time_is_over_writes_nothing_more(desk: Desk) -> None:
    finished(desk)
    desk.passes(2 * DAY)
    before = left(desk)
    run = prune.steps(desk.ledger, occasion_of(desk), DAY)
    desk.passes(121)
    with pytest.raises(OccasionLost):
        list(run)
    assert left(desk) == before


def test_a_pruned_key_can_be_used_again(desk: Desk) -> None:
    first = finished(desk, key="k")
    desk.passes(2 * DAY)
    pruned(desk, 1)
    assert desk.accept(2, key="k") != first


def test_an_abandoned_staging_goes_after_a_day_and_cannot_be_gone_on_with(desk: Desk) -> None:
    staging = desk.stage(3, key="k")
    assert pruned(desk, 0) == {}
    desk.passes(DAY)
    run = prune.steps(desk.ledger, occasion_of(desk), 0)
    while not next(run)["numbers"]:
        pass
    with pytest.raises(InProgress):
        staging.seal()
    list(run)
    assert left(desk) == {}


def test_cancelled_imports_go_like_others(desk: Desk) -> None:
    import_id = desk.accept(3)
    control.cancel(desk.ledger, import_id)
    desk.passes(2 * DAY)
    pruned(desk, 1)
    assert left(desk) == {}


def test_refusals_and_dead_processes_go_too(desk: Desk) -> None:
    reads.remember_refusal(desk.ledger, "k", [])
    heartbeats.beat(desk.ledger, Process(kind="web", host="h", pid=1, version="1"), first=True)
    desk.passes(2 * DAY)
    heartbeats.beat(desk.ledger, Process(kind="web", host="h", pid=2, version="1"), first=True)
    desk.passes(-EVERY)  # the hour in which the next occasion comes
    assert pruned(desk, 1) == {"refusals": 1, "processes": 1}
    assert [one.process.pid for one in heartbeats.heard(desk.ledger)] == [2]


def test_the_numbers_of_other_imports_stay_in_their_history(desk: Desk) -> None:
    finished(desk, key="old")
    desk.passes(2 * DAY)
    kept = finished(desk, key="new")
    pruned(desk, 1)
    assert desk.counts(kept) == {"imported": 5}
    assert left(desk)["numbers"] == 5


def test_an_occasion_comes_once_an_hour_to_one_of_all_who_look(ledger: Ledger, desk: Desk) -> None:
    assert upkeep.claim(ledger, PRUNE, EVERY) is None
    desk.passes(EVERY + 1)
    found = [upkeep.claim(ledger, PRUNE, EVERY) for _ in range(3)]
    assert [one is not None for one in found] == [True, False, False]
    desk.passes(EVERY + 1)
    later = upkeep.claim(ledger, PRUNE, EVERY)
    assert later is not None
    assert later.serial == found[0].serial + 1


def test_of_many_who_look_at_the_same_moment_one_gets_the_occasion(ledger: Ledger, desk: Desk) -> None:
    upkeep.claim(ledger, PRUNE, EVERY)
    desk.passes(EVERY + 1)
    start = Barrier(6)

    def look(_: int) -> Occasion | None:
        start.wait(10)
        return upkeep.claim(ledger, PRUNE, EVERY)

    with ThreadPoolExecutor(6) as threads:
        found = [one for one in threads.map(look, range(6)) if one is not None]
    assert len(found) == 1


def test_a_doubled_message_and_an_overlapping_run_find_nothing_to_take(ledger: Ledger, desk: Desk) -> None:
    occasion = occasion_of(desk)
    assert not upkeep.take(ledger, occasion, 120)
    upkeep.again(ledger, occasion)
    next_ = upkeep.claim(ledger, PRUNE, EVERY)
    assert next_ is not None
    assert not upkeep.take(ledger, next_, 120)
    upkeep.done(ledger, occasion)
    assert upkeep.take(ledger, next_, 120)
    assert not upkeep.take(ledger, occasion, 120)


def test_numbers_being_imported_do_not_wait_for_pruning(desk: Desk) -> None:
    finished(desk, key="old")
    desk.passes(2 * DAY)
    busy = desk.available(2, key="new")
    run = prune.steps(desk.ledger, occasion_of(desk), DAY)
    next(run)
    desk.finish(desk.run(Lane.NUMBERS))
    list(run)
    desk.finish_all()
    assert desk.counts(busy) == {"imported": 2}
