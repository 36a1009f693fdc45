"""SQLite files that can be read but not written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

_UNWRITABLE_ERRORS = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
}


class TrackedConnection(sqlite3.Connection):
    """A connection that knows the identity of its file."""

    identity: object


class ReadOnlyConnection(TrackedConnection):
    """A connection that sees the file as it was when it was opened. Use it once."""


def open_unchanged(path: Path, seconds: float) -> sqlite3.Connection:
    """Open a file to look at it: nothing changes, neither the file nor what is beside it.

    If no process has the file open, changes in a write-ahead log that was left behind are not seen.
    """
    wal, shm = (path.with_name(f"{path.name}-{suffix}") for suffix in ("wal", "shm"))
    in_use = wal.exists() and shm.exists()
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro{'' if in_use else '&immutable=1'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=seconds,
    )


def open_read_only(path: Path, error: sqlite3.Error) -> ReadOnlyConnection:
    """Open a file read-only after `error` was raised on opening it.

    In WAL mode, SQLite creates two files beside the database even to read it. If it cannot create
    them, no other process can write to the database either, so the file is opened as immutable.
    Raises `error` if it has another cause, or if a WAL has changes, which cannot be read then.
    """
    wal = path.with_name(f"{path.name}-wal")
    # The lowest byte is the primary error code.
    if error.sqlite_errorcode & 0xFF not in _UNWRITABLE_ERRORS or (
        wal.exists() and wal.stat().st_size
    ):
        raise error
    return sqlite3.connect(
        f"file:{quote(str(path))}?immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=ReadOnlyConnection,
    )
