"""What reading definitions gives: calendars, warnings, and where each event is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from calfeed.definitions.unchanged import Known
from calfeed.errors import DefinitionWarning
from calfeed.model.events import Calendar, Event
from calfeed.model.uids import BY_NAMES, UidScheme


class Place(NamedTuple):
    """Where an event is written: its file, the line and column of its key, counted from 1.

    `key` is the dotted path of the event in the file, `keys` the line and column of each key that
    the event has.
    """

    file: str
    line: int
    column: int
    key: str
    keys: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Definitions:
    """Definitions that are in order.

    `calendars` are sorted by slug, `warnings` by file and line. `places` say by UID where an
    event is written. `known` says what each calendar was read from; those in `unchanged` are as
    published, were not read, and are not among `calendars`. `uids` made their UIDs.
    """

    calendars: tuple[Calendar, ...] = ()
    warnings: tuple[DefinitionWarning, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    known: Mapping[str, Known] = field(default_factory=dict)
    unchanged: frozenset[str] = frozenset()
    uids: UidScheme = BY_NAMES

    def warn(self, event: Event, key: str, message: str) -> DefinitionWarning:
        """A warning about a key of an event, at the line of the key, else at the event's."""
        place = self.places.get(event.uid)
        if place is None:  # not read from a file
            return DefinitionWarning(f"{event.calendar}/{event.slug}", 0, 0, key, message)
        if key not in place.keys:
            return DefinitionWarning(place.file, place.line, place.column, place.key, message)
        return DefinitionWarning(place.file, *place.keys[key], f"{place.key}.{key}", message)
