"""The application that the carrier knew no longer, while its place is looked for: one column, at first empty."""

import sqlalchemy as sa
from alembic import op

revision = "20261128_gone"
down_revision = "20261128_looks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("gone_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("applications", "gone_id")
