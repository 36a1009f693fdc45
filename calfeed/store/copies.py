"""Copies of a SQLite database: made while it is used, checked, and put in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from calfeed.errors import InvalidInputError, StoreError
from calfeed.private_files import make_temporary_beside, sync

_PARTS = ("", "-wal", "-shm")
_TOLD = 3


def copy(source: Path, target: Path, *, at_rest: bool = False) -> None:
    """Write a consistent copy of a database to an existing empty file, as one file, on the disk.

    Others may read and write the database meanwhile, unless it is `at_rest`: then nothing is
    written beside it, so it may be where nothing can be. Raises StoreError where it cannot be
    read, or the copy is not sound.
    """
    try:
        with closing(_connect(source, at_rest)) as one, closing(_connect(target)) as other:
            one.backup(other)
            # Without a log beside it, so that it is whole when it is moved.
            other.execute("PRAGMA journal_mode=DELETE").close()
            check(other, source)
        sync(target)
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be copied: {error}") from error


def check(connection: sqlite3.Connection, name: Path) -> None:
    """Raise StoreError unless a database is sound: its pages, and what belongs together."""
    found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_TOLD})")]
    found = [] if found == ["ok"] else found
    found += [f"a row of {row[0]} refers to none" for row in _orphans(connection)]
    if found:
        raise StoreError(f"{name} is damaged: {'; '.join(found[:_TOLD])}")


def write_copy(source: Path, file: Path, *, replace: bool) -> int:
    """Write a copy of a database to `file`, for this user alone, and return its size in bytes.

    The file is there as a whole or not at all. Raises InvalidInputError where it is there already
    and not to be replaced, StoreError where the copy cannot be made.
    """
    if file.exists() and not replace:
        raise InvalidInputError(f"{file} is there already; name another file, or give --force")
    try:
        made = make_temporary_beside(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from error
    try:
        copy(source, made)
        size = made.stat().st_size
        made.replace(file)
        sync(file.parent)
    finally:
        made.unlink(missing_ok=True)
    return size


@contextmanager
def copied_beside(backup: Path, live: Path) -> Iterator[Path]:
    """A copy of a backup, in the folder of the database that it will replace.

    Raises InvalidInputError where there is no backup, StoreError where it is no database, or not
    sound.
    """
    if not backup.is_file():
        raise InvalidInputError(f"there is no file {backup}")
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make_temporary_beside(live)
    try:
        # One that was copied by hand can have a log, which belongs to it.
        copy(backup, made, at_rest=not Path(f"{backup}-wal").exists())
        yield made
    finally:
        for part in _PARTS:
            Path(f"{made}{part}").unlink(missing_ok=True)


@contextmanager
def held_alone(live: Path) -> Iterator[bool]:
    """Keep every other process off a database; False where there is none, or one that is damaged.

    Raises StoreError where another process has it open.
    """
    if not live.exists():
        yield False
        return
    with closing(_connect(live)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
            connection.execute("COMMIT").close()
            check(connection, live)
            # Everything is in the one file then, and nothing is left to be replayed.
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


def put_in_place(made: Path, live: Path, aside: Path) -> bool:
    """Let a database that nobody has open take the place of another, which is moved `aside`.

    Returns whether there was another. What would be replayed into the new one goes with the old.
    """
    sync(made)
    there = live.exists()
    for part in _PARTS:
        with suppress(FileNotFoundError):
            Path(f"{live}{part}").rename(f"{aside}{part}")
    Path(f"{aside}-shm").unlink(missing_ok=True)
    log = Path(f"{aside}-wal")
    # Of a database that was sound it is empty, and of none it is of no use.
    if log.exists() and not (there and log.stat().st_size):
        log.unlink()
    made.rename(live)
    sync(live.parent)
    return there


def _orphans(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("PRAGMA foreign_key_check").fetchmany(_TOLD)


def _connect(path: Path, at_rest: bool = False) -> sqlite3.Connection:
    mode = "mode=ro&immutable=1" if at_rest else "mode=rw"
    return sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
