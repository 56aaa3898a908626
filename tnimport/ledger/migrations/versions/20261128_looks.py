"""Looks that cost the same however much is over or waits: indexes and a table of sums. Nothing in use is changed."""

import sqlalchemy as sa
from alembic import op

revision = "20261128_looks"
down_revision = "20261125_broker"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sums",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sums")),
    )
    _partial("ix_work_receiver", "work", ["account", "receiver", "state", "due_at", "id"], "receiver IS NOT NULL")
    op.create_index("ix_imports_created", "imports", ["created_at", "id"], unique=False)
    op.create_index("ix_imports_account", "imports", ["account", "created_at", "id"], unique=False)
    op.create_index("ix_imports_finished", "imports", ["finished_at", "id"], unique=False)
    _partial("ix_imports_unsealed", "imports", ["id"], "sealed_at IS NULL")
    _partial("ix_deliveries_not_delivered", "deliveries", ["account", "state", "created_at"], "state <> 'delivered'")


def downgrade() -> None:
    op.drop_index("ix_deliveries_not_delivered", table_name="deliveries")
    op.drop_index("ix_imports_unsealed", table_name="imports")
    op.drop_index("ix_imports_finished", table_name="imports")
    op.drop_index("ix_imports_account", table_name="imports")
    op.drop_index("ix_imports_created", table_name="imports")
    op.drop_index("ix_work_receiver", table_name="work")
    op.drop_table("sums")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=False, sqlite_where=condition, postgresql_where=condition)
