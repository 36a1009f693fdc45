"""Read definition files into calendars, or raise an error with all problems.

This module is pure: files are passed as bytes, so they can come from a folder, a commit or a
request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import is_ as _is

from calfeed.definitions.builder import build_calendar, build_event, build_reminders
from calfeed.definitions.calendar_readings import CalendarReading, calendar_of, make_digests
from calfeed.definitions.formats.scalars import describe_type
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys import CalendarFile, EventEntry, EventsFile
from calfeed.definitions.result import Definitions, SourceLocation
from calfeed.definitions.tree import Document, Node, Path, format_path, read_tree
from calfeed.definitions.validation import read_entry
from calfeed.errors import DefinitionError
from calfeed.model.events import Calendar, Event, ReminderRule
from calfeed.model.texts import check_slug
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme

MAX_EVENTS = 20_000
"""The most events in one calendar."""

# Values for missing or invalid required keys, so that the remaining keys can be checked.
_FALLBACK_CALENDAR_KEYS: Mapping[str, Node] = {"name": "?", "time_zone": "UTC"}
_FALLBACK_EVENT_KEYS: Mapping[str, Node] = {"summary": "?"}


@dataclass
class _Source:
    """The files of a calendar: one file, or a folder with `head` and more files."""

    slug: str
    head: Document | None = None
    others: list[Document] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        return [self.head, *self.others] if self.head else self.others


@dataclass
class _CalendarResult:
    """A calendar, with the locations of its UIDs."""

    calendar: Calendar
    uids: list[tuple[str, Document, Path]] = field(default_factory=list)
    places: dict[str, SourceLocation] = field(default_factory=dict)


def read_definitions(
    files: Mapping[str, bytes], uids: UidScheme = NAME_BASED_UIDS, today: date | None = None
) -> Definitions:
    """Read the files of a definitions folder, given by path.

    A path begins with the folder's name: `events/un.yaml` is the calendar `un`;
    `events/un/calendar.yaml` and the files next to it are one calendar as well. Calendars and
    events are sorted by slug. `uids` makes the UIDs of events without one. Examples in messages
    are later than `today`.

    Raises DefinitionError with all problems and warnings.
    """
    # The digests are not compared with those of other versions, so `code` may be empty.
    return DefinitionReader(code="").read(files, uids, today)


class DefinitionReader:
    """Reads a folder repeatedly, skipping calendars whose files have not changed.

    Calendars with the digest of a published reading in `known` are not read at all. `code`
    identifies this version of the code, as other versions may read the same files differently.
    """

    def __init__(self, code: str, known: Mapping[str, CalendarReading] | None = None) -> None:
        self._code = code
        self._known = known or {}
        self._documents: dict[str, tuple[bytes, Document]] = {}
        self._results: dict[str, tuple[list[Document], _CalendarResult]] = {}
        self._uids = NAME_BASED_UIDS

    def read(
        self,
        files: Mapping[str, bytes],
        uids: UidScheme = NAME_BASED_UIDS,
        today: date | None = None,
    ) -> Definitions:
        """Read the files as `read_definitions` does."""
        if uids != self._uids:
            self._uids, self._results = uids, {}
        digests = make_digests(files, uids, self._code)
        unchanged = {
            slug: reading
            for slug, reading in self._known.items()
            if digests.get(slug) == reading.digest
        }
        documents = [
            self._read_file(file, files[file], today)
            for file in sorted(files)
            if calendar_of(file) not in unchanged
        ]
        sources = list(_find_sources(documents))
        results = [self._read_source(source) for source in sources]
        _check_uids(results)
        _check_former_names(sources, [result.calendar for result in results])
        self._cache(files, documents, sources, results)
        problems = [problem for document in documents for problem in document.problems]
        warnings = [warning for document in documents for warning in document.warnings]
        warnings += [warning for reading in unchanged.values() for warning in reading.warnings]
        if problems:
            raise DefinitionError(problems, warnings)
        read = {
            source.slug: CalendarReading(
                digests[source.slug],
                tuple(sorted(warning for doc in source.documents for warning in doc.warnings)),
            )
            for source in sources
        }
        calendars = (result.calendar for result in results)
        return Definitions(
            calendars=tuple(sorted(calendars, key=lambda calendar: calendar.slug)),
            warnings=tuple(sorted(warnings)),
            places={uid: place for result in results for uid, place in result.places.items()},
            known={**unchanged, **read},
            unchanged=frozenset(unchanged),
            uids=uids,
        )

    def _read_file(self, file: str, data: bytes, today: date | None) -> Document:
        cached = self._documents.get(file)
        if cached is None or cached[0] != data:
            return read_tree(file, data, today)
        cached[1].today = today
        return cached[1]

    def _read_source(self, source: _Source) -> _CalendarResult:
        cached = self._results.get(source.slug)
        same = cached is not None and len(cached[0]) == len(source.documents)
        if cached is not None and same and all(map(_is, cached[0], source.documents)):
            return cached[1]
        return _read_calendar(source, self._uids)

    def _cache(
        self,
        files: Mapping[str, bytes],
        documents: Sequence[Document],
        sources: Sequence[_Source],
        results: Sequence[_CalendarResult],
    ) -> None:
        """Cache documents and calendars without problems; documents with problems are mutated."""
        self._documents = {
            document.file: (files[document.file], document)
            for document in documents
            if not document.problems
        }
        self._results = {
            source.slug: (source.documents, result)
            for source, result in zip(sources, results, strict=True)
            if not any(document.problems for document in source.documents)
        }


def _find_sources(documents: Iterable[Document]) -> Iterable[_Source]:
    """Group the documents by calendar; report misplaced files and duplicate calendars."""
    sources: dict[str, _Source] = {}
    for document in documents:
        _, *inner = document.file.split("/")
        if len(inner) not in (1, 2):
            _report_file(
                document,
                "is nested too deep: a calendar is a file, or one folder of files; move it up",
            )
            continue
        stem = inner[-1].rpartition(".")[0]
        slug = calendar_of(document.file)
        source = sources.setdefault(slug, _Source(slug))
        if len(inner) == 2 and stem != "calendar":
            source.others.append(document)
        elif source.head is None:
            source.head = document
        else:
            message = f'the calendar "{slug}" is also in {source.head.file}; keep one of them'
            _report_file(document, message)
    for source in sources.values():
        if source.head is None:
            folder = source.others[0].file.rpartition("/")[0]
            message = f"{folder}/ has no calendar.yaml; add one with the name and time zone"
            _report_file(source.others[0], message)
        try:
            check_slug(source.slug)
        except ValueError as error:
            _report_file(source.documents[0], str(error))
    return sources.values()


def _report_file(document: Document, message: str) -> None:
    document.report_at(0, 0, (), message)


def _read_calendar(source: _Source, uids: UidScheme) -> _CalendarResult:
    for document in source.documents:
        document.warnings.clear()  # a cached document has those of the previous reading
    entry = _read_head(source.head)
    calendar = build_calendar(source.slug, entry)
    if source.head and (surprise := explain_abbreviation(calendar.time_zone)):
        source.head.warn(("time_zone",), surprise)
    result = _CalendarResult(calendar)
    reminders = build_reminders(entry.reminders)
    for document in source.others:
        _read_events_file(document)
    nodes = [(document, _events_of(document)) for document in source.documents]
    count = sum(len(events) for _, events in nodes)
    if count > MAX_EVENTS:
        message = f"the calendar has {count:,} events; the maximum is {MAX_EVENTS:,}; split it"
        _report_file(source.documents[0], message)
        return result
    events: dict[str, Event] = {}
    first: dict[str, tuple[Document, Path]] = {}
    for document, event_nodes in nodes:
        for slug, node in event_nodes.items():
            path = ("events", slug)
            if slug in first:
                document.report(path, f"is also defined {_where(*first[slug])}; keep one")
                continue
            first[slug] = (document, path)
            event = _read_event(calendar, reminders, slug, node, document, uids)
            if event is not None:
                events[slug] = event
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
        hint = '; write a name and a colon for each "-"' if isinstance(events, list) else ""
        message = f"must be a map of events by their names, but is {describe_type(events)}{hint}"
        document.report(("events",), message)
    return {}


def _read_event(
    calendar: Calendar,
    reminders: tuple[ReminderRule, ...],
    slug: str,
    node: Node,
    document: Document,
    uids: UidScheme,
) -> Event | None:
    path = ("events", slug)
    try:
        check_slug(slug)
    except ValueError as error:
        document.report(path, error)
    entry = read_entry(EventEntry, node, document, path, _FALLBACK_EVENT_KEYS)
    if entry is None:
        return None

    def report(place: Path, message: str | ValueError) -> None:
        # An invalid value was dropped; its absence must not be reported as a second problem.
        if (*path, *place) not in document.paths_with_problems:
            document.report((*path, *place), message)

    def warn(place: Path, message: str) -> None:
        document.warn((*path, *place), message)

    return build_event(calendar, reminders, slug, entry, uids, report, warn)


def _location_of(document: Document, path: Path, node: Node) -> SourceLocation:
    keys = node if isinstance(node, dict) else ()
    marks = {key: document.marks[*path, key] for key in keys if (*path, key) in document.marks}
    _, line, column = document.find(path)
    return SourceLocation(document.file, line, column, format_path(path), marks)


def _check_former_names(sources: Iterable[_Source], calendars: Sequence[Calendar]) -> None:
    """Report a former name that is also another calendar's: it must redirect to one calendar."""
    owners = {calendar.slug: calendar.slug for calendar in calendars}
    heads = {source.slug: source.head for source in sources}
    for calendar in sorted(calendars, key=lambda calendar: calendar.slug):
        head = heads[calendar.slug]
        for name in calendar.formerly:
            owner = owners.setdefault(name, calendar.slug)
            if head is None or (owner == calendar.slug and name != calendar.slug):
                continue
            whose = "its current name" if owner == calendar.slug else f'a name of "{owner}"'
            head.report(("formerly",), f'"{name}" is {whose}; list only its own earlier names')


def _check_uids(results: Iterable[_CalendarResult]) -> None:
    """Report duplicate UIDs."""
    first: dict[str, tuple[Document, Path]] = {}
    for uid, document, path in (entry for result in results for entry in result.uids):
        if uid in first:
            document.report((*path, "uid"), f'the UID "{uid}" is also used {_where(*first[uid])}')
        first.setdefault(uid, (document, path))


def _where(document: Document, path: Path) -> str:
    _, line, _ = document.find(path)
    return f"in {document.file}, line {line}"
