"""Lanes in the ledger: one row an account and endpoint, locked while its tokens are handed out.

A caller's own `max_per_minute` is a lane of its import. Transactions take locks in one order, so that none waits for
another in a circle: the claim of the run, its order, its import, work that no run holds, lanes. Only whoever
hands out work locks a lane first, and it passes over work that somebody else has locked.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Final

import sqlalchemy as sa

from tnimport.domain import pacing
from tnimport.domain.lanes import Lane as Endpoint
from tnimport.domain.lanes import own_pace
from tnimport.domain.pacing import Lane, Pace
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import imports, lanes
from tnimport.ledger.sql.records import record_of

# For whoever needs a lane and no tokens of it. One that is made so holds the one token of this pace, and fills from
# then on at the pace of whoever takes some.
UNPACED: Final = Pace(0, 0)


@dataclass(frozen=True)
class Trouble:
    """What a call told about its lane: «too many» with or without a reset time, else a carrier that fails."""

    limited: bool
    reset_at: float | None = None
    reset_after: float | None = None

    def until(self, now: float) -> float | None:
        """When the carrier says it may go on, on the ledger's clock; None when it did not say."""
        if self.reset_after is not None:
            return now + self.reset_after
        return self.reset_at


def lock(tx: Tx, account: str, name: str, pace: Pace) -> Lane:
    """Read a lane and keep it from everybody else until the transaction ends; a new one is full and not opened."""
    this = {"of": account, "endpoint": name}
    row = tx.run(_LOCKING, this).one_or_none()
    if row is None:
        fresh = asdict(pacing.fresh(pace, tx.now))
        tx.run(tx.insert(lanes).values(account=account, name=name, **fresh).on_conflict_do_nothing())
        row = tx.run(_LOCKING, this).one()
    return record_of(Lane, row)


def save(tx: Tx, account: str, name: str, lane: Lane) -> None:
    """Write a lane that this transaction has locked."""
    tx.run(_SAVING, {"of": account, "endpoint": name, **asdict(lane)})


def succeeded(tx: Tx, account: str, name: str) -> None:
    """A call came back well; writes only where that is news, so that it costs nothing in the long run."""
    if tx.changed(_OPENING, {"of": account, "endpoint": name}):
        tx.announce()  # more than one call at a time may start


_THIS: Final = (lanes.c.account == sa.bindparam("of"), lanes.c.name == sa.bindparam("endpoint"))
_OPENING: Final = (
    sa.update(lanes)
    .where(*_THIS, sa.or_(lanes.c.opened.is_(False), lanes.c.trouble > 0, lanes.c.limited > 0))
    .values(opened=True, trouble=0, limited=0)
)
_LOCKING: Final = sa.select(*(lanes.c[name] for name in Lane.__dataclass_fields__)).where(*_THIS).with_for_update()
_SAVING: Final = sa.update(lanes).where(*_THIS)
_TROUBLE: Final = sa.select(lanes.c.trouble).where(*_THIS)
_PAUSED: Final = sa.select(lanes.c.paused_until).where(*_THIS)


def closed(tx: Tx, account: str) -> None:
    """The account is in doubt: every lane is back to one call at a time until one succeeds."""
    mine = (lanes.c.account == account, lanes.c.name.in_(Endpoint))
    tx.run(sa.select(lanes.c.name).where(*mine).order_by(lanes.c.name).with_for_update())
    tx.run(sa.update(lanes).where(*mine).values(opened=False))


def doubted(tx: Tx, account: str, name: str, seconds: float) -> None:
    """One endpoint refuses the account: it is asked with one call at a time, the next one in so many seconds."""
    lane = lock(tx, account, name, UNPACED)
    until = max(lane.paused_until, tx.now + seconds)
    save(tx, account, name, replace(lane, opened=False, paused_until=until))


def own(import_id: str | None) -> str:
    """The name of the lane that keeps an import to the pace its caller set."""
    return f"import:{import_id}"


def give_back(tx: Tx, account: str, name: str, pace: Pace, *, count: int, import_id: str | None) -> None:
    """Return the tokens of calls that were not made, the import's own as well."""
    _refill(tx, account, name, pace, count)
    most = tx.run(sa.select(imports.c.max_per_minute).where(imports.c.id == import_id)).scalar()
    if most is not None and name == Endpoint.NUMBERS:
        _refill(tx, account, own(import_id), own_pace(most), count)


def return_unspent(tx: Tx, spent: Iterable[tuple[str, str, str | None, int]]) -> None:
    """Return the tokens of work that was not begun: account, lane, import and count of each.

    The pace is not asked for. What is more than the bucket holds runs over before the next call (`pacing.fill`).
    """
    counts: Counter[tuple[bool, str, str]] = Counter()
    for account, name, import_id, count in spent:
        counts[False, account, name] += count
        if name == Endpoint.NUMBERS:
            counts[True, account, own(import_id)] += count
    for (_, account, name), count in sorted(counts.items()):  # an import's own lane is locked after the account's
        if count:
            tx.run(sa.update(lanes).where(_is(account, name)).values(tokens=lanes.c.tokens + count))


def _refill(tx: Tx, account: str, name: str, pace: Pace, count: int) -> None:
    if pace.rate == 0:
        return
    lane = lock(tx, account, name, pace)
    save(tx, account, name, pacing.give_back(lane, pace, count))


def tell(tx: Tx, account: str, name: str, trouble: Trouble | None) -> None:
    """Let the lane know of trouble; every grant in flight sees a pause at its next flush."""
    if trouble is None:
        return
    lane = lock(tx, account, name, UNPACED)
    told = pacing.limited(lane, tx.now, trouble.until(tx.now)) if trouble.limited else pacing.troubled(lane, tx.now)
    save(tx, account, name, told)


def paused(tx: Tx, account: str, name: str) -> bool:
    """Whether the carrier has asked us to wait."""
    until = tx.run(_PAUSED, {"of": account, "endpoint": name}).scalar()
    return until is not None and until > tx.now


def failing(tx: Tx, account: str, name: str) -> bool:
    """Whether so many calls in a row have failed that the lane is closed to all but one call at a time."""
    trouble = tx.run(_TROUBLE, {"of": account, "endpoint": name}).scalar()
    return trouble is not None and trouble >= pacing.TROUBLE_CLOSES


def counted(tx: Tx, account: str, name: str, trouble: Trouble | None, seconds: float) -> tuple[int, float]:
    """What a failed call costs its own work: how many attempts, and how many seconds to wait.

    While the carrier as a whole is failing, its failures say nothing of the work, and the lane's pause is the only
    clock: work does not wait ever longer for a carrier that is back.
    """
    carriers_own = trouble is not None and not trouble.limited
    return (0, 0.0) if carriers_own and failing(tx, account, name) else (1, seconds)


def _is(account: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(lanes.c.account == account, lanes.c.name == name)
