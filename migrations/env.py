"""Runs the migrations on the connection that `bot.storage.migrate` hands over."""

from alembic import context

from bot.storage.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
