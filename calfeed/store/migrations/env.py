"""The Alembic environment: run the migrations on the connection of `migrate`."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite changes columns only by copying the table.
    render_as_batch=True,
)
context.run_migrations()
