"""Which sites and SIP peers of an account have been seen to work: a row beside its lanes, opened by an order's end."""

from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import lanes


def name_of(site_id: str, sip_peer_id: str | None) -> str:
    """The row's name; both ids may be longer than it has room for."""
    both = f"{site_id}/{sip_peer_id or ''}"
    return f"site:{sha256(both.encode()).hexdigest()[:24]}"


def known(tx: Tx, account: str, name: str) -> bool:
    """Whether an order for it has come to an end that was not its fault."""
    return bool(tx.run(_OPENED, {"of": account, "site": name}).scalar())


_OPENED: Final = sa.select(lanes.c.opened).where(
    lanes.c.account == sa.bindparam("of"), lanes.c.name == sa.bindparam("site")
)


def worked(tx: Tx, account: str, site_id: str, sip_peer_id: str | None) -> None:
    """An order for it has ended, good or bad for its numbers; last in a transaction, as all lanes are."""
    name = name_of(site_id, sip_peer_id)
    if not known(tx, account, name):
        _write(tx, account, name, opened=True)


def doubted(tx: Tx, account: str, site_id: str, sip_peer_id: str | None) -> None:
    """The carrier has failed an order for its sake."""
    _write(tx, account, name_of(site_id, sip_peer_id), opened=False)


def _write(tx: Tx, account: str, name: str, *, opened: bool) -> None:
    row = tx.insert(lanes).values(account=account, name=name, tokens=0, filled_at=tx.now, opened=opened)
    tx.run(row.on_conflict_do_update(index_elements=["account", "name"], set_={"opened": opened}))
