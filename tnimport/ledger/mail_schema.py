"""The tables of what is said and heard: messages, the ring that proves numbers, callbacks, and what others are told.

They belong to the tables of `tnimport.ledger.schema`, which is where everybody else takes them from.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tnimport.ledger.columns import Id, count, metadata, time

# Conditions of an index and of the one statement that reads by it, in the same words.
NOT_SENT: Final = text("state <> 'sent'")
NOT_DELIVERED: Final = text("state <> 'delivered'")

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
    count("attempts"),
    time("created_at", nullable=False),
    time("sent_at"),
    time("updated_at", nullable=False),
    Index("ix_messages_carrier", "account", "carrier_id"),
    Index("ix_messages_created", "created_at", "id"),
    Index("ix_messages_not_sent", "account", "state", sqlite_where=NOT_SENT, postgresql_where=NOT_SENT),
    Index("ix_messages_account", "account", "created_at", "id"),
    Index("ix_messages_sender", "sender", "created_at", "id"),
    Index("ix_messages_recipient", "recipient", "created_at", "id"),
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
    count("seen"),
    count("placed"),
    count("linked"),
    count("settled"),
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
    time("arrived_at"),
    time("settled_at"),
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
    time("received_at", nullable=False),
    UniqueConstraint("account", "message_id", "kind"),
    Index("ix_inbound_recipient", "recipient", "id"),
    Index("ix_inbound_account", "account", "id"),
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
    count("attempts"),
    time("created_at", nullable=False),
    time("updated_at", nullable=False),
    Index("ix_deliveries_state", "account", "state", "created_at"),
    Index("ix_deliveries_created", "created_at", "id"),
    Index(
        "ix_deliveries_not_delivered",
        *("account", "state", "created_at"),
        sqlite_where=NOT_DELIVERED,
        postgresql_where=NOT_DELIVERED,
    ),
)

# Order notifications: what the Dashboard was asked to tell us of, for each account.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("subscription_id", String(64)),
    time("looked_at"),
    time("made_at"),
    time("expires_at"),
    time("told_at"),
    time("untold_at"),  # an order had ended, and no word had come
    Column("untold_order", String(64)),
    time("rest_until"),
)
