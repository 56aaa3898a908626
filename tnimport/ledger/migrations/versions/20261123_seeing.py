"""Heartbeats, tallies and upkeep: three new tables; nothing that older processes use is changed."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_seeing"
down_revision = "20261123_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_heartbeats()
    _create_tallies()
    _create_upkeep()


def downgrade() -> None:
    op.drop_table("upkeep")
    op.drop_table("tallies")
    op.drop_table("heartbeats")


def _create_heartbeats() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
    )


def _create_tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", "label", name=op.f("pk_tallies")),
    )


def _create_upkeep() -> None:
    op.create_table(
        "upkeep",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("serial", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_upkeep")),
    )
