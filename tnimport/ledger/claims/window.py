"""How many orders of an account may be at the carrier at once, and how many of them may be one import's.

The carrier may notice only later that a site or SIP peer is wrong, and fails every order for it then. So an import has
one order there until one for the same site and peer has come to an end that was not the site's fault.

Orders that nobody looks at, because the account is at fault or a person has to look first, keep nobody from a place.
"""

from collections import Counter
from typing import Any, Final

import sqlalchemy as sa

from tnimport.domain.life import AT_CARRIER, OrderState
from tnimport.ledger.claims import sites
from tnimport.ledger.claims.grants import Due
from tnimport.ledger.claims.work import RUNNING, SENT, answered
from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import imports, orders, work

ORDERS_AT_CARRIER: Final = 20
ORDERS_OF_ONE_IMPORT: Final = 16  # the carrier may take hours; a small import finds a place behind a huge one


_THERE: Final = (
    sa.select(orders.c.import_id)
    .join(imports, imports.c.id == orders.c.import_id)
    .where(orders.c.account == sa.bindparam("of"), orders.c.state.in_(AT_CARRIER), answered())
)
_GOING: Final = (
    sa.select(orders.c.import_id)
    .join(work, work.c.order_id == orders.c.id)
    .where(work.c.account == sa.bindparam("of"), work.c.state.in_((SENT, RUNNING)))
    .where(orders.c.state == OrderState.PLANNED)
)
_TAKEN: Final = sa.union_all(_THERE, _GOING)


class Window:
    """The orders that are at the carrier or on their way; made and used while the account's lane is locked."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account
        self._sites: dict[str, bool] = {}
        self._taken = Counter[str](tx.run(_TAKEN, {"of": account}).scalars())

    def lets_in(self, item: Due) -> bool:
        """Whether the work may start; what sends an order takes a place."""
        if not item.opens:
            return True
        owner = item.import_id or ""
        taken = self._taken[owner]
        if self._taken.total() >= ORDERS_AT_CARRIER or taken >= ORDERS_OF_ONE_IMPORT:
            return False
        if taken and not self._known(item.order_id):
            return False
        self._taken[owner] += 1
        return True

    def _known(self, order_id: int | None) -> bool:
        place = sa.select(orders.c.site_id, orders.c.sip_peer_id).where(orders.c.id == order_id)
        row = self._tx.run(place).one()
        site = sites.name_of(row.site_id, row.sip_peer_id)
        if site not in self._sites:
            self._sites[site] = sites.known(self._tx, self._account, site)
        return self._sites[site]

    def places(self) -> dict[str, Any]:
        """What the condition `OPEN_TO` is filled in with."""
        full = [import_id for import_id, count in self._taken.items() if count >= ORDERS_OF_ONE_IMPORT]
        return {"place": self._taken.total() < ORDERS_AT_CARRIER, "full": full}


# Orders that are under way already, an account's own work, and planned orders where there is a place for them.
OPEN_TO: Final = sa.or_(
    orders.c.id.is_(None),
    orders.c.state != OrderState.PLANNED,
    sa.and_(sa.bindparam("place", type_=sa.Boolean), orders.c.import_id.not_in(sa.bindparam("full", expanding=True))),
)
