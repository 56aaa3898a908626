"""The history: one row for each thing that happened, written in the transaction that made it happen."""

from typing import Any, Final

import sqlalchemy as sa

from tnimport.ledger.engine import Tx
from tnimport.ledger.schema import events


def note(tx: Tx, kind: str, import_id: str, *, order: int | None = None, pos: int | None = None, **data: Any) -> None:  # noqa: ANN401 - JSON
    """Append one event."""
    row = {"at": tx.now, "kind": kind, "import_id": import_id, "order_id": order, "pos": pos, "data": data}
    tx.run(_APPENDING, row)


_APPENDING: Final = sa.insert(events)
