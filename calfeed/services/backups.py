"""Back up and restore the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from calfeed.errors import InvalidInputError, StoreError
from calfeed.publish.restore import Repeats, find_repeats, raise_sequences
from calfeed.services.installation import Lost, find_lost
from calfeed.setting_checks import make_sqlite_url
from calfeed.store.access.sessions import end_sessions
from calfeed.store.catalog.lineage import Lineage, load_last_sequences, load_lineage
from calfeed.store.copies import exclusive_access, staged_copy, swap_in, write_copy
from calfeed.store.database import Database
from calfeed.store.migrate import is_empty, migrate
from calfeed.store.watching.heartbeats import delete_heartbeats

Confirm = Callable[[Repeats, Lost], None]
"""A callback that shows what will be sent again and what cannot be decrypted.

It raises an error to abort the restore.
"""


class Restored(NamedTuple):
    """The number of raised SEQUENCEs, and the file of the replaced database, if there was one."""

    raised: int
    former: Path | None = None


def write_backup(database: Database, file: Path, *, replace: bool) -> int:
    """Write a consistent, checked copy of a SQLite database; return its size in bytes.

    Raises InvalidInputError for PostgreSQL, StoreError for an empty database.
    """
    if database.file is None:
        raise InvalidInputError(
            "calfeed cannot back up a PostgreSQL database; run "
            f'`pg_dump --format=custom --file="{file}" "{database.program_url}"`'
        )
    if is_empty(database):
        raise StoreError(f"the database {database.name} is still empty")
    return write_copy(database.file.path, file, replace=replace)


def restore_in_place(database: Database, now: datetime, confirm: Confirm) -> Restored:
    """Complete the restore of a database that another tool has restored already.

    Its sessions are ended, its heartbeats are deleted, and SEQUENCEs are raised above what calendar
    apps can have seen.
    """
    with database.read() as connection:
        repeats, lost = find_repeats(connection, now), find_lost(connection)
    confirm(repeats, lost)
    with database.write_exclusive() as connection:
        end_sessions(connection)  # some were perhaps ended after the backup
        delete_heartbeats(connection)
        return Restored(raise_sequences(connection, None, now))


def restore_file(database: Database, file: Path, now: datetime, confirm: Confirm) -> Restored:
    """Restore a SQLite database from a copy, and raise SEQUENCEs above what apps have seen.

    Raises InvalidInputError for PostgreSQL and for a file that is not a calfeed database,
    StoreError while calfeed is running.
    """
    if database.file is None:
        raise InvalidInputError(
            "calfeed cannot restore a PostgreSQL database; run "
            f'`pg_restore --clean --if-exists --dbname="{database.program_url}" "{file}"`, '
            "then `calfeed restore --in-place`"
        )
    live = database.file.path
    aside = live.with_name(f"{live.name}.before-{now:%Y%m%dT%H%M%SZ}")
    with exclusive_access(live) as sound:
        pass  # fail early if calfeed is running
    with (
        staged_copy(file, live) as restored,
        closing(Database(make_sqlite_url(restored), database.keys)) as copy,
    ):
        if is_empty(copy):
            raise InvalidInputError(f"{file} is not a database of calfeed")
        migrate(copy)
        with copy.read() as connection:
            repeats, lost = find_repeats(connection, now), find_lost(connection)
            known = load_lineage(connection)
        confirm(repeats, lost)
        seen = _find_seen(database, known) if sound else None
        database.close()
        with exclusive_access(live):
            with copy.write_exclusive() as connection:
                end_sessions(connection)
                delete_heartbeats(connection)
                raised = raise_sequences(connection, seen, now)
            copy.close()
            replaced = swap_in(restored, live, aside)
    return Restored(raised, aside if replaced else None)


def _find_seen(database: Database, known: Lineage) -> dict[str, int] | None:
    """Return the last SEQUENCE of each UID in the database that is to be replaced.

    None if that database cannot be read, or is not a later state of the backup (`known`).
    """
    with suppress(StoreError), database.read() as connection:
        if load_lineage(connection).continues(known):
            return load_last_sequences(connection)
    return None
