"""Migrate a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from calfeed.errors import SchemaError, StoreError
from calfeed.store.database import Database
from calfeed.store.migrations.compatibility import is_compatible

HEAD = "0013"
"""The newest migration. If a database has it, Alembic need not be loaded.

Processes that run during a migration stop using the database if the migration has a new number
(0014). A migration after which everything that they read and write stays valid is a step of the
same number (0013.1), and they continue.
"""

_FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the missing migrations in one transaction.

    Several processes may do this at once. Raises StoreError if the database cannot be used, or is
    of a newer version.
    """
    revision = _find_revision(database)
    if revision is not None and is_compatible(revision, HEAD):
        database.compact()
        database.require_schema(HEAD)
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    database.make()
    with database.write_migration() as connection:
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SchemaError(
                f"the database {database.name} was made by a newer calfeed; use that version"
            ) from error
    database.compact()
    database.require_schema(HEAD)


def check_schema(database: Database) -> None:
    """Raise StoreError if the database does not have the schema of this version.

    Every later transaction checks the schema again, and raises SchemaError if it has changed.
    """
    revision = _find_revision(database)
    if revision is None:
        raise StoreError(
            f"nothing is published in the database {database.name} yet; "
            "run `calfeed publish`, or `calfeed serve`"
        )
    if not is_compatible(revision, HEAD):
        raise SchemaError(
            f"the database {database.name} has another version's schema ({revision}, not {HEAD}); "
            "run `calfeed publish` with the newest calfeed to bring it up to date"
        )
    database.require_schema(HEAD)


def is_empty(database: Database) -> bool:
    """Whether a database has no schema yet. A missing SQLite file is not created."""
    return _find_revision(database) is None


def _find_revision(database: Database) -> str | None:
    if not database.exists:
        return None
    with database.read(any_schema=True) as connection:
        return schema_revision(connection)


def schema_revision(connection: Connection) -> str | None:
    """Return the current migration of a database, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version
