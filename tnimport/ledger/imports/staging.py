"""Takes an import into the ledger in chunks; nobody acts on any of it until it is sealed.

A million rows in one transaction would lock every other writer of SQLite out for ten seconds; chunks of a few thousand
do not. A staging that was abandoned (its process died) is cleared away by whoever submits the same key again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from tnimport.contract import Task
from tnimport.domain.lanes import Lane
from tnimport.domain.life import Action, OrderState
from tnimport.domain.wishes import OnPresent, Verify
from tnimport.ledger.engine import Ledger, Tx
from tnimport.ledger.imports import renewal
from tnimport.ledger.imports.books import finish
from tnimport.ledger.imports.events import note
from tnimport.ledger.schema import applications, imports, numbers, orders, refused_rows, work
from tnimport.ledger.sql import sessions
from tnimport.ledger.sql.deadlocks import retried_on_deadlock
from tnimport.ledger.sql.names import identifier
from tnimport.ledger.sql.records import columns_of

_COPY: Final = "COPY numbers (order_id, pos, tn, line) FROM STDIN"
ABANDONED_AFTER: Final = 60.0  # seconds without a chunk
REFERENCE_ROOM: Final = 27  # of the 40 characters of a CustomerOrderId; the rest makes it unique


class KeyConflict(Exception):
    """The key was used before, for something else; or the caller's reference was, which makes one import, too."""

    def __init__(self, *, by_reference: bool = False) -> None:
        super().__init__("client_ref" if by_reference else "key")
        self.by_reference = by_reference


class InProgress(Exception):
    """The same request is being accepted right now."""


@dataclass(frozen=True, kw_only=True)
class ApplicationWish:
    """The application numbers are to go to: an id that exists, or a name and URL to be found or created."""

    application_id: str | None = None
    name: str | None = None
    url: str | None = None
    spec: dict[str, Any]
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class NewImport:
    """What is known of an import before its first row."""

    account: str
    action: Action
    site_id: str
    sip_peer_id: str | None
    customer_order_id: str | None
    client_ref: str | None
    key: str | None
    fingerprint: str
    application: ApplicationWish | None
    on_present: str = OnPresent.SKIP
    max_per_minute: float | None = None
    notify_url: str | None = None
    verify: str = Verify.NONE
    verify_count: int | None = None


@dataclass(frozen=True)
class Placed:
    """A number and its place: order (from 0, within the import), position in it, ten digits, input line."""

    seq: int
    kind: str
    pos: int
    tn: int
    line: int


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """An input row that is no number of this import: rejected, duplicate or blank."""

    line: int
    kind: str
    text: str | None = None
    code: str | None = None
    description: str | None = None
    first_line: int | None = None


# All orders of a chunk at once: a statement costs about as much for one row as for a hundred.
_OPENING: Final = sa.insert(orders).returning(orders.c.id, orders.c.seq)
_SIZING: Final = sa.update(orders).where(orders.c.id == sa.bindparam("order"))
_PLANNING: Final = sa.insert(work)
_STAGED: Final = sa.update(imports).where(
    imports.c.id == sa.bindparam("import"),
    *(imports.c.sealed_at.is_(None), imports.c.finished_at.is_(None)),  # finished = being pruned
)


