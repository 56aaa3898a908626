"""What befalls one account does not touch another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tnimport.domain.lanes import Lane
from tnimport.domain.pacing import Pace
from tnimport.ledger.claims import dispatch, lanes, sites
from tnimport.ledger.claims.window import ORDERS_OF_ONE_IMPORT
from tnimport.ledger.imports import closing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ledger.conftest import Desk
    from tnimport.ledger.claims.grants import Grant

SLOW = Pace(1 / 60, 1)
UNLIMITED = Pace(0, 0)


def claimed(desk: Desk, account: str, pace: Pace = UNLIMITED) -> list[Grant]:
    return dispatch.claim(desk.ledger, account, Lane.DASHBOARD, pace, room=100, seconds=30, served={}).grants


def hold(desk: Desk) -> None:
    with desk.ledger.write() as tx:
        closing.hold_account(tx, "north", "http_401", "Mend the password.")


def pause(desk: Desk) -> None:
    with desk.ledger.write() as tx:
        lanes.tell(tx, "north", Lane.DASHBOARD, lanes.Trouble(limited=True, reset_after=60))


@pytest.mark.parametrize("befall", [hold, pause])
def test_a_fault_of_one_account_stops_only_its_own_work(desk: Desk, befall: Callable[[Desk], None]) -> None:
    north, south = desk.accept(2, account="north"), desk.accept(2, account="south")
    claimed(desk, "south", SLOW)  # both lanes exist
    desk.back_to_waiting()
    befall(desk)
    desk.passes(1)
    assert claimed(desk, "north") == []
    assert [grant.import_id for grant in claimed(desk, "south")] == [south]
    desk.back_to_waiting()
    assert desk.state(south) == "queued"
    assert desk.state(north) in {"held", "queued"}


def test_a_backlog_of_one_account_leaves_the_other_its_own_pace_and_window(desk: Desk) -> None:
    desk.accept(200, 2, account="north")
    opened(desk, "north")
    opened(desk, "south")
    assert len(claimed(desk, "north")) == ORDERS_OF_ONE_IMPORT
    assert claimed(desk, "north") == []
    desk.accept(6, 2, account="south")
    assert len(claimed(desk, "south")) == 3
    desk.back_to_waiting()


def test_both_accounts_are_looked_at_when_both_have_work(desk: Desk) -> None:
    desk.accept(2, account="north")
    desk.accept(2, account="south")
    ready = dispatch.due_lanes(desk.ledger).ready
    assert {("north", Lane.DASHBOARD), ("south", Lane.DASHBOARD)} <= set(ready)


def opened(desk: Desk, account: str) -> None:
    with desk.ledger.write() as tx:
        lanes.lock(tx, account, Lane.DASHBOARD, UNLIMITED)
        lanes.succeeded(tx, account, Lane.DASHBOARD)
        sites.worked(tx, account, "743", "303716")
