"""SQLite: its engine, and whether its file is still the one that is open.

A file that is deleted or replaced goes on being read and written by whoever has it open, and is
gone when the last of them ends. So each transaction asks first whether the file that its
connection has open is the one that has the name.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from calfeed.errors import DatabaseFileError, ReplacedError, StoreError
from calfeed.private_files import keep_folder_private, keep_private
from calfeed.store.readonly import Opened, ReadOnlyConnection, open_to_read

_MAGIC = b"SQLite format 3\0"
_FOREIGN_LOG = (
    "is another one than before, and the write-ahead log of the former (-wal) is still beside it "
    "and would be written into it; stop calfeed and run `calfeed restore`"
)
_PRAGMAS = (
    "journal_mode=WAL",
    # Full durability: what was answered or sent is on the disk, whatever happens next.
    "synchronous=FULL",
    "foreign_keys=ON",
    # What is deleted is overwritten, where that writes no page that is not written anyway.
    "secure_delete=FAST",
)
_PATIENCE = 30  # seconds to wait for another process that writes


@dataclass(frozen=True)
class Identity:
    """What tells one file from another that has its name."""

    device: int
    inode: int


class DatabaseFile:
    """The file of a SQLite database, by its name. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = Path(f"{path}-wal")
        self._shared = Path(f"{path}-shm")
        # Kept open: closing a file gives up the locks that SQLite has on it in this process.
        self._opened: dict[Identity, int] = {}
        self._logs: set[Identity] = set()

    @property
    def exists(self) -> bool:
        """Whether there is a file. Raises StoreError where there could be none."""
        try:
            self.path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._no_folder(error) from error
        return True

    def _no_folder(self, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(f"the data folder {self.path.parent} cannot be made: {reason}")

    def make(self) -> None:
        """Make the folder and an empty file where there is none, for this user alone."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._no_folder(error) from error
        keep_folder_private(self.path.parent)
        try:
            # The endpoints' secrets are in there.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreError(
                f"the database {self.path} cannot be made: {error.strerror}"
            ) from error

    def identify(self) -> Identity:
        """Which file has the name now.

        Raises DatabaseFileError where there is none, one that is no database, or one that took the
        place of another and has that one's write-ahead log beside it, and FilePermissionsError
        where others have rights at it that this user cannot take away.
        """
        try:
            status = self.path.stat()
            identity = Identity(status.st_dev, status.st_ino)
            log = self._find_log()
            if identity not in self._opened:
                if log in self._logs:
                    raise DatabaseFileError(self.path, _FOREIGN_LOG)
                for name in (self.path, self._log, self._shared):
                    keep_private(name)
                self._opened[identity] = os.open(self.path, os.O_RDONLY)
            head = os.pread(self._opened[identity], len(_MAGIC), 0)
        except FileNotFoundError:
            raise DatabaseFileError(self.path, "is gone") from None
        except OSError as error:
            raise DatabaseFileError(self.path, f"cannot be read: {error.strerror}") from error
        if head not in (_MAGIC, b""):
            raise DatabaseFileError(self.path, "is damaged: it is no SQLite database")
        if log is not None:
            self._logs.add(log)
        return identity

    def _find_log(self) -> Identity | None:
        try:
            status = self._log.stat()
        except FileNotFoundError:
            return None
        return Identity(status.st_dev, status.st_ino)

    def close(self) -> None:
        """Let the file go, when no connection of this process has it open any more."""
        while self._opened:
            os.close(self._opened.popitem()[1])
        self._logs.clear()


def compact(connection: Any) -> None:
    """Make a file anew without its free pages, if a migration asks for that (`user_version`)."""
    if connection.execute("PRAGMA user_version").fetchone() == (0,):
        return
    if isinstance(connection, ReadOnlyConnection):
        return
    connection.execute("VACUUM").close()
    # And the log, which has had what was there before.
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if not busy:
        connection.execute("PRAGMA user_version = 0").close()


def make_engine(url: str, file: DatabaseFile, *, pinned: bool) -> Engine:
    """An engine that looks before each transaction whether its file is still there.

    Once another file has the name, a `pinned` engine raises ReplacedError; another one goes on
    with that file. It never makes a file.
    """
    first: list[Identity] = []

    def connect() -> Opened:
        while True:
            identity = file.identify()
            connection = sqlite3.connect(
                f"file:{quote(str(file.path))}?mode=rw",
                uri=True,
                timeout=_PATIENCE,
                check_same_thread=False,
                # The driver's own BEGIN would come too late for BEGIN IMMEDIATE.
                isolation_level=None,
                factory=Opened,
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
            connection = open_to_read(file.path, error)
        connection.identity = identity
        return connection

    engine = create_engine(url, creator=connect, hide_parameters=True)

    @event.listens_for(engine, "checkout")
    def _check(connection: Opened, _record: Any, _proxy: Any) -> None:
        identity = file.identify()
        if pinned and identity != first[0]:
            raise ReplacedError(file.path)
        if identity != connection.identity:
            raise DisconnectionError  # the pool then connects anew

    @event.listens_for(engine, "checkin")
    def _return(connection: Opened | None, record: Any) -> None:
        if isinstance(connection, ReadOnlyConnection):
            record.invalidate(soft=True)  # the next one may be able to write

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("calfeed_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
