"""Bring a database to this version's schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from calfeed.errors import StoreError
from calfeed.store.database import Database

HEAD = "0004"
"""The newest migration. Where a database is there already, Alembic need not be loaded."""

_FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the migrations that the database has not seen, in one transaction.

    Any number of processes may do so at once. Raises StoreError where the database cannot be
    used, or belongs to a newer calfeed.
    """
    if _find_revision(database) == HEAD:
        database.compact()
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    database.make()
    with database.write_alone() as connection:
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database {database.name} was made by a newer calfeed; use that one"
            ) from error
    database.compact()


def check_schema(database: Database) -> None:
    """Raise StoreError unless the database has this version's schema. Nothing is made."""
    found = _find_revision(database)
    if found is None:
        raise StoreError(
            f"nothing is published in the database {database.name} yet; "
            "run `calfeed publish`, or `calfeed serve`"
        )
    if found != HEAD:
        raise StoreError(
            f"the database {database.name} has another version's schema ({found}, not {HEAD}); "
            "run `calfeed publish` with the newest calfeed to bring it up to date"
        )


def is_empty(database: Database) -> bool:
    """Whether a database has no schema yet. A SQLite file that is not there is not made."""
    return _find_revision(database) is None


def _find_revision(database: Database) -> str | None:
    if not database.exists:
        return None
    with database.read() as connection:
        return schema_revision(connection)


def schema_revision(connection: Connection) -> str | None:
    """The migration that a database was last brought to; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version
