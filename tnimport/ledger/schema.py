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
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tnimport.domain.life import NumberState

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

# SQLite makes only an INTEGER column the row id; PostgreSQL wants the wide type.
Id: Final = BigInteger().with_variant(Integer, "sqlite")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default="0")


def _time(name: str, *, nullable: bool = True) -> Column[float]:
    return Column(name, Double, nullable=nullable)


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
    Column("on_present", String(8), nullable=False, server_default="skip"),
    Column("max_per_minute", Double),
    Column("notify_url", Text),
    Column("verify", String(8), nullable=False, server_default="none"),
    Column("verify_count", Integer),
    _time("created_at", nullable=False),
    _time("staged_at", nullable=False),
    _time("sealed_at"),
    _time("started_at"),
    _time("paused_at"),
    _time("held_at"),
    Column("held_code", String(64)),
    Column("held_text", Text),
    _time("cancel_asked_at"),
    Column("refused_code", String(64)),
    Column("refused_text", Text),
    _time("verify_started_at"),
    _time("verify_ended_at"),
    _time("finished_at"),
    _time("updated_at", nullable=False),
    _count("rows"),
    _count("rejected"),
    _count("duplicate"),
    _count("blank"),
    *(_count(state.value) for state in NumberState),
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
    _count("size"),
    _count("open"),
    _count("released"),
    _count("polls"),
    _count("attempts"),
    _time("sent_at"),
    _time("accepted_at"),
    _time("missing_since"),
    _time("woken_at"),  # when the carrier had it looked at, or is about to
    _time("finished_at"),
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
    _count("attempts"),
    _time("updated_at"),
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
    _count("attempts"),
    _time("sent_at"),
    _time("looked_at"),
    UniqueConstraint("account", "fingerprint"),
)

# Messages that go out (step 5). Written before the carrier is called; one of unknown outcome is never sent again.
messages = Table(
    "messages",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("import_id", String(24), ForeignKey("imports.id"), index=True),  # it proves a number of this import
    Column("key", String(320), unique=True),
    Column("fingerprint", String(64)),
    Column("sender", BigInteger, nullable=False),
    Column("recipient", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("media", JSON, nullable=False),
    Column("tag", Text),
    Column("receipt_requested", String(8)),
    Column("state", String(12), nullable=False),
    Column("code", String(64)),
    Column("description", Text),
    Column("carrier_id", String(64)),
    Column("delivery_state", String(16)),
    Column("delivery_code", String(16)),
    Column("delivery_description", Text),
    _count("attempts"),
    _time("created_at", nullable=False),
    _time("sent_at"),
    _time("updated_at", nullable=False),
    Index("ix_messages_carrier", "account", "carrier_id"),
    Index("ix_messages_created", "created_at", "id"),
)

# The ring in which the numbers of an import prove each other, and how far round it has been laid.
rings = Table(
    "rings",
    metadata,
    Column("import_id", String(24), ForeignKey("imports.id"), primary_key=True),
    Column("eligible", Integer, nullable=False),
    Column("chosen", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # as many as are chosen, and the partner of one that is alone
    Column("order_id", Id, nullable=False, server_default="0"),  # the number looked at last
    Column("pos", Integer, nullable=False, server_default="-1"),
    _count("seen"),
    _count("placed"),
    _count("linked"),
    _count("settled"),
)

# One place of a ring: a number, the nonce of its message to the next place, and whether that has arrived.
proofs = Table(
    "proofs",
    metadata,
    Column("import_id", String(24), ForeignKey("imports.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("nonce", String(32), nullable=False, unique=True),
    Column("order_id", Id),  # none: the partner of a number that is alone
    Column("pos", Integer),
    Column("tn", BigInteger, nullable=False),
    Column("message_id", String(24)),
    _time("arrived_at"),
    _time("settled_at"),
    Index("ix_proofs_settled", "import_id", "settled_at"),
    sqlite_with_rowid=False,
)

# What the carrier called us about (step 6): messages that came in, and receipts of those that went out.
inbound = Table(
    "inbound",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account", String(64), nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("kind", String(40), nullable=False),  # message, or receipt and its delivery state
    Column("event_type", String(8), nullable=False, server_default="sms"),  # or mms
    Column("sender", String(40), nullable=False),
    Column("recipient", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("media", JSON, nullable=False),
    Column("tag", Text),
    Column("application_id", String(64)),
    Column("delivery_state", String(16)),
    Column("delivery_code", String(16)),
    Column("delivery_description", Text),
    Column("said_at", String(40)),  # the carrier's own words for when
    _time("received_at", nullable=False),
    UniqueConstraint("account", "message_id", "kind"),
    Index("ix_inbound_recipient", "recipient", "id"),
    Index("ix_inbound_received", "received_at"),
)

# What we owe to those who asked to be told: one row an event and receiver.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("type", String(40), nullable=False),
    Column("target", String(8), nullable=False),  # url or task
    Column("address", Text, nullable=False),
    Column("import_id", String(24), ForeignKey("imports.id"), index=True),
    Column("inbound_id", Id, ForeignKey("inbound.id"), index=True),
    Column("data", JSON),  # of an import: what is told, as it was then
    Column("state", String(12), nullable=False),
    Column("code", String(64)),
    Column("description", Text),
    Column("status", Integer),
    _count("attempts"),
    _time("created_at", nullable=False),
    _time("updated_at", nullable=False),
    Index("ix_deliveries_state", "account", "state", "created_at"),
    Index("ix_deliveries_created", "created_at", "id"),
)

# Order notifications: what the Dashboard was asked to tell us of, for each account.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("subscription_id", String(64)),
    _time("looked_at"),
    _time("made_at"),
    _time("expires_at"),
    _time("told_at"),
    _time("untold_at"),  # an order had ended, and no word had come
    Column("untold_order", String(64)),
    _time("rest_until"),
)

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
    _flag("look"),
    _flag("lost"),
    Column("state", String(8), nullable=False, server_default="waiting"),
    _time("due_at", nullable=False),
    _count("serial"),
    Column("token", String(32)),
    _time("until"),
    _count("tokens"),
    _count("attempts"),
    _count("strikes"),
    Index("ix_work_due", "account", "lane", "state", "due_at"),
    Index("ix_work_until", "state", "until"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("tokens", Double, nullable=False),
    _time("filled_at", nullable=False),
    Column("paused_until", Double, nullable=False, server_default="0"),
    _count("limited"),
    _count("trouble"),
    _flag("opened"),
    Column("share", Double, nullable=False, server_default="1"),
    Column("share_at", Double, nullable=False, server_default="0"),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _time("at", nullable=False),
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
    _time("at", nullable=False),
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
    _time("started_at", nullable=False),
    _time("seen_at", nullable=False),
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

# What the service does for itself now and then, and which run has it.
upkeep = Table(
    "upkeep",
    metadata,
    Column("name", String(64), primary_key=True),
    _time("due_at", nullable=False),
    _count("serial"),
    _count("taken"),
    _time("until"),
)
