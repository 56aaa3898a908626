"""Totals that only grow, kept where every process can add to them and pruning takes nothing away."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.schema import tallies
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

CALLS: Final = "calls"
CLAIMS_EXPIRED: Final = "claims_expired"


def add(tx: Tx, name: str, counts: Mapping[str, int]) -> None:
    """Add to the totals of these labels; last in a transaction, for it locks rows that many share."""
    for label, count in sorted(counts.items()):
        insert = tx.insert(tallies).values(name=name, label=label, count=count)
        tx.run(
            insert.on_conflict_do_update(
                index_elements=["name", "label"], set_={"count": tallies.c.count + insert.excluded["count"]}
            )
        )


@retried_on_deadlock
def hand_in(ledger: Ledger, name: str, counts: Mapping[str, int]) -> None:
    """Add to the totals in a transaction of its own."""
    with ledger.write() as tx:
        add(tx, name, counts)


def totals(tx: Tx, name: str) -> dict[str, int]:
    """Every label with its total."""
    found = tx.run(sa.select(tallies.c.label, tallies.c.count.label("total")).where(tallies.c.name == name))
    return {row.label: row.total for row in found}
