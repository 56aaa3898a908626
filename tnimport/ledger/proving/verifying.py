"""One look at the proofs of an import: writes down what has arrived, lays the next messages, sees the end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.life import Action, NumberEvent, NumberState, Outcome, Stage
from tnimport.domain.messages import MessageState
from tnimport.domain.proving import NO_PARTNER, UNDER_WAY, Proof, Sight, gives_up_at, link_of, proof_of
from tnimport.ledger.claims import work
from tnimport.ledger.claims.work import Run
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports.books import Books, finish
from tnimport.ledger.imports.closing import close_if_stopped
from tnimport.ledger.proving import rings
from tnimport.ledger.proving.rings import Ring
from tnimport.ledger.proving.verification import end
from tnimport.ledger.schema import messages, numbers, proofs
from tnimport.ledger.schema import rings as rings_table
from tnimport.ledger.schema import work as work_table
from tnimport.ledger.sql.deadlocks import retried_on_deadlock

LOOK_SECONDS: Final = 5.0  # whatever arrives wakes the look earlier
SOON: Final = 0.1
UNSEEN_SECONDS: Final = 120.0  # so late no look is because there is much to do
TEXTS: Final = {
    Proof.SENT_NOTHING: "No message that it sent arrived in time; one to it did.",
    Proof.RECEIVED_NOTHING: "No message to it arrived in time; one that it sent did.",
    Proof.NEITHER: "Neither a message that it sent nor one to it arrived in time.",
}
ALONE: Final = "A number that is alone can only be proven with a partner, and the account names none."


@dataclass(frozen=True)
class Look:
    """What one look found: numbers settled by what was proven of them, how many are left, and when to look again."""

    settled: Counter[str] = field(default_factory=Counter)
    left: int = 0
    again_in: float | None = None  # None: it is over


@retried_on_deadlock
def look(ledger: Ledger, run: Run, *, partner: str | None, patience: float) -> Look:
    """Take one look, in one transaction.

    Args:
        ledger: the ledger.
        run: the run, whose claim is let go of.
        partner: ten digits of the number that proves one that is alone.
        patience: seconds that a message has to arrive.
    """
    import_id = str(run.import_id)
    with ledger.write() as tx:
        work.fence(tx, run)
        _put_off(tx, run)
        ring = rings.ring_of(tx, import_id, partner)
        places = _unsettled(tx, ring)
        settled = _settle(tx, ring, places, patience)
        if ring.size == 1:
            settled += _alone(tx, ring)
        waiting = len(places) - settled.total()
        more = ring.size > 1 and rings.lay(tx, ring, run.account, partner, waiting)
        seen = Look(
            settled, max(ring.size - ring.settled - settled.total(), 0), _again(tx, places, patience, more=more)
        )
        return _ended(tx, run, ring, seen) if seen.left == 0 else _going_on(tx, run, seen)


def _put_off(tx: Tx, run: Run) -> None:
    """Time in which nobody looked is none that a message has had: most likely the clock was put forward."""
    due_at = tx.run(sa.select(work_table.c.due_at).where(work_table.c.id == run.id)).scalar_one()
    unseen = tx.now - due_at
    if unseen > UNSEEN_SECONDS:
        before = (messages.c.import_id == run.import_id, messages.c.sent_at <= due_at)
        under_way = sa.update(messages).where(*before, messages.c.state.in_(UNDER_WAY))
        tx.run(under_way.values(sent_at=messages.c.sent_at + unseen))


@dataclass(frozen=True)
class _Place:
    """A place of the ring that is not settled: its own message, and the one to it."""

    place: int
    order_id: int | None
    pos: int | None
    out: Sight
    into: Sight
    why: Sequence[str]  # what the carrier said of messages that it refused


def _unsettled(tx: Tx, ring: Ring) -> list[_Place]:
    """At most as many as may be under way at once."""
    own, before = proofs.alias(), proofs.alias()
    out, into = messages.alias(), messages.alias()
    previous = sa.case((own.c.place == 0, ring.size - 1), else_=own.c.place - 1)
    query = (
        sa.select(
            *(own.c[name] for name in ("place", "order_id", "pos")),
            *_sighted("out", own, out),
            *_sighted("into", before, into),
        )
        .select_from(own)
        .outerjoin(before, sa.and_(before.c.import_id == own.c.import_id, before.c.place == previous))
        .outerjoin(out, out.c.id == own.c.message_id)
        .outerjoin(into, into.c.id == before.c.message_id)
        .where(own.c.import_id == ring.import_id, own.c.settled_at.is_(None))
        .order_by(own.c.place)
    )
    return [_read(row) for row in tx.run(query)]


def _sighted(name: str, place: Any, message: Any) -> list[Any]:  # noqa: ANN401 - aliased tables
    fields = (message.c.state, message.c.sent_at, message.c.code, message.c.description, place.c.arrived_at)
    return [column.label(f"{name}_{column.name}") for column in fields]


def _read(row: sa.Row[Any]) -> _Place:
    out, into = _sight(row, "out"), _sight(row, "into")
    said = [
        f"{way} was refused ({getattr(row, f'{name}_code')}: {getattr(row, f'{name}_description')})."
        for name, way, seen in (("out", "Its own message", out), ("into", "The message to it", into))
        if seen.state is MessageState.FAILED
    ]
    return _Place(row.place, row.order_id, row.pos, out, into, said)


def _sight(row: sa.Row[Any], name: str) -> Sight:
    state = getattr(row, f"{name}_state")
    known = None if state is None else MessageState(state)
    return Sight(known, getattr(row, f"{name}_sent_at"), getattr(row, f"{name}_arrived_at") is not None)


def _settle(tx: Tx, ring: Ring, places: Sequence[_Place], patience: float) -> Counter[str]:
    """Write down what is decided; returns how many places were, by what was proven."""
    decided = []
    for place in places:
        proof = proof_of(link_of(place.out, tx.now, patience), link_of(place.into, tx.now, patience))
        if proof is not None:
            decided.append((place, proof))
    if not decided:
        return Counter()
    here = sa.update(proofs).where(proofs.c.import_id == ring.import_id, proofs.c.place == sa.bindparam("at"))
    tx.run(here.values(settled_at=tx.now), [{"at": place.place} for place, _ in decided])
    _count(tx, ring, len(decided))
    _write(tx, ring, [(place.order_id, place.pos, proof, _text(place, proof)) for place, proof in decided])
    return Counter(proof.value for _, proof in decided)


def _text(place: _Place, proof: Proof) -> str:
    return " ".join([TEXTS[proof], *place.why])[:500] if proof in TEXTS else ""


def _count(tx: Tx, ring: Ring, count: int) -> None:
    counted = sa.update(rings_table).where(rings_table.c.import_id == ring.import_id)
    tx.run(counted.values(settled=rings_table.c.settled + count))


def _alone(tx: Tx, ring: Ring) -> Counter[str]:
    """The one number of a ring without a partner."""
    row = rings.first_of(tx, ring.import_id)
    if row is not None:
        _write(tx, ring, [(row.order_id, row.pos, NO_PARTNER, ALONE)])
    _count(tx, ring, 1)
    return Counter({NO_PARTNER: 1})


def _write(tx: Tx, ring: Ring, decided: Sequence[tuple[int | None, int | None, str, str]]) -> None:
    """The rows of numbers, then the books; a partner has no row."""
    rows = [
        {
            "order": order_id,
            "at": pos,
            "is_now": Outcome.VERIFIED if proof == Proof.VERIFIED else Outcome.IMPORTED,
            "in_stage": None if proof == Proof.VERIFIED else Stage.VERIFY,
            "why": None if proof == Proof.VERIFIED else str(proof),
            "text": text or None,
        }
        for order_id, pos, proof, text in decided
        if order_id is not None
    ]
    if rows:
        tx.run(_WRITING, [{**row, "now": tx.now} for row in rows])
    books = Books(Action.IMPORT)
    books.move(NumberState.IMPORTED, NumberEvent.VERIFIED, sum(row["is_now"] is Outcome.VERIFIED for row in rows))
    books.post(tx, ring.import_id)


_HERE: Final = (numbers.c.order_id == sa.bindparam("order"), numbers.c.pos == sa.bindparam("at"))
_WRITING: Final = (
    sa.update(numbers)
    .where(*_HERE, numbers.c.outcome == Outcome.IMPORTED)
    .values(
        outcome=sa.bindparam("is_now"),
        stage=sa.bindparam("in_stage"),
        code=sa.bindparam("why"),
        description=sa.bindparam("text"),
        updated_at=sa.bindparam("now"),
    )
)


def _again(tx: Tx, places: Sequence[_Place], patience: float, *, more: bool) -> float:
    """When something is due though nothing arrives: the next message that has had all its time."""
    if more:
        return 0.0
    ends = [gives_up_at(one, patience) for place in places for one in (place.out, place.into) if not one.arrived]
    soonest = min((at - tx.now for at in ends if at is not None and at > tx.now), default=LOOK_SECONDS)
    return max(SOON, min(soonest, LOOK_SECONDS))


def _ended(tx: Tx, run: Run, ring: Ring, seen: Look) -> Look:
    work.done(tx, run)
    end(tx, ring.import_id, places=ring.size)
    finish(tx, ring.import_id)
    return Look(seen.settled)


def _going_on(tx: Tx, run: Run, seen: Look) -> Look:
    work.later(tx, run, tx.now + (seen.again_in or 0.0))
    close_if_stopped(tx, str(run.import_id))
    return seen