class Staging:
    """An import on its way in; `add` chunks, then `seal` or `abandon`."""

    def __init__(self, ledger: Ledger, new: NewImport, import_id: str) -> None:
        self._ledger = ledger
        self._new = new
        self.import_id = import_id
        self._orders: dict[int, int] = {}
        self._sizes: Counter[int] = Counter()
        self._refused: Counter[str] = Counter()

    @retried_on_deadlock
    def add(self, placed: Sequence[Placed], refused: Sequence[RefusedRow] = ()) -> None:
        """Store one chunk; a few thousand rows are a good size.

        Raises:
            InProgress: it took so long that somebody else cleared it away.
        """
        known = dict(self._orders)  # ours only when they are committed
        with self._ledger.write() as tx:
            self._still_ours(tx, staged_at=tx.now)
            known |= self._open_orders(tx, {p.seq: p.kind for p in placed if p.seq not in known})
            _insert_numbers(tx, ((known[p.seq], p.pos, p.tn, p.line) for p in placed))
            # A blank row is counted and nothing else is known of it.
            telling = [{"import_id": self.import_id, **asdict(row)} for row in refused if row.kind != "blank"]
            if telling:
                tx.run(sa.insert(refused_rows), telling)
        self._orders = known
        self._sizes.update(known[p.seq] for p in placed)
        self._refused.update(row.kind for row in refused)

    def _still_ours(self, tx: Tx, **values: Any) -> None:  # noqa: ANN401 - columns of `imports`
        if not tx.changed(_STAGED, {"import": self.import_id, **columns_of(imports, **values)}):
            raise InProgress

    def _open_orders(self, tx: Tx, kinds: Mapping[int, str]) -> dict[int, int]:
        """Make orders of these kinds; their ids, both by their place within the import."""
        if not kinds:
            return {}
        new = self._new
        own = f"{new.customer_order_id[:REFERENCE_ROOM]}-" if new.customer_order_id else ""
        same = {
            "import_id": self.import_id,
            "account": new.account,
            "action": new.action,
            "site_id": new.site_id,
            "sip_peer_id": new.sip_peer_id,
            "state": OrderState.RELEASING if new.action is Action.REMOVE else OrderState.PLANNED,
        }
        rows = [{**same, "seq": seq, "kind": kind, "reference": own + identifier(12)} for seq, kind in kinds.items()]
        return {row.seq: row.id for row in tx.run(_OPENING, rows)}

    @retried_on_deadlock
    def seal(self) -> None:
        """Make the import visible and its work due, all at once.

        Raises:
            InProgress: it took so long that somebody else cleared it away, or it is sealed already.
        """
        total = sum(self._sizes.values())
        counts = {kind: self._refused[kind] for kind in ("rejected", "duplicate", "blank")}
        values = {"rows": total + sum(counts.values()), "requested": total, **counts}
        with self._ledger.write() as tx:
            self._still_ours(tx, sealed_at=tx.now, updated_at=tx.now, **values)
            if total:
                sizes = [{"order": order_id, "size": size, "open": size} for order_id, size in self._sizes.items()]
                tx.run(_SIZING, sizes)
                tx.run(_PLANNING, [self._first_step(order_id, size, tx.now) for order_id, size in self._sizes.items()])
            note(tx, "import_accepted", self.import_id, orders=len(self._sizes), **values)
            if total:
                self._plan_application(tx)
            else:
                finish(tx, self.import_id)
            tx.announce()

    def _first_step(self, order_id: int, size: int, due_at: float) -> dict[str, Any]:
        """The row of the work that an order begins with."""
        removing = self._new.action is Action.REMOVE
        return {
            "task": Task.RELEASE_NUMBERS if removing else Task.SUBMIT_ORDER,
            "account": self._new.account,
            "lane": Lane.LOOKUPS if removing else Lane.DASHBOARD,
            "due_at": due_at,
            "import_id": self.import_id,
            "order_id": order_id,
            "last": size if removing else 0,
            "look": removing,
        }

    def _plan_application(self, tx: Tx) -> None:
        mine = sa.select(imports.c.application_ref).where(imports.c.id == self.import_id).scalar_subquery()
        wish = sa.select(applications.c.id, applications.c.application_id).where(applications.c.id == mine)
        # Locked: of two imports with the same wish one plans the work, and a refusal of it sees this import or is seen.
        row = tx.run(wish.with_for_update(key_share=True)).first()
        if row is None:
            return
        renewal.allow(tx, self.import_id)
        if row.application_id is None:
            renewal.search(tx, self._new.account, row.id)

    @retried_on_deadlock
    def abandon(self) -> None:
        """Take everything back; the key can be used again."""
        with self._ledger.write() as tx:
            _clear(tx, self.import_id)


