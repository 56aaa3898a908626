"""Messages out and in, and what others are told of them: new tables, and columns that older processes leave alone."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_messages"
down_revision = "20261123_seeing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_inbound()
    _create_subscriptions()
    _create_deliveries()
    _create_messages()
    _create_rings()
    _widen()


def downgrade() -> None:
    op.drop_column("orders", "woken_at")
    op.drop_column("applications", "found_id")
    op.drop_index("ix_work_delivery", table_name="work")
    op.drop_column("work", "receiver")
    op.drop_column("work", "delivery_id")
    op.drop_column("work", "message_id")
    op.drop_column("lanes", "share_at")
    op.drop_column("lanes", "share")
    op.drop_column("imports", "verify_ended_at")
    op.drop_column("imports", "verify_started_at")
    op.drop_column("imports", "verify_count")
    op.drop_column("imports", "verify")
    op.drop_column("imports", "notify_url")
    op.drop_index("ix_proofs_settled", table_name="proofs")
    op.drop_table("proofs")
    op.drop_table("rings")
    op.drop_index(op.f("ix_messages_import_id"), table_name="messages")
    op.drop_index("ix_messages_recipient", table_name="messages")
    op.drop_index("ix_messages_sender", table_name="messages")
    op.drop_index("ix_messages_not_sent", table_name="messages")
    op.drop_index("ix_messages_account", table_name="messages")
    op.drop_index("ix_messages_created", table_name="messages")
    op.drop_index("ix_messages_carrier", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_deliveries_created", table_name="deliveries")
    op.drop_index("ix_deliveries_state", table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_inbound_id"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_import_id"), table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_table("subscriptions")
    op.drop_index("ix_inbound_account", table_name="inbound")
    op.drop_index("ix_inbound_received", table_name="inbound")
    op.drop_index("ix_inbound_recipient", table_name="inbound")
    op.drop_table("inbound")


def _create_inbound() -> None:
    op.create_table(
        "inbound",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=8), server_default="sms", nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("application_id", sa.String(length=64), nullable=True),
        sa.Column("delivery_state", sa.String(length=16), nullable=True),
        sa.Column("delivery_code", sa.String(length=16), nullable=True),
        sa.Column("delivery_description", sa.Text(), nullable=True),
        sa.Column("said_at", sa.String(length=40), nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("account", "message_id", "kind", name=op.f("uq_inbound_account_message_id_kind")),
    )
    op.create_index("ix_inbound_recipient", "inbound", ["recipient", "id"], unique=False)
    op.create_index("ix_inbound_account", "inbound", ["account", "id"], unique=False)
    op.create_index("ix_inbound_received", "inbound", ["received_at"], unique=False)


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.String(length=64), nullable=True),
        sa.Column("looked_at", sa.Double(), nullable=True),
        sa.Column("made_at", sa.Double(), nullable=True),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("told_at", sa.Double(), nullable=True),
        sa.Column("untold_at", sa.Double(), nullable=True),
        sa.Column("untold_order", sa.String(length=64), nullable=True),
        sa.Column("rest_until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_subscriptions")),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=8), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("import_id", sa.String(length=24), nullable=True),
        sa.Column("inbound_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_deliveries_import_id")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_deliveries_inbound_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_import_id"), "deliveries", ["import_id"], unique=False)
    op.create_index(op.f("ix_deliveries_inbound_id"), "deliveries", ["inbound_id"], unique=False)
    op.create_index("ix_deliveries_state", "deliveries", ["account", "state", "created_at"], unique=False)
    op.create_index("ix_deliveries_created", "deliveries", ["created_at", "id"], unique=False)


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("import_id", sa.String(length=24), nullable=True),
        sa.Column("key", sa.String(length=320), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("sender", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("receipt_requested", sa.String(length=8), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("carrier_id", sa.String(length=64), nullable=True),
        sa.Column("delivery_state", sa.String(length=16), nullable=True),
        sa.Column("delivery_code", sa.String(length=16), nullable=True),
        sa.Column("delivery_description", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_messages_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    op.create_index("ix_messages_carrier", "messages", ["account", "carrier_id"], unique=False)
    op.create_index("ix_messages_created", "messages", ["created_at", "id"], unique=False)
    others = sa.text("state <> 'sent'")
    op.create_index(
        "ix_messages_not_sent", "messages", ["account", "state"], sqlite_where=others, postgresql_where=others
    )
    op.create_index("ix_messages_account", "messages", ["account", "created_at", "id"], unique=False)
    op.create_index("ix_messages_sender", "messages", ["sender", "created_at", "id"], unique=False)
    op.create_index("ix_messages_recipient", "messages", ["recipient", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_messages_import_id"), "messages", ["import_id"], unique=False)


def _create_rings() -> None:
    op.create_table(
        "rings",
        sa.Column("import_id", sa.String(length=24), nullable=False),
        sa.Column("eligible", sa.Integer(), nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("pos", sa.Integer(), server_default="-1", nullable=False),
        sa.Column("seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("placed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("linked", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settled", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_rings_import_id")),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_rings")),
    )
    op.create_table(
        "proofs",
        sa.Column("import_id", sa.String(length=24), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pos", sa.Integer(), nullable=True),
        sa.Column("tn", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=True),
        sa.Column("arrived_at", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_proofs_import_id")),
        sa.PrimaryKeyConstraint("import_id", "place", name=op.f("pk_proofs")),
        sa.UniqueConstraint("nonce", name=op.f("uq_proofs_nonce")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_proofs_settled", "proofs", ["import_id", "settled_at"], unique=False)


def _widen() -> None:
    op.add_column("imports", sa.Column("notify_url", sa.Text(), nullable=True))
    op.add_column("imports", sa.Column("verify", sa.String(length=8), server_default="none", nullable=False))
    op.add_column("imports", sa.Column("verify_count", sa.Integer(), nullable=True))
    op.add_column("imports", sa.Column("verify_started_at", sa.Double(), nullable=True))
    op.add_column("imports", sa.Column("verify_ended_at", sa.Double(), nullable=True))
    op.add_column("applications", sa.Column("found_id", sa.String(length=64), nullable=True))
    op.add_column("orders", sa.Column("woken_at", sa.Double(), nullable=True))
    op.add_column("lanes", sa.Column("share", sa.Double(), server_default="1", nullable=False))
    op.add_column("lanes", sa.Column("share_at", sa.Double(), server_default="0", nullable=False))
    op.add_column("work", sa.Column("message_id", sa.String(length=24), nullable=True))
    op.add_column("work", sa.Column("delivery_id", sa.String(length=24), nullable=True))
    op.add_column("work", sa.Column("receiver", sa.String(length=40), nullable=True))
    told = sa.text("delivery_id IS NOT NULL")
    op.create_index("ix_work_delivery", "work", ["delivery_id"], sqlite_where=told, postgresql_where=told)
