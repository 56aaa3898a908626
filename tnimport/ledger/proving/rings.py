"""Lays the ring of an import's numbers, a bounded stretch at a time: who takes part, and the messages between them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.life import Outcome
from tnimport.domain.proving import SAMPLE, UNSETTLED_MOST, takes_part
from tnimport.domain.telephone import to_e164
from tnimport.domain.wishes import Verify
from tnimport.ledger.engine import Tx
from tnimport.ledger.messaging import outgoing
from tnimport.ledger.messaging.outgoing import NewMessage
from tnimport.ledger.proving.proofs import MARK, NONCE_LENGTH
from tnimport.ledger.schema import imports, numbers, orders, proofs, rings
from tnimport.ledger.sql.names import identifier

SCANNED_MOST: Final = 20_000  # numbers that one look goes through, to find those of a sample
TEXT: Final = "Test of this number, no reply needed. {mark}{nonce}"
Ring = sa.Row[Any]


def ring_of(tx: Tx, import_id: str, partner: str | None) -> Ring:
    """The ring of an import, made at the first look; `partner` (ten digits) proves a number that is alone."""
    mine = sa.select(rings).where(rings.c.import_id == import_id).with_for_update()
    found = tx.run(mine).first()
    if found is not None:
        return found
    fields = (imports.c.imported, imports.c.verify, imports.c.verify_count)
    row = tx.run(sa.select(*fields).where(imports.c.id == import_id)).one()
    chosen = row.imported if row.verify == Verify.ALL else min(row.imported, row.verify_count or SAMPLE)
    size = chosen + 1 if chosen == 1 and _is_other(tx, import_id, partner) else chosen
    values = {"import_id": import_id, "eligible": row.imported, "chosen": chosen, "size": size}
    tx.run(sa.insert(rings).values(**values))
    return tx.run(mine).one()


def _is_other(tx: Tx, import_id: str, partner: str | None) -> bool:
    alone = first_of(tx, import_id)
    return partner is not None and alone is not None and alone.tn != int(partner)


def lay(tx: Tx, ring: Ring, account: str, partner: str | None, unsettled: int) -> bool:
    """Go on with the ring as far as there is room; tells whether to come back at once, since there is more to look at.

    Args:
        tx: the transaction, which holds the ring.
        ring: the ring as it is.
        account: whose messages they are.
        partner: ten digits, for a number that is alone.
        unsettled: places of the ring that wait for messages already.
    """
    room = UNSETTLED_MOST - unsettled
    if room <= 0 or ring.linked >= ring.size:
        return False
    placed, more = _place(tx, ring, room)
    if placed == ring.chosen < ring.size and partner is not None:
        _insert(tx, [_place_row(ring, placed, None, None, int(partner))])
        placed += 1
    ready = ring.size if placed >= ring.size else max(placed - 1, 0)
    _link(tx, ring, account, ring.linked, ready)
    tx.run(sa.update(rings).where(rings.c.import_id == ring.import_id).values(placed=placed, linked=ready))
    return more


def _place(tx: Tx, ring: Ring, room: int) -> tuple[int, bool]:
    """Choose the next numbers; returns how many places are taken now, and whether there are more to look at."""
    wanted = min(room, ring.chosen - ring.placed)
    if not wanted:
        return ring.placed, False
    looked_at = _further(tx, ring, min(SCANNED_MOST, (wanted + 1) * ring.eligible // ring.chosen))
    rows: list[dict[str, Any]] = []
    at = 0
    while at < len(looked_at) and len(rows) < wanted:
        one = looked_at[at]
        if takes_part(ring.seen + at, ring.eligible, ring.chosen):
            rows.append(_place_row(ring, ring.placed + len(rows), one.order_id, one.pos, one.tn))
        at += 1
    _insert(tx, rows)
    if at:
        last = looked_at[at - 1]
        cursor = {"order_id": last.order_id, "pos": last.pos, "seen": ring.seen + at}
        tx.run(sa.update(rings).where(rings.c.import_id == ring.import_id).values(**cursor))
    return ring.placed + len(rows), bool(at) and len(rows) < wanted


def _further(tx: Tx, ring: Ring, most: int) -> Sequence[sa.Row[Any]]:
    """Imported numbers beyond the one looked at last; those before it may be verified by now."""
    query = sa.select(numbers.c.order_id, numbers.c.pos, numbers.c.tn).where(*_beyond(ring.import_id, ring))
    return tx.run(query.order_by(numbers.c.order_id, numbers.c.pos).limit(most)).all()


def first_of(tx: Tx, import_id: str) -> sa.Row[Any] | None:
    """The first imported number of an import."""
    query = sa.select(numbers.c.order_id, numbers.c.pos, numbers.c.tn).where(*_beyond(import_id))
    return tx.run(query.order_by(numbers.c.order_id, numbers.c.pos).limit(1)).first()


def _beyond(import_id: str, ring: Ring | None = None) -> Iterator[sa.ColumnElement[bool]]:
    theirs = sa.select(orders.c.id).where(orders.c.import_id == import_id)
    if ring is not None:
        theirs = theirs.where(orders.c.id >= ring.order_id)
        yield sa.or_(numbers.c.order_id > ring.order_id, numbers.c.pos > ring.pos)
    yield numbers.c.order_id.in_(theirs)
    yield numbers.c.outcome == Outcome.IMPORTED


def _place_row(ring: Ring, place: int, order_id: int | None, pos: int | None, tn: int) -> dict[str, Any]:
    own = {"import_id": ring.import_id, "place": place, "nonce": identifier(NONCE_LENGTH)}
    return {**own, "order_id": order_id, "pos": pos, "tn": tn}


def _insert(tx: Tx, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.run(sa.insert(proofs), rows)


def _link(tx: Tx, ring: Ring, account: str, first: int, end: int) -> None:
    """The messages from the places `first` to before `end`, each to the place after it."""
    if first >= end:
        return
    here = sa.or_(proofs.c.place == 0, proofs.c.place.between(first, end))
    query = sa.select(proofs.c.place, proofs.c.nonce, proofs.c.tn).where(proofs.c.import_id == ring.import_id, here)
    members = {row.place: row for row in tx.run(query)}
    new = [
        NewMessage(
            account=account,
            sender=str(members[place].tn),
            recipient=to_e164(str(members[(place + 1) % ring.size].tn)),
            text=TEXT.format(mark=MARK, nonce=members[place].nonce),
            import_id=ring.import_id,
        )
        for place in range(first, end)
    ]
    named = sa.update(proofs).where(proofs.c.import_id == ring.import_id, proofs.c.place == sa.bindparam("at"))
    ids = outgoing.add(tx, new)
    pairs = [{"at": place, "message": message} for place, message in zip(range(first, end), ids, strict=True)]
    tx.run(named.values(message_id=sa.bindparam("message")), pairs)
