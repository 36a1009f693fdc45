"""The database: one engine, two kinds of transaction, SQLite and PostgreSQL alike."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from calfeed.errors import StoreError
from calfeed.settings import KEY_FILE
from calfeed.store.readonly import ReadOnlyConnection
from calfeed.store.secrets.keys import KeyFile
from calfeed.store.secrets.private_columns import give_keys
from calfeed.store.secrets.sealing import OPTION, Keyring
from calfeed.store.sqlite import DatabaseFile, Identity, compact, make_engine

if TYPE_CHECKING:
    import psycopg

_PUBLISH_LOCK = 0x63616C66
"""The number of PostgreSQL's advisory lock for publishing ("calf")."""

# SQLSTATE of what a replica answers to a statement that writes, and to such a transaction's begin.
_READ_ONLY = ("25006", "0A000")

# Several hosts, as PostgreSQL's own programs read them: `postgresql://user@one:5432,two:5432/name`.
_HOSTS = re.compile(r"(?P<before>[^/]+://([^/@]*@)?)(?P<hosts>[^/?@]*,[^/?@]*)(?P<path>/[^?]*)?\??")


class Transactions(Protocol):
    """Where transactions are opened: a database, or an open transaction that others join."""

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that may write."""


@dataclass(frozen=True)
class Joined:
    """An open transaction in the place of a database: what reads or writes becomes part of it."""

    connection: Connection

    def read(self) -> AbstractContextManager[Connection]:
        """The open transaction."""
        return nullcontext(self.connection)

    write = read


class Database:
    """A database that transactions run on. Safe to share between threads."""

    def __init__(self, url: str, keys: Path | None = None, *, pinned: bool = False) -> None:
        """Open a database by its SQLAlchemy URL (`sqlite:///…` or `postgresql://…`).

        `keys` is the file of the keys that its secrets are encrypted with. Where none is named it
        is beside a SQLite file, and with PostgreSQL no secret can be read or written.

        Nothing is connected yet, and no file is made. A SQLite file that is replaced is opened
        anew; a `pinned` database raises ReplacedError then. Raises StoreError for a URL that is
        none, or another engine's.
        """
        parsed = _parse(url)
        self.file = DatabaseFile(Path(parsed.database or "")) if _is_sqlite(parsed) else None
        if keys is None and self.file is not None:
            keys = self.file.path.with_name(KEY_FILE)
        self.keys = keys
        self.keyring = Keyring(KeyFile(keys)) if keys is not None else None
        engine = (
            make_engine(url, self.file, pinned=pinned) if self.file else _create_postgresql(parsed)
        )
        if self.keyring is not None:
            give_keys(engine, self.keyring)
        self.engine = engine.execution_options(**{OPTION: self.keyring})
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.name = _show(self.engine.url)
        # SQLite has one writer at a time. Left to it, a thread that finds another one writing
        # sleeps, and looks again after a while; here it is woken when its turn has come.
        self._writing: AbstractContextManager[object] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state throughout."""
        with self._explained(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                self._prepare(connection)
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: on SQLite it is the only one from its first line on.

        Raises StoreError where the file can only be read.
        """
        with self._writing, self._explained(), self.engine.connect() as connection:
            if isinstance(connection.connection.dbapi_connection, ReadOnlyConnection):
                raise StoreError(
                    f"the database {self.name} can only be read: calfeed cannot write to its folder"
                )
            if self.is_sqlite:
                connection = connection.execution_options(calfeed_immediate=True)
            with connection.begin():
                self._prepare(connection)
                yield connection

    @contextmanager
    def write_alone(self) -> Iterator[Connection]:
        """A write that no other `write_alone` runs beside, on either database."""
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_PUBLISH_LOCK})"))
            yield connection

    @contextmanager
    def write_alone_if_free(self) -> Iterator[Connection | None]:
        """As `write_alone`, but None where that would have to wait for another one."""
        with self.write() as connection:
            asked = text(f"SELECT pg_try_advisory_xact_lock({_PUBLISH_LOCK})")
            free = self.is_sqlite or connection.scalar(asked)
            yield connection if free else None

    @contextmanager
    def listen(self, channel: str) -> Iterator[psycopg.Connection[Any] | None]:
        """A connection of psycopg's own that gets the notices of a channel. PostgreSQL only.

        None behind a pooler: a notice would come to whoever has its connection at that moment.
        """
        with self._explained(), self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            driven: Any = connection.connection.driver_connection
            # A pooler answers a client before there is a server, with a number of its own.
            if connection.scalar(text("SELECT pg_backend_pid()")) != driven.info.backend_pid:
                yield None
                return
            connection.execute(text(f"LISTEN {channel}"))
            # Not to be lent to anybody else afterwards: it would go on listening.
            connection.detach()
            yield driven

    @property
    def exists(self) -> bool:
        """Whether there is a database, as far as that can be told without connecting.

        Raises StoreError where there is no folder that its file could be in.
        """
        return self.file is None or self.file.exists

    def make(self) -> None:
        """Make the file of a SQLite database where there is none."""
        if self.file is not None:
            self.file.make()

    def compact(self) -> None:
        """Leave nothing in a SQLite file of what a migration has encrypted or deleted.

        Where others keep it from that now, the next migration tries again.
        """
        if self.file is not None:
            with self._explained(), self.engine.connect() as connection:
                compact(connection.connection.dbapi_connection)

    def identify(self) -> Identity | None:
        """Which file this is now; None for PostgreSQL, which has none.

        Raises DatabaseFileError where it is gone or damaged.
        """
        return self.file.identify() if self.file is not None else None

    def check(self) -> None:
        """Raise StoreError unless the database answers."""
        with self.read() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        if self.file is not None:
            self.file.close()

    def _prepare(self, connection: Connection) -> None:
        # What is asked for all the time is few rows by an index, from pages that are in memory.
        # With the default, made for turning disks, every claim reads and sorts the whole backlog
        # until the statistics know of it. For this transaction only: a pooler gives the next one
        # another connection, and this one to others.
        if not self.is_sqlite:
            connection.exec_driver_sql("SET LOCAL random_page_cost = 1.1")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _READ_ONLY:
                raise StoreError(
                    f"the database {self.name} can only be read; is it a replica that is not "
                    "promoted yet?"
                ) from error
            reason = str(error.orig).strip().splitlines()
            raise StoreError(
                f"the database {self.name} cannot be used: {reason[0] if reason else error}"
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self.name} cannot be used: {error}") from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(_HOSTS.sub(_name_hosts, url))
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not shown.
        raise StoreError(
            "CALFEED_DATABASE_URL is not a database URL; write sqlite:///path or "
            "postgresql://user:password@host/name"
        ) from None
    name = parsed.get_backend_name()
    if name not in ("sqlite", "postgresql", "postgres"):
        raise StoreError(f"calfeed keeps its data in SQLite or PostgreSQL, not in {name}")
    if name == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("a SQLite database has to be a file: sqlite:///path")
    return parsed


def _show(url: URL) -> str:
    """A URL without its passwords, which can stand among its parameters too."""
    hidden = {name: "***" if "password" in name else value for name, value in url.query.items()}
    return url.set(query=hidden).render_as_string(hide_password=True)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _name_hosts(found: re.Match[str]) -> str:
    """Write several hosts as SQLAlchemy reads them, one parameter each."""
    hosts = "".join(f"host={host}&" for host in found["hosts"].split(","))
    return f"{found['before']}{found['path'] or '/'}?{hosts}"


def _create_postgresql(url: URL) -> Engine:
    try:
        import psycopg  # which SQLite does without, as every command's start is the quicker for it
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs a driver that is not installed; pip install 'calfeed[postgresql]'"
        ) from error

    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=True,  # they hold secrets and texts, which no error shows
        pool_size=4,
        # Behind a pooler, the next transaction is on a connection that does not know what an
        # earlier one has prepared.
        connect_args={
            "connect_timeout": 5,
            "application_name": "calfeed",
            "prepare_threshold": None,
        },
    )

    @event.listens_for(engine, "before_cursor_execute")
    def _ask(_: Any, cursor: Any, _text: str, _given: Any, context: Any, _many: bool) -> None:
        if context is not None and context.execution_options.get("calfeed_binary", False):
            cursor.format = psycopg.pq.Format.BINARY

    return engine
