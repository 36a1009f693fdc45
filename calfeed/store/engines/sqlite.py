"""The SQLite engine, which detects that its file was deleted or replaced.

An open file can still be read and written after it was deleted or replaced, and is lost when the
process ends. So each transaction first checks that its connection has the current file open.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError

from calfeed.errors import DatabaseFileError, ReplacedError, StoreError
from calfeed.private_files import keep_folder_private, keep_private
from calfeed.store.engines.read_only import (
    ReadOnlyConnection,
    TrackedConnection,
    open_read_only,
    open_unchanged,
)

_MAGIC = b"SQLite format 3\0"
_FOREIGN_WAL = (
    "was replaced, and the write-ahead log (-wal) of the former file is still beside it and would "
    "be written into the new one; stop calfeed and run `calfeed restore`"
)
_PRAGMAS = (
    "journal_mode=WAL",
    # Full durability: a committed transaction survives a power failure.
    "synchronous=FULL",
    "foreign_keys=ON",
    # Overwrite deleted values in pages that are written anyway.
    "secure_delete=FAST",
)
_BUSY_TIMEOUT_SECONDS = 30
_LOOKING_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class Identity:
    """The identity of a file, which a replacement with the same name does not have."""

    device: int
    inode: int


class DatabaseFile:
    """The file of a SQLite database. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wal = Path(f"{path}-wal")
        self._shm = Path(f"{path}-shm")
        # Kept open: closing a file releases the locks of SQLite on it in this process.
        self._opened: dict[Identity, int] = {}
        self._wals: set[Identity] = set()

    @property
    def exists(self) -> bool:
        """Whether the file exists. Raises StoreError if its folder cannot be entered or exist."""
        try:
            self.path.stat()
        except FileNotFoundError:
            return False
        except PermissionError as error:
            raise StoreError(
                f"the data folder {self.path.parent} cannot be entered: {error.strerror}; run this "
                "as the owner of the folder"
            ) from error
        except OSError as error:
            raise self._no_folder(error) from error
        return True

    def _no_folder(self, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(f"the data folder {self.path.parent} cannot be made: {reason}")

    def make(self) -> None:
        """Create the folder and an empty file if they are missing, accessible only to this user."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._no_folder(error) from error
        keep_folder_private(self.path.parent)
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreError(
                f"the database {self.path} cannot be made: {error.strerror}"
            ) from error

    def identify(self) -> Identity:
        """Return the identity of the current file.

        Raises DatabaseFileError if it is missing, is not a database, or has the write-ahead log of
        a former file beside it; FilePermissionsError if others can access it and that cannot be
        changed.
        """
        try:
            status = self.path.stat()
            identity = Identity(status.st_dev, status.st_ino)
            wal = self._identify_wal()
            if identity not in self._opened:
                if wal in self._wals:
                    raise DatabaseFileError(self.path, _FOREIGN_WAL)
                for name in (self.path, self._wal, self._shm):
                    keep_private(name)
                self._opened[identity] = os.open(self.path, os.O_RDONLY)
            head = os.pread(self._opened[identity], len(_MAGIC), 0)
        except FileNotFoundError:
            raise DatabaseFileError(self.path, "is gone") from None
        except OSError as error:
            raise DatabaseFileError(self.path, f"cannot be read: {error.strerror}") from error
        if head not in (_MAGIC, b""):
            raise DatabaseFileError(self.path, "is damaged: it is not a SQLite database")
        if wal is not None:
            self._wals.add(wal)
        return identity

    def _identify_wal(self) -> Identity | None:
        try:
            status = self._wal.stat()
        except FileNotFoundError:
            return None
        return Identity(status.st_dev, status.st_ino)

    def close(self) -> None:
        """Close the file, after all connections of this process."""
        while self._opened:
            os.close(self._opened.popitem()[1])
        self._wals.clear()


def compact(connection: Any) -> None:
    """Vacuum a file if a migration has requested it by `user_version`."""
    if connection.execute("PRAGMA user_version").fetchone() == (0,):
        return
    if isinstance(connection, ReadOnlyConnection):
        return
    connection.execute("VACUUM").close()
    # Empty the write-ahead log too, as it has the former pages.
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if not busy:
        connection.execute("PRAGMA user_version = 0").close()


def make_engine(url: URL, file: DatabaseFile, *, pinned: bool) -> Engine:
    """Create an engine that checks the identity of its file before each transaction.

    If the file was replaced, a `pinned` engine raises ReplacedError, and others open the new file.
    The engine never creates a file.
    """
    first: list[Identity] = []

    def connect() -> TrackedConnection:
        while True:
            identity = file.identify()
            connection = sqlite3.connect(
                f"file:{quote(str(file.path))}?mode=rw",
                uri=True,
                timeout=_BUSY_TIMEOUT_SECONDS,
                check_same_thread=False,
                # No implicit BEGIN of the driver, so that BEGIN IMMEDIATE is possible.
                isolation_level=None,
                factory=TrackedConnection,
            )
            if file.identify() == identity:
                break
            connection.close()
        first.append(identity)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error as error:
            connection.close()
            connection = open_read_only(file.path, error)
        connection.identity = identity
        return connection

    engine = create_engine(url, creator=connect, hide_parameters=True)

    @event.listens_for(engine, "checkout")
    def _check(connection: TrackedConnection, _record: Any, _proxy: Any) -> None:
        identity = file.identify()
        if pinned and identity != first[0]:
            raise ReplacedError(file.path)
        if identity != connection.identity:
            raise DisconnectionError  # makes the pool connect again

    @event.listens_for(engine, "checkin")
    def _return(connection: TrackedConnection | None, record: Any) -> None:
        if isinstance(connection, ReadOnlyConnection):
            record.invalidate(soft=True)  # the next connection may be writable

    event.listen(engine, "begin", _begin)
    return engine


def make_looking_engine(url: URL, file: DatabaseFile) -> Engine:
    """Create an engine that changes nothing, not even a file's mode, and can only read."""

    def connect() -> sqlite3.Connection:
        return open_unchanged(file.path, _LOOKING_TIMEOUT_SECONDS)

    engine = create_engine(url, creator=connect, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("calfeed_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
