"""How many imports, numbers and orders there are in each state: those of finished imports are added up now and then.

They pile up until they are pruned, and nothing of them changes. So what is read at each look is the last sum, the
imports that go on, and those that have finished since. A sum is made after each pruning; until the first one, and where
it is old, everything is read.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.life import ImportFacts, NumberState, import_state
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.reading.reads import ROW_KINDS
from tnimport.ledger.schema import imports, orders, sums
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

SETTLED_SECONDS: Final = 60.0  # whoever has finished an import has committed it by then
OLD_SECONDS: Final = 86_400.0
NAME: Final = "finished"
BUCKETS: Final = (*(state.value for state in NumberState), *ROW_KINDS)
Counts = Counter[tuple[str, str]]


@dataclass
class Totals:
    """Counts by account and state; `gap` is how many rows are in no bucket or in two."""

    numbers: Counts = field(default_factory=Counter)
    imports: Counts = field(default_factory=Counter)
    orders: Counts = field(default_factory=Counter)
    gap: int = 0

    def add(self, other: "Totals") -> None:
        """Count what is in the other as well."""
        self.numbers.update(other.numbers)
        self.imports.update(other.imports)
        self.orders.update(other.orders)
        self.gap += other.gap


def totals(tx: Tx) -> Totals:
    """Everything, at the moment of the transaction."""
    row = tx.run(sa.select(sums.c.until, sums.c.data).where(sums.c.name == NAME, *_useful(tx))).first()
    if row is None:
        return _counted(tx)
    found = _read(row.data)
    since = imports.c.finished_at.between(row.until, tx.now + OLD_SECONDS)
    for which in (imports.c.finished_at.is_(None), since):  # apart and with an end, so that each goes by the index
        found.add(_counted(tx, which))
    return found


def _useful(tx: Tx) -> tuple[sa.ColumnElement[bool], ...]:
    """Not of long ago, when others were there that are pruned by now, nor of a clock that was put back since."""
    return sums.c.until > tx.now - OLD_SECONDS, sums.c.until < tx.now


@retried_on_deadlock
def add_up(ledger: Ledger) -> None:
    """Add up the imports that have finished until now."""
    with ledger.read() as tx:  # apart, so that nobody waits for it
        until = tx.now - SETTLED_SECONDS
        found = _counted(tx, imports.c.finished_at < until)
    values = {"until": until, "data": _written(found)}
    with ledger.write() as tx:
        insert = tx.insert(sums).values(name=NAME, **values)
        tx.run(insert.on_conflict_do_update(index_elements=["name"], set_=values))


def _counted(tx: Tx, *which: sa.ColumnElement[bool]) -> Totals:
    found = Totals()
    which = (imports.c.sealed_at.is_not(None), *which)
    filled = [sa.func.sum(imports.c[name]).label(name) for name in BUCKETS]
    gap = sa.func.sum(sa.func.abs(imports.c.rows - sum(imports.c[name] for name in BUCKETS))).label("gap")
    kinds = sa.select(imports.c.account, _KIND, sa.func.count().label("total"), gap, *filled).where(*which)
    for row in tx.run(kinds.group_by(imports.c.account, _KIND)):
        found.imports[row.account, _state(row.kind)] += row.total
        found.gap += int(row.gap)
        for name in BUCKETS:
            found.numbers[row.account, name] += int(getattr(row, name))
    fields = (orders.c.account, orders.c.state)
    theirs = sa.select(*fields, sa.func.count().label("total")).join(imports, imports.c.id == orders.c.import_id)
    for row in tx.run(theirs.where(*which).group_by(*fields)):
        found.orders[row.account, row.state] = row.total
    return found


# What decides the state of an import: which counters are not zero, and what has happened to it.
_FACTS: Final[dict[str, sa.ColumnElement[bool]]] = {
    "rejected": imports.c.rejected > 0,
    "started": imports.c.started_at.is_not(None),
    "paused": imports.c.paused_at.is_not(None),
    "held": imports.c.held_at.is_not(None),
    "cancel_asked": imports.c.cancel_asked_at.is_not(None),
    "verifying": sa.and_(imports.c.verify_started_at.is_not(None), imports.c.verify_ended_at.is_(None)),
}
_BITS: Final = (*(imports.c[state] > 0 for state in NumberState), *_FACTS.values())
# Each a bit of one number, so that imports that are alike are one group.
_KIND: Final = sum(
    (
        sa.case((fact, sa.literal_column(str(1 << place))), else_=sa.literal_column("0"))
        for place, fact in enumerate(_BITS)
    ),
    sa.literal_column("0"),
).label("kind")


def _state(kind: int) -> str:
    bits = [kind >> place & 1 for place in range(len(_BITS))]
    counts = dict(zip(NumberState, bits, strict=False))
    facts: dict[str, Any] = dict(zip(_FACTS, map(bool, bits[len(counts) :]), strict=True))
    return import_state(ImportFacts(counts=counts, **facts)).value


def _written(found: Totals) -> dict[str, Any]:
    lists = {name: [[*key, count] for key, count in getattr(found, name).items()] for name in _COUNTS}
    return {**lists, "gap": found.gap}


def _read(data: dict[str, Any]) -> Totals:
    counts = {name: Counter({(account, state): count for account, state, count in data[name]}) for name in _COUNTS}
    return Totals(**counts, gap=data["gap"])


_COUNTS: Final = ("numbers", "imports", "orders")
