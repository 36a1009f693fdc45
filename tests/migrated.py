"""New SQLite databases with calfeed's tables: copies of one that was migrated."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from calfeed.store.database import Database
from calfeed.store.migrate import migrate

_NAME = "calfeed.sqlite3"


def migrated_sqlite(folder: Path) -> Database:
    """A database in a folder, its tables as empty as migrations leave them.

    Every one that a process makes is of the same installation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _migrate_one().items():
        path = folder / name
        path.touch(0o600)
        path.write_bytes(content)
    return Database(f"sqlite:///{folder / _NAME}")


@cache
def _migrate_one() -> dict[str, bytes]:
    """By its name, each file that there is then: the database, and what belongs to it."""
    with TemporaryDirectory(prefix="calfeed-") as folder:
        with closing(Database(f"sqlite:///{folder}/{_NAME}")) as database:
            migrate(database)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    # A database that is closed is one file: SQLite puts what is in the log into it.
    assert f"{_NAME}-wal" not in files
    return files
