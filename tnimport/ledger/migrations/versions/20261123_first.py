"""The first shape of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_applications()
    _create_events()
    _create_lanes()
    _create_refusals()
    _create_imports()
    _create_orders()
    _create_refused_rows()
    _create_numbers()
    _create_work()


def downgrade() -> None:
    op.drop_table("work")
    op.drop_table("numbers")
    op.drop_table("refused_rows")
    op.drop_table("orders")
    op.drop_table("imports")
    op.drop_table("refusals")
    op.drop_table("lanes")
    op.drop_table("events")
    op.drop_table("applications")


def _create_applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("application_id", sa.String(length=64), nullable=True),
        sa.Column("added", sa.Boolean(), nullable=True),
        sa.Column("page", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("looked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("account", "fingerprint", name=op.f("uq_applications_account_fingerprint")),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("import_id", sa.String(length=24), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pos", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_import", ["import_id", "id"], unique=False)
        batch_op.create_index("ix_events_order", ["order_id", "id"], unique=False)


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("filled_at", sa.Double(), nullable=False),
        sa.Column("paused_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("limited", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trouble", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_lanes")),
    )


def _create_refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_refusals")),
    )


def _create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("client_ref", sa.String(length=255), nullable=True),
        sa.Column("customer_order_id", sa.String(length=40), nullable=True),
        sa.Column("application_ref", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on_present", sa.String(length=8), server_default="skip", nullable=False),
        sa.Column("max_per_minute", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("staged_at", sa.Double(), nullable=False),
        sa.Column("sealed_at", sa.Double(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("paused_at", sa.Double(), nullable=True),
        sa.Column("held_at", sa.Double(), nullable=True),
        sa.Column("held_code", sa.String(length=64), nullable=True),
        sa.Column("held_text", sa.Text(), nullable=True),
        sa.Column("cancel_asked_at", sa.Double(), nullable=True),
        sa.Column("refused_code", sa.String(length=64), nullable=True),
        sa.Column("refused_text", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("blank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("requested", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ordered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("available", sa.Integer(), server_default="0", nullable=False),
        sa.Column("released", sa.Integer(), server_default="0", nullable=False),
        sa.Column("imported", sa.Integer(), server_default="0", nullable=False),
        sa.Column("verified", sa.Integer(), server_default="0", nullable=False),
        sa.Column("removed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unaccounted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("present", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["application_ref"], ["applications.id"], name=op.f("fk_imports_application_ref")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("client_ref", name=op.f("uq_imports_client_ref")),
        sa.UniqueConstraint("key", name=op.f("uq_imports_key")),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("import_id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("sip_peer_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("carrier_order_id", sa.String(length=64), nullable=True),
        sa.Column("carrier_status", sa.String(length=32), nullable=True),
        sa.Column("size", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open", sa.Integer(), server_default="0", nullable=False),
        sa.Column("released", sa.Integer(), server_default="0", nullable=False),
        sa.Column("polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("missing_since", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_orders_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("import_id", "seq", name=op.f("uq_orders_import_id_seq")),
        sa.UniqueConstraint("reference", name=op.f("uq_orders_reference")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_account_state", ["account", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_import_id"), ["import_id"], unique=False)


def _create_refused_rows() -> None:
    op.create_table(
        "refused_rows",
        sa.Column("import_id", sa.String(length=24), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("first_line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_refused_rows_import_id")),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_refused_rows")),
        sqlite_with_rowid=False,
    )


def _create_numbers() -> None:
    op.create_table(
        "numbers",
        sa.Column(
            "order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("pos", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tn", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), server_default="open", nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("number_id", sa.String(length=64), nullable=True),
        sa.Column("added", sa.Boolean(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_numbers_order_id")),
        sa.PrimaryKeyConstraint("order_id", "pos", name=op.f("pk_numbers")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("numbers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_numbers_tn"), ["tn"], unique=False)


def _create_work() -> None:
    op.create_table(
        "work",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=32), nullable=False),
        sa.Column("import_id", sa.String(length=24), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("application_ref", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("first", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last", sa.Integer(), server_default="0", nullable=False),
        sa.Column("look", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("lost", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=8), server_default="waiting", nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("serial", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["application_ref"], ["applications.id"], name=op.f("fk_work_application_ref")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_work_import_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_work_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
    )
    with op.batch_alter_table("work", schema=None) as batch_op:
        batch_op.create_index("ix_work_due", ["account", "lane", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_import_id"), ["import_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_work_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_work_until", ["state", "until"], unique=False)
