"""The tables of the ledger.

Times are seconds since the epoch by the database's clock. A telephone number is stored as its ten digits in one
integer. Only what decides the future is a column with an index; history goes to `events`, which is never updated.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tnimport.domain.life import NumberState
from tnimport.domain.wishes import OnPresent, Verify
from tnimport.ledger.columns import Id, count, flag, metadata, time
from tnimport.ledger.mail_schema import (
    NOT_DELIVERED,
    NOT_SENT,
    deliveries,
    inbound,
    messages,
    proofs,
    rings,
    subscriptions,
)

__all__ = [
    "NOT_DELIVERED",
    "NOT_SENT",
    "applications",
    "deliveries",
    "events",
    "heartbeats",
    "imports",
    "inbound",
    "lanes",
    "messages",
    "metadata",
    "numbers",
    "orders",
    "proofs",
    "refusals",
    "refused_rows",
    "rings",
    "subscriptions",
    "sums",
    "tallies",
    "upkeep",
    "work",
]

_UNSEALED: Final = text("sealed_at IS NULL")

imports = Table(
    "imports",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("action", String(8), nullable=False),
    Column("key", String(320), unique=True),
    Column("fingerprint", String(64)),
    Column("client_ref", String(255), unique=True),
    Column("customer_order_id", String(40)),
    Column("application_ref", Id, ForeignKey("applications.id")),
    Column("on_present", String(8), nullable=False, server_default=OnPresent.SKIP),
    Column("max_per_minute", Double),
    Column("notify_url", Text),
    Column("verify", String(8), nullable=False, server_default=Verify.NONE),
    Column("verify_count", Integer),
    time("created_at", nullable=False),
    time("staged_at", nullable=False),
    time("sealed_at"),
    time("started_at"),
    time("paused_at"),
    time("held_at"),
    Column("held_code", String(64)),
    Column("held_text", Text),
    time("cancel_asked_at"),
    Column("refused_code", String(64)),
    Column("refused_text", Text),
    time("verify_started_at"),
    time("verify_ended_at"),
    time("finished_at"),
    time("updated_at", nullable=False),
    count("rows"),
    count("rejected"),
    count("duplicate"),
    count("blank"),
    *(count(state.value) for state in NumberState),
    Index("ix_imports_created", "created_at", "id"),
    Index("ix_imports_account", "account", "created_at", "id"),
    Index("ix_imports_unsealed", "id", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
    Index("ix_imports_finished", "finished_at", "id"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("import_id", String(24), ForeignKey("imports.id"), nullable=False, index=True),
    Column("account", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("action", String(8), nullable=False),
    Column("site_id", String(32), nullable=False),
    Column("sip_peer_id", String(32)),
    Column("state", String(16), nullable=False),
    Column("reference", String(40), nullable=False, unique=True),
    Column("carrier_order_id", String(64)),
    Column("carrier_status", String(32)),
    count("size"),
    count("open"),
    count("released"),
    count("polls"),
    count("attempts"),
    time("sent_at"),
    time("accepted_at"),
    time("missing_since"),
    time("woken_at"),  # when the carrier had it looked at, or is about to
    time("finished_at"),
    Column("stage", String(16)),
    Column("code", String(64)),
    Column("description", Text),
    UniqueConstraint("import_id", "seq"),
    Index("ix_orders_account_state", "account", "state"),
)

# No index on the state: a number moves ten times cheaper without it, and every reader comes by order or by number.
numbers = Table(
    "numbers",
    metadata,
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True, autoincrement=False),
    Column("pos", Integer, primary_key=True, autoincrement=False),
    Column("tn", BigInteger, nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("outcome", String(12), nullable=False, server_default="open"),
    Column("stage", String(16)),
    Column("code", String(64)),
    Column("description", Text),
    Column("number_id", String(64)),
    Column("added", Boolean),
    count("attempts"),
    time("updated_at"),
    sqlite_with_rowid=False,
)

# Input rows that never became numbers.
refused_rows = Table(
    "refused_rows",
    metadata,
    Column("import_id", String(24), ForeignKey("imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(12), nullable=False),
    Column("text", String(200)),
    Column("code", String(64)),
    Column("description", Text),
    Column("first_line", Integer),
    sqlite_with_rowid=False,
)

applications = Table(
    "applications",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("name", String(255)),
    Column("url", Text),
    Column("spec", JSON, nullable=False),
    Column("found_id", String(64)),  # it stands in the carrier's list, and is to be given our secret
    Column("application_id", String(64)),
    Column("added", Boolean),
    Column("page", Integer, nullable=False, server_default="0"),
    count("attempts"),
    time("sent_at"),
    time("looked_at"),
    Column("gone_id", String(64)),  # known to the carrier no longer, and no number has gone to another one yet
    UniqueConstraint("account", "fingerprint"),
)

_TELLS: Final = text("delivery_id IS NOT NULL")
_HAS_RECEIVER: Final = text("receiver IS NOT NULL")

# What is to be done next, by whom it is held and until when. Rows go when their work is done.
work = Table(
    "work",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("task", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("lane", String(32), nullable=False),
    Column("import_id", String(24), ForeignKey("imports.id"), index=True),  # none where several imports wait for it
    Column("order_id", Id, ForeignKey("orders.id"), index=True),
    Column("application_ref", Id, ForeignKey("applications.id")),
    Column("message_id", String(24)),
    Column("delivery_id", String(24)),
    Column("receiver", String(40)),  # who is told by it
    Column("first", Integer, nullable=False, server_default="0"),
    Column("last", Integer, nullable=False, server_default="0"),
    flag("look"),
    flag("lost"),
    Column("state", String(8), nullable=False, server_default="waiting"),
    time("due_at", nullable=False),
    count("serial"),
    Column("token", String(32)),
    time("until"),
    count("tokens"),
    count("attempts"),
    count("strikes"),
    Index("ix_work_due", "account", "lane", "state", "due_at"),
    Index("ix_work_until", "state", "until"),
    Index("ix_work_delivery", "delivery_id", sqlite_where=_TELLS, postgresql_where=_TELLS),
    Index(
        "ix_work_receiver",
        *("account", "receiver", "state", "due_at", "id"),
        sqlite_where=_HAS_RECEIVER,
        postgresql_where=_HAS_RECEIVER,
    ),
    sqlite_autoincrement=True,  # no id is given twice: a message that comes late must find no other work under it
)

lanes = Table(
    "lanes",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("tokens", Double, nullable=False),
    time("filled_at", nullable=False),
    Column("paused_until", Double, nullable=False, server_default="0"),
    count("limited"),
    count("trouble"),
    flag("opened"),
    Column("share", Double, nullable=False, server_default="1"),
    Column("share_at", Double, nullable=False, server_default="0"),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    time("at", nullable=False),
    Column("import_id", String(24), nullable=False),
    Column("order_id", Id),
    Column("pos", Integer),
    Column("kind", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_events_import", "import_id", "id"),
    Index("ix_events_order", "order_id", "id"),
)

# Requests by task name that could not be accepted: a caller without an HTTP answer finds the reasons here.
refusals = Table(
    "refusals",
    metadata,
    Column("key", String(320), primary_key=True),
    time("at", nullable=False),
    Column("problems", JSON, nullable=False),
)

# Processes of this deployment that have shown themselves; what is seen no more is dead or cut off.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("id", String(200), primary_key=True),  # kind@host/pid
    Column("kind", String(16), nullable=False),
    Column("host", String(120), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    time("started_at", nullable=False),
    time("seen_at", nullable=False),
    Column("broker", String(64)),  # `answers`, or the fault that was met; empty = this process does not ask
)

# Totals that only grow, of what leaves no row behind: calls by API and status, claims that ran out.
tallies = Table(
    "tallies",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("label", String(120), primary_key=True),
    Column("count", BigInteger, nullable=False, server_default="0"),
)

# What was added up of imports that had finished by then, so that nobody reads them all to know it.
sums = Table(
    "sums",
    metadata,
    Column("name", String(40), primary_key=True),
    time("until", nullable=False),
    Column("data", JSON, nullable=False),
)

# What the service does for itself now and then, and which run has it.
upkeep = Table(
    "upkeep",
    metadata,
    Column("name", String(64), primary_key=True),
    time("due_at", nullable=False),
    count("serial"),
    count("taken"),
    time("until"),
)
