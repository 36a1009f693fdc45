"""Read the files of one calendar: its keys, its events, and the drafts of counted dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from calfeed.definitions.builder import (
    build_calendar,
    build_event,
    build_reminders,
    read_embargo,
)
from calfeed.definitions.drafts import Draft
from calfeed.definitions.formats.scalars import describe_type
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys.calendars import CalendarFile, EventEntry, EventsFile
from calfeed.definitions.result import SourceLocation
from calfeed.definitions.tree import Document, Node, Path, format_path
from calfeed.definitions.validation import read_entry
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.working_days import WorkingDayRules
from calfeed.model.events import Calendar, Event
from calfeed.model.texts import check_slug
from calfeed.model.uids import UidScheme

MAX_EVENTS = 20_000
"""The most events in one calendar."""

# Values for missing or invalid required keys, so that the remaining keys can be checked.
_FALLBACK_CALENDAR_KEYS: Mapping[str, Node] = {"name": "?", "time_zone": "UTC"}
_FALLBACK_EVENT_KEYS: Mapping[str, Node] = {"summary": "?"}


@dataclass
class CalendarSource:
    """The files of a calendar: one file, or a folder with `head` and more files."""

    slug: str
    head: Document | None = None
    others: list[Document] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        return [self.head, *self.others] if self.head else self.others


@dataclass
class CalendarResult:
    """A calendar, with the locations of its UIDs.

    `drafts` are the events whose dates are not in their definitions; `calendar` has the others.
    `defined` has the place of every event by slug, valid or not. `embargoes` has the end of each
    embargo by slug.
    """

    calendar: Calendar
    uids: list[tuple[str, Document, Path]] = field(default_factory=list)
    places: dict[str, SourceLocation] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    defined: dict[str, tuple[Document, Path]] = field(default_factory=dict)
    embargoes: dict[str, datetime] = field(default_factory=dict)


def read_calendar(
    source: CalendarSource, uids: UidScheme, working_days: WorkingDayRules | None = None
) -> CalendarResult:
    """Read a calendar; problems are added to its documents.

    `working_days` are those of the folder, for a calendar that defines none.
    """
    for document in source.documents:
        document.warnings.clear()  # a cached document has the problems of the previous reading
    entry = _read_head(source.head)
    calendar = build_calendar(source.slug, entry, working_days)
    if source.head and (surprise := explain_abbreviation(calendar.time_zone)):
        source.head.warn(("time_zone",), surprise)
    result = CalendarResult(calendar)
    reminders = build_reminders(entry.reminders)
    for document in source.others:
        _read_events_file(document)
    nodes = [(document, _events_of(document)) for document in source.documents]
    count = sum(len(events) for _, events in nodes)
    if count > MAX_EVENTS:
        message = f"the calendar has {count:,} events; the maximum is {MAX_EVENTS:,}; split it"
        report_file(source.documents[0], message)
        return result
    events: dict[str, Event] = {}
    first = result.defined
    for document, event_nodes in nodes:
        for slug, node in event_nodes.items():
            path = ("events", slug)
            if slug in first:
                document.report(path, f"is also defined {where(*first[slug])}; keep one")
                continue
            first[slug] = (document, path)
            event = _read_event(result, reminders, slug, node, document, uids)
            if isinstance(event, Draft):
                result.drafts.append(event)
            elif event is not None:
                events[slug] = event
            if event is not None:
                result.uids.append((event.uid, document, path))
                result.places[event.uid] = _location_of(document, path, node)
    in_order = tuple(event for _, event in sorted(events.items()))
    result.calendar = calendar.model_copy(update={"events": in_order})
    return result


def _read_head(document: Document | None) -> CalendarFile:
    fallback = CalendarFile.model_validate(_FALLBACK_CALENDAR_KEYS)
    if document is None or _is_unusable(document):
        return fallback
    head = document.value
    if isinstance(head, dict):
        # Events are read one by one, so that an invalid one does not hide others.
        head = {key: value for key, value in head.items() if key != "events"}
    return read_entry(CalendarFile, head, document, (), _FALLBACK_CALENDAR_KEYS) or fallback


def _read_events_file(document: Document) -> None:
    if _is_unusable(document):
        return
    head = document.value
    if isinstance(head, dict):
        head = {key: {} if key == "events" else value for key, value in head.items()}
    read_entry(EventsFile, head, document, (), {})


def _is_unusable(document: Document) -> bool:
    """Return whether a document has no content, and report it."""
    if document.value is None and not document.problems:
        document.report((), "is empty; remove it, or add its content")
    return document.value is None


def _events_of(document: Document) -> dict[str, Node]:
    """Return the nodes of a file's events by slug."""
    events = document.value.get("events") if isinstance(document.value, dict) else None
    if isinstance(events, dict):
        return events
    if events is not None:
        hint = '; replace each "-" by a name and a colon' if isinstance(events, list) else ""
        message = f"must be a map of events by their names, but is {describe_type(events)}{hint}"
        document.report(("events",), message)
    return {}


def _read_event(
    result: CalendarResult,
    reminders: tuple[ReminderRule, ...],
    slug: str,
    node: Node,
    document: Document,
    uids: UidScheme,
) -> Event | Draft | None:
    path = ("events", slug)
    try:
        check_slug(slug)
    except ValueError as error:
        document.report(path, error)
    entry = read_entry(EventEntry, node, document, path, _FALLBACK_EVENT_KEYS)
    if entry is None:
        return None

    def report(place: Path, message: str | ValueError) -> None:
        # An invalid value was dropped; do not report its absence as a second problem.
        if (*path, *place) not in document.paths_with_problems:
            document.report((*path, *place), message)

    def warn(place: Path, message: str) -> None:
        document.warn((*path, *place), message)

    calendar = result.calendar
    if entry.embargo is not None:
        zone = entry.time_zone or calendar.time_zone
        if (embargo := read_embargo(entry, zone, report, warn)) is not None:
            result.embargoes[slug] = embargo
    return build_event(calendar, reminders, slug, entry, uids, report, warn)


def _location_of(document: Document, path: Path, node: Node) -> SourceLocation:
    keys = node if isinstance(node, dict) else ()
    marks = {key: document.marks[*path, key] for key in keys if (*path, key) in document.marks}
    _, line, column = document.find(path)
    return SourceLocation(document.file, line, column, format_path(path), marks)


def report_file(document: Document, message: str) -> None:
    document.report_at(0, 0, (), message)


def where(document: Document, path: Path) -> str:
    _, line, _ = document.find(path)
    return f"in {document.file}, line {line}"
