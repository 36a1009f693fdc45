"""The PostgreSQL engine, and the statements that begin its transactions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from calfeed.errors import StoreError

# Frequent queries read a few rows by an index, from cached pages. With the default, which is meant
# for hard disks, claims scan and sort the whole backlog until PostgreSQL has updated its
# statistics. LOCAL, because a pooler shares connections between transactions.
TUNE = "SET LOCAL random_page_cost = 1.1"

SELECT_SCHEMA = "SELECT version_num FROM alembic_version"
# Begins a transaction in one round trip. The lock comes before the SELECT, which takes a snapshot:
# if the lock waited for a migration after that, the snapshot would show the old schema.
BEGIN_CHECKED = f"{TUNE}; LOCK TABLE alembic_version IN ACCESS SHARE MODE; {SELECT_SCHEMA}"


def make_engine(url: URL) -> Engine:
    """Create an engine; psycopg is its driver. Raises StoreError if that is not installed."""
    try:
        import psycopg  # not at the top: SQLite does not need it, and commands start faster
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs a driver that is not installed; pip install 'calfeed[postgresql]'"
        ) from error

    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=True,  # keep secrets and texts out of errors
        pool_size=4,
        # No prepared statements: behind a pooler, transactions share connections.
        connect_args={
            "connect_timeout": 5,
            "application_name": "calfeed",
            "prepare_threshold": None,
        },
    )

    @event.listens_for(engine, "before_cursor_execute")
    def _set_format(
        _: Any, cursor: Any, _text: str, _given: Any, context: Any, _many: bool
    ) -> None:
        if context is not None and context.execution_options.get("calfeed_binary", False):
            cursor.format = psycopg.pq.Format.BINARY

    @event.listens_for(engine, "after_cursor_execute")
    def _show_last_result(
        _: Any, cursor: Any, text: str, _given: Any, _context: Any, _many: bool
    ) -> None:
        if text == BEGIN_CHECKED:
            while cursor.nextset():
                pass

    return engine
