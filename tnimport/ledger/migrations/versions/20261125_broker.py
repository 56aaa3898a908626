"""What a process last heard of the broker: one column, which older processes leave empty."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_broker"
down_revision = "20261125_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("heartbeats", sa.Column("broker", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("heartbeats", "broker")
