"""The numbers that operators watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tests.ledger.conftest import statements
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema as tables
from tnimport.ledger.housekeeping import heartbeats
from tnimport.ledger.housekeeping.heartbeats import Process
from tnimport.ledger.imports import control
from tnimport.ledger.imports.staging import RefusedRow
from tnimport.ledger.messaging import outgoing
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.notifying import deliveries
from tnimport.ledger.notifying.deliveries import Attempt
from tnimport.ledger.reading import gauges, tallies, totals

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger


def test_an_empty_ledger_has_nothing_to_tell(ledger: Ledger) -> None:
    found = gauges.look(ledger)
    assert (found.numbers, found.imports, found.work, found.lanes) == ({}, {}, {}, {})
    assert found.conservation_gap == 0


def test_numbers_imports_and_orders_are_told_by_account_and_state(desk: Desk) -> None:
    desk.accept(3, 2, [RefusedRow(line=9, kind="blank"), RefusedRow(line=8, kind="rejected")])
    desk.accept(2, account="north")
    desk.accepted(desk.run(Lane.DASHBOARD))
    desk.passes(100)
    found = gauges.look(desk.ledger)
    filled = {labels: count for labels, count in found.numbers.items() if count}
    assert filled == {
        ("default", "requested"): 1,
        ("default", "ordered"): 2,
        ("default", "blank"): 1,
        ("default", "rejected"): 1,
        ("north", "requested"): 2,
    }
    assert found.imports == {("default", "running"): 1, ("north", "queued"): 1}
    assert found.orders == {("default", "planned"): 1, ("default", "accepted"): 1, ("north", "planned"): 1}
    assert 100 <= found.oldest_order["default"] < 160
    assert "north" not in found.oldest_order
    assert found.conservation_gap == 0


def test_webhooks_are_told_by_account_and_state_and_how_long_they_wait(desk: Desk) -> None:
    for _ in range(2):
        control.cancel(desk.ledger, desk.accept(1, notify_url="https://a.example/"))
        desk.passes(100)
    run = desk.run(Lane.WEBHOOKS)
    deliveries.begin(desk.ledger, run)
    deliveries.delivered(desk.ledger, run, Attempt(204))
    found = gauges.look(desk.ledger)
    assert found.webhooks == {("default", "waiting"): 1}
    assert 100 <= found.oldest_webhook["default"] < 160
    assert ("default", "webhooks") not in found.lanes


def test_messages_are_told_by_account_and_state_unless_they_are_sent(desk: Desk) -> None:
    new = [NewMessage(account="default", sender="9192380000", recipient="+12065550123", text="Hi")] * 3
    ids = outgoing.store(desk.ledger, new, key=None, fingerprint="f").message_ids
    with desk.ledger.write() as tx:
        for message_id, state in zip(ids, ("sent", "unknown"), strict=False):
            mine = tables.messages.c.id == message_id
            tx.run(sa.update(tables.messages).where(mine).values(state=state))
    assert gauges.look(desk.ledger).messages == {("default", "queued"): 1, ("default", "unknown"): 1}


def test_an_import_that_is_still_being_staged_is_not_told(desk: Desk) -> None:
    desk.stage(3)
    assert gauges.look(desk.ledger).numbers == {}


def test_a_row_that_is_in_no_bucket_is_a_gap_and_gaps_do_not_cancel_out(desk: Desk) -> None:
    first, second = desk.accept(3), desk.accept(3)
    for import_id, by in ((first, 1), (second, -1)):
        _shift(desk.ledger, import_id, by)
    assert gauges.look(desk.ledger).conservation_gap == 2
    for import_id, by in ((first, -1), (second, 1)):
        _shift(desk.ledger, import_id, by)
    assert gauges.look(desk.ledger).conservation_gap == 0


def _shift(ledger: Ledger, import_id: str, by: int) -> None:
    mine = sa.update(tables.imports).where(tables.imports.c.id == import_id)
    with ledger.write() as tx:
        tx.run(mine.values(requested=tables.imports.c.requested + by))


def told(ledger: Ledger) -> tuple[object, ...]:
    found = gauges.look(ledger)
    filled = {key: count for key, count in found.numbers.items() if count}
    return filled, dict(found.imports), dict(found.orders), found.conservation_gap


def many_kinds(desk: Desk) -> None:
    """Imports that are over, in several ways, and one that goes on."""
    desk.available(3, 2)
    desk.finish_all()
    control.cancel(desk.ledger, desk.accept(2))
    desk.accept(0, refused=[RefusedRow(line=1, kind="rejected")])
    desk.accept(1, account="north")


def test_what_was_added_up_and_what_has_happened_since_are_told_together(desk: Desk) -> None:
    many_kinds(desk)
    desk.passes(100)
    before = told(desk.ledger)
    assert before[1] == {
        ("default", "complete"): 1,
        ("default", "cancelled"): 1,
        ("default", "failed"): 1,
        ("north", "queued"): 1,
    }
    totals.add_up(desk.ledger)
    assert told(desk.ledger) == before
    many_kinds(desk)
    twice = [{key: 2 * count for key, count in counts.items()} for counts in before[:3]]
    assert told(desk.ledger) == (*twice, 0)
    totals.add_up(desk.ledger)  # who has finished this very minute may not have committed it
    assert told(desk.ledger) == (*twice, 0)


def test_a_gap_in_what_was_added_up_stays_a_gap(desk: Desk) -> None:
    import_id = desk.accept(0, refused=[RefusedRow(line=1, kind="rejected")])
    _shift(desk.ledger, import_id, 3)
    desk.passes(100)
    totals.add_up(desk.ledger)
    assert gauges.look(desk.ledger).conservation_gap == 3
    _shift(desk.ledger, import_id, -3)


def test_what_was_added_up_long_ago_is_read_anew(desk: Desk) -> None:
    many_kinds(desk)
    desk.passes(100)
    totals.add_up(desk.ledger)
    before = told(desk.ledger)
    with desk.ledger.write() as tx:
        tx.run(sa.update(tables.sums).values(data={"numbers": [], "imports": [], "orders": [], "gap": 7}))
    assert told(desk.ledger) != before
    desk.passes(totals.OLD_SECONDS)
    assert told(desk.ledger) == before


def test_lanes_are_those_of_accounts_and_not_of_single_imports(desk: Desk) -> None:
    desk.available(2, max_per_minute=60)
    desk.finish(desk.run(Lane.NUMBERS))
    with desk.ledger.write() as tx:
        dashboard = sa.update(tables.lanes).where(tables.lanes.c.name == "dashboard")
        tx.run(dashboard.values(paused_until=tx.now + 50))
    found = gauges.look(desk.ledger)
    assert set(found.lanes) <= {("default", lane) for lane in Lane}
    assert 40 < found.lanes["default", "dashboard"].paused <= 50
    assert found.lanes["default", "numbers"].paused == 0


def test_a_run_that_vanished_stays_counted_when_its_events_are_gone(desk: Desk) -> None:
    desk.available(2)
    desk.vanish(desk.run(Lane.NUMBERS))
    with desk.ledger.write() as tx:
        tx.run(sa.delete(tables.events))
    found = gauges.look(desk.ledger)
    assert found.claims_expired == {"default": 1}
    assert found.work["tnimport.import_numbers", "waiting"] == 2


def test_calls_and_processes_are_told(ledger: Ledger) -> None:
    with ledger.write() as tx:
        tallies.add(tx, tallies.CALLS, {"north catapult 201": 5, "north dashboard none": 1})
    heartbeats.beat(ledger, Process(kind="web", host="here", pid=7, version="1"), first=True)
    found = gauges.look(ledger)
    assert found.calls == {("north", "catapult", "201"): 5, ("north", "dashboard", "none"): 1}
    assert found.processes["web", "here", 7] < 30


def test_no_number_is_read_for_it(desk: Desk) -> None:
    desk.available(3)
    with statements(desk.ledger) as asked:
        gauges.look(desk.ledger)
    assert asked
    assert not [statement for statement in asked if "FROM numbers" in statement or "JOIN numbers" in statement]
