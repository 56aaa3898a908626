"""What the ledger's transactions promise on both databases."""

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger
from tnimport.ledger.schema import lanes

LANE = {"account": "default", "name": "dashboard", "tokens": 1.0, "filled_at": 0.0}


def test_a_write_tells_how_many_rows_it_changed_whatever_kind_it_is(ledger: Ledger) -> None:
    with ledger.write() as tx:
        insert = tx.insert(lanes).values(LANE).on_conflict_do_nothing()
        assert tx.changed(insert) == 1
        assert tx.changed(insert) == 0
        assert tx.changed(sa.update(lanes).values(tokens=2.0)) == 1
        assert tx.changed(sa.delete(lanes).where(lanes.c.account == "default")) == 1
