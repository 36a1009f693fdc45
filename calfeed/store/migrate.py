"""Migrate a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from calfeed.errors import StoreError
from calfeed.store.database import Database

HEAD = "0007"
"""The newest migration. If a database has it, Alembic need not be loaded."""

_FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the missing migrations in one transaction.

    Several processes may do this at once. Raises StoreError if the database cannot be used, or is
    of a newer version.
    """
    if _find_revision(database) == HEAD:
        database.compact()
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    database.make()
    with database.write_exclusive() as connection:
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database {database.name} was made by a newer calfeed; use that version"
            ) from error
    database.compact()


def check_schema(database: Database) -> None:
    """Raise StoreError if the database does not have the schema of this version."""
    revision = _find_revision(database)
    if revision is None:
        raise StoreError(
            f"nothing is published in the database {database.name} yet; "
            "run `calfeed publish`, or `calfeed serve`"
        )
    if revision != HEAD:
        raise StoreError(
            f"the database {database.name} has another version's schema ({revision}, not {HEAD}); "
            "run `calfeed publish` with the newest calfeed to bring it up to date"
        )


def is_empty(database: Database) -> bool:
    """Whether a database has no schema yet. A missing SQLite file is not created."""
    return _find_revision(database) is None


def _find_revision(database: Database) -> str | None:
    if not database.exists:
        return None
    with database.read() as connection:
        return schema_revision(connection)


def schema_revision(connection: Connection) -> str | None:
    """Return the current migration of a database, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version
