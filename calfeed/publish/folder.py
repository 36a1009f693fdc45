"""Publish a folder of definitions, skipping unchanged calendars; and which feeds are shortened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from calfeed.definitions.code_digest import reader_version
from calfeed.definitions.files import load_definitions
from calfeed.definitions.reader import DefinitionReader
from calfeed.ical.history import first_year
from calfeed.model.events import Calendar
from calfeed.publish.apply import publish
from calfeed.publish.plan import Plan
from calfeed.publish.skipped_calendars import StaleDefinitionsError
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import load_sizes_by_year
from calfeed.store.catalog.file_digests import load_file_digests
from calfeed.store.catalog.installation import load_uid_scheme
from calfeed.store.catalog.publishes import UNKNOWN_AUTHOR, Author
from calfeed.store.database import Connection, Database


def publish_folder(
    database: Database,
    folder: Path,
    clock: Callable[[], datetime],
    base_url: str,
    *,
    allow_removals: bool = False,
    author: Author = UNKNOWN_AUTHOR,
    announce_all: bool = False,
) -> Plan:
    """Read a folder and publish it, as `publish` does.

    Skips calendars whose files are unchanged since they were published. Raises DefinitionError
    with every problem of every file.
    """

    def run(reader: DefinitionReader) -> Plan:
        with database.read() as connection:
            uids = load_uid_scheme(connection)
        defined = load_definitions(folder, reader, uids, clock().date())
        return publish(
            database,
            defined,
            clock(),
            base_url,
            allow_removals=allow_removals,
            author=author,
            announce_all=announce_all,
        )

    with database.read() as connection:
        known = load_file_digests(connection)
    try:
        return run(DefinitionReader(reader_version(), known))
    except StaleDefinitionsError:
        return run(DefinitionReader(reader_version()))


def shortened_feeds(connection: Connection, year: int) -> list[tuple[str, int]]:
    """Return the calendars whose feeds leave out years by default, with the first year (UTC) shown.

    With all years, these feeds would be longer than calendar apps can read. Calendars with the key
    `history` in their definition are not included.
    """
    shortened = []
    for slug, row in load_calendars(connection).items():
        calendar = Calendar.model_validate_json(row.content)
        if row.withdrawn or calendar.history is not None:
            continue
        first = first_year(load_sizes_by_year(connection, slug), year, None)
        if first:
            shortened.append((slug, first))
    return shortened
