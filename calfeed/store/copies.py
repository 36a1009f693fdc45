"""Copies of a SQLite database: make one while it is in use, check it, and restore from one."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from calfeed.errors import InvalidInputError, StoreError
from calfeed.private_files import make_temporary_beside, sync
from calfeed.store.engines.sqlite import DatabaseFile

_SUFFIXES = ("", "-wal", "-shm")
_MAX_REPORTED = 3


def copy_database(source: Path, target: Path, *, at_rest: bool = False) -> None:
    """Write a consistent copy of a database to an existing empty file, and sync it.

    The database may be in use. If `at_rest` is true, it must not be in use; then no file is created
    beside it, so its folder may be read-only. Raises StoreError if the database cannot be read, or
    if the copy is damaged.
    """
    try:
        with closing(_connect(source, at_rest)) as origin, closing(_connect(target)) as made:
            origin.backup(made)
            # Remove the write-ahead log, so that the copy is one file.
            made.execute("PRAGMA journal_mode=DELETE").close()
            check_integrity(made, source)
        sync(target)
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be copied: {error}") from error


def check_integrity(connection: sqlite3.Connection, name: Path) -> None:
    """Raise StoreError if a database fails SQLite's integrity or foreign key check."""
    problems = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_MAX_REPORTED})")]
    problems = [] if problems == ["ok"] else problems
    orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(_MAX_REPORTED)
    problems += [f"a row of {row[0]} refers to a missing row" for row in orphans]
    if problems:
        raise StoreError(f"{name} is damaged: {'; '.join(problems[:_MAX_REPORTED])}")


def write_copy(source: Path, file: Path, *, replace: bool) -> int:
    """Write a copy of a database to `file`, readable only by this user; return its size in bytes.

    The file is written atomically. Raises InvalidInputError if it exists and `replace` is False,
    StoreError if the copy cannot be made.
    """
    try:
        if file.exists() and not replace:
            raise InvalidInputError(f"{file} exists already; name another file, or give --force")
        made = make_temporary_beside(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from error
    try:
        copy_database(source, made)
        size = made.stat().st_size
        made.replace(file)
        sync(file.parent)
    finally:
        made.unlink(missing_ok=True)
    return size


@contextmanager
def staged_copy(backup: Path, live: Path) -> Iterator[Path]:
    """Copy a backup into the folder of the database that it will replace; delete it at the end.

    Raises InvalidInputError if the backup does not exist or cannot be seen, StoreError if it is not
    a database or is damaged, or if the folder cannot be written to.
    """
    try:
        mode = backup.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError as error:
        raise InvalidInputError(f"{backup} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise InvalidInputError(f"there is no file {backup}")
    try:
        live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = make_temporary_beside(live)
    except OSError as error:
        raise StoreError(f"{live.parent} cannot be written to: {error.strerror}") from error
    try:
        # A backup that was copied by hand can have a write-ahead log.
        copy_database(backup, made, at_rest=not Path(f"{backup}-wal").exists())
        yield made
    finally:
        for suffix in _SUFFIXES:
            Path(f"{made}{suffix}").unlink(missing_ok=True)


@contextmanager
def exclusive_access(live: Path) -> Iterator[bool]:
    """Lock a database exclusively; yield False if it does not exist or is damaged.

    Raises StoreError if another process has it open, or if its folder cannot be entered.
    """
    if not DatabaseFile(live).exists:
        yield False
        return
    with closing(_connect(live)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
            connection.execute("COMMIT").close()
            check_integrity(connection, live)
            # Move everything from the write-ahead log into the file.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        except (sqlite3.DatabaseError, StoreError) as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                raise StoreError(
                    f"calfeed is running on {live}; stop `serve`, every `web` and every `worker` "
                    "first"
                ) from error
            yield False
            return
        yield True


def swap_in(made: Path, live: Path, aside: Path) -> bool:
    """Replace an unused database with another one, and move the former one `aside`.

    The former database's write-ahead log is moved too, so that it is not applied to the new
    database. Returns whether there was a former database.
    """
    sync(made)
    existed = live.exists()
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            Path(f"{live}{suffix}").rename(f"{aside}{suffix}")
    Path(f"{aside}-shm").unlink(missing_ok=True)
    log = Path(f"{aside}-wal")
    # Keep the log only if it has changes of a damaged database.
    if log.exists() and not (existed and log.stat().st_size):
        log.unlink()
    made.rename(live)
    sync(live.parent)
    return existed


def _connect(path: Path, at_rest: bool = False) -> sqlite3.Connection:
    mode = "mode=ro&immutable=1" if at_rest else "mode=rw"
    return sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
