"""Which ledgers this version works on: its own and newer ones, not older ones; and what it does with newer work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action
from tnimport.ledger import schema
from tnimport.ledger.claims import dispatch, work
from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import upgrade
from tnimport.ledger.revisions import pending

if TYPE_CHECKING:
    from tests.ledger.conftest import Desk

ACCOUNT = "default"


@pytest.fixture
def empty(database_url: str) -> Ledger:
    """A database without tables."""
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(("revision", "refused"), [("20991231_next", False), ("20261123_first", True), (None, False)])
def test_a_newer_ledger_is_used_and_an_older_one_is_not(empty: Ledger, revision: str | None, *, refused: bool) -> None:
    upgrade(empty)
    if revision:
        with empty.write() as tx:
            tx.run(sa.text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
    assert pending(empty) is refused


def test_an_empty_database_is_older(empty: Ledger) -> None:
    assert pending(empty) is True


def of_a_newer_version(desk: Desk, **values: Any) -> int:
    """Work that only a newer process knows: its task, and perhaps its lane."""
    with desk.ledger.write() as tx:
        row = {"task": "tnimport.of_tomorrow", "account": ACCOUNT, "lane": "tomorrow", "due_at": tx.now - 1} | values
        return int(tx.run(sa.insert(schema.work).values(**row).returning(schema.work.c.id)).scalar_one())


@pytest.mark.parametrize("lane", ["tomorrow", *Lane])
def test_work_of_a_newer_version_is_left_alone_and_all_other_work_goes_on(desk: Desk, lane: str) -> None:
    new = of_a_newer_version(desk, lane=lane)
    import_id = desk.accept(1)
    due = dispatch.due_lanes(desk.ledger)
    assert (ACCOUNT, Lane.DASHBOARD) in due.ready
    assert due.unknown == {lane} - set(Lane)
    granted = [grant for _, name in due.ready for grant in desk.claim(name).grants]
    assert {grant.import_id for grant in granted} == {import_id}
    assert desk.row(schema.work, id=new).state == work.WAITING


def test_a_newer_versions_run_that_vanished_is_left_to_a_newer_dispatcher(desk: Desk) -> None:
    waits = desk.accept(1, action=Action.REMOVE)
    new = of_a_newer_version(desk, state=work.RUNNING, token="t", until=1, strikes=2)
    desk.reap()
    assert desk.row(schema.work, id=new).state == work.RUNNING
    assert desk.state(waits) == "queued"


def test_a_newer_versions_message_that_nobody_took_is_sent_again(desk: Desk) -> None:
    new = of_a_newer_version(desk, state=work.SENT, until=1)
    desk.reap()
    assert desk.row(schema.work, id=new).state == work.WAITING
