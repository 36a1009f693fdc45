"""What Alembic runs: the migrations, on the connection that `migrate` gives it."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite alters tables by making them anew.
    render_as_batch=True,
)
context.run_migrations()
