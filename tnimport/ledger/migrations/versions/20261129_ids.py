"""Ids of work that SQLite gives once, as PostgreSQL does: a late message finds no other work under its id.

SQLite gives the id of a deleted last row to the next one, unless the table says otherwise; to say so, the table is made
anew. What it holds is what waits and runs, however large the ledger is.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_ids"
down_revision = "20261128_gone"
branch_labels = None
depends_on = None

BEYOND = 1_000_000  # more than the ids that were given before, which messages may still name


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(autoincrement=True)
        op.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'work'"))
        seeded = "INSERT INTO sqlite_sequence (name, seq) SELECT 'work', coalesce(max(id), 0) + :beyond FROM work"
        op.execute(sa.text(seeded).bindparams(beyond=BEYOND))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(autoincrement=False)


def _make_anew(*, autoincrement: bool) -> None:
    with op.batch_alter_table("work", recreate="always", table_kwargs={"sqlite_autoincrement": autoincrement}):
        pass