@retried_on_deadlock
def begin(ledger: Ledger, new: NewImport) -> Staging | str:
    """Open a staging, or return the id of the import that the same request made before.

    Raises:
        KeyConflict: the key belongs to another request.
        InProgress: the same request is being staged by someone who is alive.
    """
    import_id = f"imp_{identifier(16)}"
    with ledger.write() as tx:
        known = _known(tx, new)
        if known is not None:
            return known
        values = {
            "id": import_id,
            "application_ref": _application(tx, new) if new.application else None,
            **{name: getattr(new, name) for name in _COPIED},
            **dict.fromkeys(("created_at", "staged_at", "updated_at"), tx.now),
        }
        row = tx.insert(imports).values(values).on_conflict_do_nothing()
        if not tx.changed(row):
            raise InProgress
    return Staging(ledger, new, import_id)


_COPIED: Final = (
    "account",
    "action",
    "key",
    "fingerprint",
    "client_ref",
    "customer_order_id",
    "on_present",
    "max_per_minute",
    "notify_url",
    "verify",
    "verify_count",
)


def _known(tx: Tx, new: NewImport) -> str | None:
    """The import that this key or this reference has made already."""
    fields = (imports.c.id, imports.c.key, imports.c.fingerprint, imports.c.sealed_at, imports.c.staged_at)
    given = ((imports.c.key, new.key), (imports.c.client_ref, new.client_ref))
    same = [column == value for column, value in given if value is not None]
    for row in tx.run(sa.select(*fields).where(sa.or_(sa.false(), *same))).all():
        if row.fingerprint != new.fingerprint:
            raise KeyConflict(by_reference=new.key is None or row.key != new.key)
        if row.sealed_at is not None:
            return str(row.id)
        if not _abandoned(tx, row.id):
            raise InProgress
        _clear(tx, row.id)
    return None


def _abandoned(tx: Tx, import_id: str) -> bool:
    """Whether nobody has added to a staging for long, nor does now; if so it is ours, until the transaction ends.

    Who adds a chunk, seals or clears it away holds its row.
    """
    unsealed = (imports.c.id == import_id, imports.c.sealed_at.is_(None))
    old = sa.select(imports.c.id).where(*unsealed, imports.c.staged_at + ABANDONED_AFTER <= tx.now)
    return tx.run(old.with_for_update(skip_locked=True)).first() is not None


def _clear(tx: Tx, import_id: str) -> None:
    unsealed = sa.select(imports.c.id).where(imports.c.id == import_id, imports.c.sealed_at.is_(None))
    tx.run(unsealed.with_for_update())  # first, as whoever adds a chunk does: what it has added is seen then
    theirs = sa.select(orders.c.id).where(orders.c.import_id.in_(unsealed))
    tx.run(sa.delete(numbers).where(numbers.c.order_id.in_(theirs)))
    tx.run(sa.delete(orders).where(orders.c.import_id.in_(unsealed)))
    tx.run(sa.delete(refused_rows).where(refused_rows.c.import_id.in_(unsealed)))
    tx.run(sa.delete(imports).where(imports.c.id == import_id, imports.c.sealed_at.is_(None)))


def _application(tx: Tx, new: NewImport) -> int:
    """The row of the wished application, which all imports with the same wish share."""
    wish = new.application
    assert wish is not None  # noqa: S101 - the caller has asked
    values = {"account": new.account, **asdict(wish)}
    tx.run(tx.insert(applications).values(values).on_conflict_do_nothing())
    same = (applications.c.account == new.account, applications.c.fingerprint == wish.fingerprint)
    return int(tx.run(sa.select(applications.c.id).where(*same)).scalar_one())


def _insert_numbers(tx: Tx, rows: Iterable[tuple[int, int, int, int]]) -> None:
    """The fastest way in that each database has; these are the only statements a million rows go through."""
    if not tx.on_postgres:
        sql = "INSERT INTO numbers (order_id, pos, tn, line) VALUES (?, ?, ?, ?)"
        filled = list(rows)
        if filled:
            tx.connection.exec_driver_sql(sql, filled)
        return
    raw = tx.connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101 - what on_postgres says
    failed: type[psycopg.Error] | None = None
    try:
        with raw.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        failed = type(error)  # its text holds rows; its class says whether it is worth another try
    if failed is not None:
        raise sessions.textless(_COPY, failed)
