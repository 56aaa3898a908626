"""What the ledger's transactions promise on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger
from tnimport.ledger.migrate import upgrade
from tnimport.ledger.schema import lanes

LANE = {"account": "default", "name": "dashboard", "tokens": 1.0, "filled_at": 0.0}


def test_a_write_tells_how_many_rows_it_changed_whatever_kind_it_is(ledger: Ledger) -> None:
    with ledger.write() as tx:
        insert = tx.insert(lanes).values(LANE).on_conflict_do_nothing()
        assert tx.changed(insert) == 1
        assert tx.changed(insert) == 0
        assert tx.changed(sa.update(lanes).values(tokens=2.0)) == 1
        assert tx.changed(sa.delete(lanes).where(lanes.c.account == "default")) == 1


def test_the_writers_of_one_process_queue_up_before_they_meet_in_the_file(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    upgrade(ledger)
    ledger.engine.dispose()
    with ledger.write() as tx:
        tx.run(sa.insert(lanes).values(LANE))

    def write(_: int) -> None:
        with ledger.write() as tx:
            tx.run(sa.update(lanes).values(tokens=lanes.c.tokens + 1))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(160)))
    with ledger.read() as tx:
        assert tx.run(sa.select(lanes.c.tokens)).scalar_one() == 161
    assert ledger.engine.pool.checkedin() == 1
    ledger.close()
