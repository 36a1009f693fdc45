"""A SQLite file that can be read and not written to."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

_SIGNS = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
}


class Opened(sqlite3.Connection):
    """A connection that knows which file it has open."""

    identity: object


class ReadOnlyConnection(Opened):
    """A connection that sees the file as it was when it was opened: use it once."""


def open_to_read(path: Path, error: sqlite3.Error) -> ReadOnlyConnection:
    """Open a file that could not be opened in the usual way, with `error`.

    SQLite makes two files beside one in WAL mode, even to read it. Where it cannot, nobody else
    can have it open, and it may be read as one that does not change. Raises the `error` where
    that is not the cause, or where the newest changes are in a WAL that cannot be read.
    """
    wal = path.with_name(f"{path.name}-wal")
    # The lowest byte is the kind of error, the next one says more of it.
    if error.sqlite_errorcode & 0xFF not in _SIGNS or (wal.exists() and wal.stat().st_size):
        raise error
    return sqlite3.connect(
        f"file:{quote(str(path))}?immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=ReadOnlyConnection,
    )
