"""The database: an engine with read and write transactions, on SQLite or PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from calfeed.errors import SchemaError, StoreError
from calfeed.settings import KEY_FILE
from calfeed.store.engines import postgresql, sqlite
from calfeed.store.engines.postgresql import BEGIN_CHECKED, SELECT_SCHEMA, TUNE
from calfeed.store.engines.read_only import ReadOnlyConnection
from calfeed.store.engines.sqlite import DatabaseFile, Identity, compact
from calfeed.store.engines.urls import (
    is_sqlite,
    make_program_url,
    not_a_url,
    parse_url,
    show_url,
)
from calfeed.store.migrations.compatibility import is_compatible
from calfeed.store.secrets.keys import KeyFile
from calfeed.store.secrets.private_columns import register_keyring
from calfeed.store.secrets.sealing import OPTION, Keyring

if TYPE_CHECKING:
    import psycopg

_PUBLISH_LOCK = 0x63616C66
"""The number of the advisory lock for exclusive transactions on PostgreSQL ("calf")."""

# The SQLSTATEs of a replica for a write statement, and for the begin of a write transaction.
_READ_ONLY_STATES = ("25006", "0A000")


class Transactions(Protocol):
    """Opens transactions: a database, or an open transaction to join."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that only reads."""

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may write."""


@dataclass(frozen=True)
class JoinedTransaction:
    """An open transaction in place of a database: all reads and writes become part of it."""

    connection: Connection

    def read(self) -> AbstractContextManager[Connection]:
        """Return the open transaction."""
        return nullcontext(self.connection)

    write = read


class Database:
    """A database. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        keys: Path | None = None,
        *,
        pinned: bool = False,
        looking: bool = False,
    ) -> None:
        """Open a database by its SQLAlchemy URL (`sqlite:///…` or `postgresql://…`).

        `keys` is the key file for its secrets. By default it is beside a SQLite file; without it,
        no secret can be read or written on PostgreSQL.

        This neither connects nor creates a file. If a SQLite file is replaced, the new one is
        opened, or ReplacedError is raised if the database is `pinned`. With `looking` nothing
        is changed, not even the mode of a file. Raises StoreError if the URL is invalid.
        """
        parsed = self._url = parse_url(url)
        self.is_sqlite = is_sqlite(parsed)
        self.file = DatabaseFile(Path(parsed.database or "")) if self.is_sqlite else None
        if keys is None and self.file is not None:
            keys = self.file.path.with_name(KEY_FILE)
        self.keys = keys
        self.keyring = Keyring(KeyFile(keys)) if keys is not None else None
        engine = _make_engine(parsed, self.file, pinned=pinned, looking=looking)
        if self.keyring is not None:
            register_keyring(engine, self.keyring)
        self.engine = engine.execution_options(**{OPTION: self.keyring})
        self.name = show_url(parsed)
        # SQLite has one writer at a time, and a waiting thread polls. With a lock of our own, the
        # waiting thread is woken at once.
        self._writing: AbstractContextManager[object] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )
        self._schema: str | None = None

    def require_schema(self, revision: str) -> None:
        """Let each later transaction begin with a check of the schema.

        The check raises SchemaError if a newer version has migrated the database, so that processes
        of the schema `revision` may no longer use it. `any_schema` omits the check.
        """
        self._schema = revision

    @contextmanager
    def read(self, *, any_schema: bool = False) -> Iterator[Connection]:
        """Open a transaction that only reads, on one snapshot."""
        with self._translate_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                self._begin(connection, any_schema)
                yield connection

    @contextmanager
    def write(self, *, any_schema: bool = False) -> Iterator[Connection]:
        """Open a transaction that may write; on SQLite it has the write lock from the start.

        Raises StoreError if the file is read-only.
        """
        with self._writing, self._translate_errors(), self.engine.connect() as connection:
            if isinstance(connection.connection.dbapi_connection, ReadOnlyConnection):
                raise StoreError(
                    f"the database {self.name} can only be read: calfeed cannot write to its folder"
                )
            if self.is_sqlite:
                connection = connection.execution_options(calfeed_immediate=True)
            with connection.begin():
                self._begin(connection, any_schema)
                yield connection

    @contextmanager
    def write_migration(self) -> Iterator[Connection]:
        """Open the transaction of a migration: exclusive, and on any schema.

        On PostgreSQL it waits for the end of all transactions that have checked the schema, and
        those that begin meanwhile check it afterwards.
        """
        with self.write(any_schema=True) as connection:
            if not self.is_sqlite:
                # In this order, because a publish holds the first lock when it takes the second.
                if connection.scalar(text("SELECT to_regclass('alembic_version')")) is not None:
                    connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_PUBLISH_LOCK})"))
            yield connection

    @contextmanager
    def write_exclusive(self) -> Iterator[Connection]:
        """Open a write transaction; only one such transaction runs at a time."""
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_PUBLISH_LOCK})"))
            yield connection

    @contextmanager
    def try_write_exclusive(self) -> Iterator[Connection | None]:
        """As `write_exclusive`, but yield None instead of waiting on PostgreSQL."""
        with self.write() as connection:
            attempt = text(f"SELECT pg_try_advisory_xact_lock({_PUBLISH_LOCK})")
            free = self.is_sqlite or connection.scalar(attempt)
            yield connection if free else None

    @contextmanager
    def listen(self, channel: str) -> Iterator[psycopg.Connection[Any] | None]:
        """Open a psycopg connection that gets the notifications of a channel. PostgreSQL only.

        Yields None behind a pooler, which does not assign connections to clients permanently.
        """
        with self._translate_errors(), self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            driver: Any = connection.connection.driver_connection
            # A pooler reports a backend id of its own.
            if connection.scalar(text("SELECT pg_backend_pid()")) != driver.info.backend_pid:
                yield None
                return
            connection.execute(text(f"LISTEN {channel}"))
            # Take it out of the pool, because it continues to listen.
            connection.detach()
            yield driver

    @property
    def program_url(self) -> str:
        """The URL of a PostgreSQL database for `pg_dump` and others, without passwords."""
        return make_program_url(self._url)

    @property
    def exists(self) -> bool:
        """Whether the SQLite file exists; always True for PostgreSQL.

        Raises StoreError if its folder cannot be entered or exist.
        """
        return self.file is None or self.file.exists

    def make(self) -> None:
        """Create the file of a SQLite database if it does not exist."""
        if self.file is not None:
            self.file.make()

    def compact(self) -> None:
        """Vacuum a SQLite file after a migration has encrypted or deleted values.

        If another process prevents this, the next migration tries again.
        """
        if self.file is not None:
            with self._translate_errors(), self.engine.connect() as connection:
                compact(connection.connection.dbapi_connection)

    def identify(self) -> Identity | None:
        """Return the identity of the SQLite file; None for PostgreSQL.

        Raises DatabaseFileError if the file is missing or damaged.
        """
        return self.file.identify() if self.file is not None else None

    def check(self) -> None:
        """Raise StoreError if the database cannot be read."""
        with self.read() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        if self.file is not None:
            self.file.close()

    def _begin(self, connection: Connection, any_schema: bool) -> None:
        needed = None if any_schema else self._schema
        if needed is None:
            if not self.is_sqlite:
                connection.exec_driver_sql(TUNE)
            return
        statement = SELECT_SCHEMA if self.is_sqlite else BEGIN_CHECKED
        found = connection.exec_driver_sql(statement).scalar()
        if found is None or not is_compatible(found, needed):
            raise SchemaError(
                f"the database {self.name} has another version's schema now ({found}, not "
                f"{needed}); install that version"
            )

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _READ_ONLY_STATES:
                raise StoreError(
                    f"the database {self.name} can only be read; it may be a replica that is not "
                    "promoted yet"
                ) from error
            reason = str(error.orig).strip().splitlines()
            raise StoreError(
                f"the database {self.name} cannot be used: {reason[0] if reason else error}"
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self.name} cannot be used: {error}") from error


def _make_engine(url: URL, file: DatabaseFile | None, *, pinned: bool, looking: bool) -> Engine:
    try:
        if file is None:
            return postgresql.make_engine(url)
        if looking:
            return sqlite.make_looking_engine(url, file)
        return sqlite.make_engine(url, file, pinned=pinned)
    except (ArgumentError, ValueError):  # parameters that SQLAlchemy refuses
        raise not_a_url() from None
