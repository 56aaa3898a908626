"""A dispatcher's look costs the same however much waits: SQLite counts the steps that it takes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.ledger.conftest import ACCOUNT, emptied, opened_desk
from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.ledger import schema as tables
from tnimport.ledger.claims import dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger.conftest import Desk
    from tnimport.ledger.engine import Ledger

FEW, MANY = 100, 3_000
STEP = 10  # of the database's own machine


@contextmanager
def steps(ledger: Ledger) -> Iterator[list[int]]:
    """Each entry is so many steps."""
    taken: list[int] = []

    def begin(raw, _record, _proxy) -> None:
        raw.set_progress_handler(lambda: taken.append(STEP), STEP)

    def end(raw, _record) -> None:
        raw.set_progress_handler(None, STEP)

    sa.event.listen(ledger.engine, "checkout", begin)
    sa.event.listen(ledger.engine, "checkin", end)
    try:
        yield taken
    finally:
        sa.event.remove(ledger.engine, "checkout", begin)
        sa.event.remove(ledger.engine, "checkin", end)


def waiting(desk: Desk, count: int, **values: object) -> None:
    with desk.ledger.write() as tx:
        row = {"account": ACCOUNT, "due_at": tx.now - 1, **values}
        tx.run(sa.insert(tables.work), [row] * count)


def messages(desk: Desk, count: int) -> None:
    waiting(desk, count, task=Task.SEND_MESSAGE, lane=Lane.MESSAGES, message_id="msg_1")


def webhooks_for_one_that_hangs(desk: Desk, count: int) -> None:
    one = {"task": Task.DELIVER_WEBHOOK, "lane": Lane.WEBHOOKS, "delivery_id": "whk_1"}
    waiting(desk, count, **one, receiver="to:hangs")
    waiting(desk, 1, **one, receiver="to:hangs", state="running")
    waiting(desk, 1, **one, receiver="to:other")


@pytest.mark.parametrize(("backlog", "lane"), [(messages, Lane.MESSAGES), (webhooks_for_one_that_hangs, Lane.WEBHOOKS)])
def test_a_look_and_a_claim_cost_the_same_however_much_waits(sqlite_ledger: Ledger, backlog, lane: Lane) -> None:
    cost = {}
    for count in (FEW, MANY):
        desk = opened_desk(emptied(sqlite_ledger))
        backlog(desk, count)
        with steps(desk.ledger) as looked:
            assert dispatch.due_lanes(desk.ledger).ready == [(ACCOUNT, lane)]
        with steps(desk.ledger) as claimed:
            assert len(desk.claim(lane, room=1).grants) == 1
        cost[count] = (sum(looked), sum(claimed))
    emptied(sqlite_ledger)
    for few, many in zip(cost[FEW], cost[MANY], strict=True):
        assert 0 < many < few * 1.5 + 100
