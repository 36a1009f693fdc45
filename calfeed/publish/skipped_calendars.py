"""Calendars whose files were not read, because they are the same as at the last publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from calfeed.definitions.result import Definitions
from calfeed.model.events import Calendar
from calfeed.store.catalog.events import any_published_in
from calfeed.store.catalog.file_digests import load_file_digests
from calfeed.store.database import Connection
from calfeed.store.rows import CalendarRow


class StaleDefinitionsError(Exception):
    """Definitions must be read again: a skipped calendar or the installation's id has changed."""


def check_skipped(
    connection: Connection,
    defined: Definitions,
    published: Mapping[str, CalendarRow],
    new: Sequence[str],
) -> None:
    """Check the calendars that were not read; raise StaleDefinitionsError if they must be read.

    They must have been published from the same files, and must share no name and no UID with the
    other calendars.
    """
    if not defined.unchanged <= published.keys():
        raise StaleDefinitionsError  # their published state cannot be decrypted
    known = load_file_digests(connection)
    skipped = [
        Calendar.model_validate_json(published[slug].content) for slug in sorted(defined.unchanged)
    ]
    if (
        any(known.get(calendar.slug) != defined.known[calendar.slug] for calendar in skipped)
        or not _names_of(skipped).isdisjoint(_names_of(defined.calendars))
        or any_published_in(connection, new, defined.unchanged)
    ):
        raise StaleDefinitionsError


def _names_of(calendars: Iterable[Calendar]) -> set[str]:
    return {name for calendar in calendars for name in (calendar.slug, *calendar.formerly)}
