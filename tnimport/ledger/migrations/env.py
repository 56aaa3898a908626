"""Alembic's entry: the connection is handed over by `tnimport.ledger.migrate`."""

from alembic import context

from tnimport.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
