"""The result of reading definitions: calendars, warnings, and the locations of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from calfeed.definitions.calendar_readings import CalendarReading
from calfeed.definitions.resolution import Undated
from calfeed.errors import DefinitionWarning
from calfeed.model.events import Calendar, Event
from calfeed.model.site import DEFAULT_SITE, Site
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme


class SourceLocation(NamedTuple):
    """The location of an event: its file, and the line and column of its key, from 1.

    `key` is the event's dotted path in the file; `keys` holds the line and column of each key in
    the event's entry.
    """

    file: str
    line: int
    column: int
    key: str
    keys: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Definitions:
    """Valid definitions.

    `calendars` are sorted by slug, `warnings` by file and line. `places` holds the locations of
    events by UID, `known` the reading (`CalendarReading`) of each calendar by slug. `unchanged` has
    the slugs of calendars that are the same as published; they were not read, so `calendars` does
    not have them. `uids` is the scheme by which the UIDs were made. `undated` are the events that
    have no date for now; `calendars` does not have them either. `embargoes` are, by UID, the
    moments before which events are not public. `site` is what `site.yaml` describes.
    """

    calendars: tuple[Calendar, ...] = ()
    warnings: tuple[DefinitionWarning, ...] = ()
    places: Mapping[str, SourceLocation] = field(default_factory=dict)
    known: Mapping[str, CalendarReading] = field(default_factory=dict)
    unchanged: frozenset[str] = frozenset()
    uids: UidScheme = NAME_BASED_UIDS
    undated: tuple[Undated, ...] = ()
    embargoes: Mapping[str, datetime] = field(default_factory=dict)
    site: Site = DEFAULT_SITE

    def warn(self, event: Event, key: str, message: str) -> DefinitionWarning:
        """Create a warning about a key of an event, located at the key if its file has it.

        Otherwise, the warning is located at the event.
        """
        if event.uid not in self.places:  # not read from a file
            return DefinitionWarning(f"{event.calendar}/{event.slug}", 0, 0, key, message)
        return self.warn_at(event.uid, key, message)

    def warn_at(self, uid: str, key: str, message: str) -> DefinitionWarning:
        """Create a warning as `warn` does, for an event in `places`, given its UID."""
        place = self.places[uid]
        if key not in place.keys:
            return DefinitionWarning(place.file, place.line, place.column, place.key, message)
        return DefinitionWarning(place.file, *place.keys[key], f"{place.key}.{key}", message)
