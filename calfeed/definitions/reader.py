"""Files to definitions: everything that is right, or everything that is wrong.

Pure: the files come as bytes, so what is read from a folder, a commit or a request is read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import is_ as _is

from calfeed.definitions.formats.scalars import name_shape
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys import CalendarFile, EventEntry, EventsFile
from calfeed.definitions.result import Definitions, Place
from calfeed.definitions.settle import settle_calendar, settle_event, settle_reminders
from calfeed.definitions.tree import Document, Node, Path, dotted, read_tree
from calfeed.definitions.unchanged import Known, calendar_of, make_digests
from calfeed.definitions.validation import read_entry
from calfeed.errors import DefinitionError
from calfeed.model.events import Calendar, Event, ReminderRule
from calfeed.model.texts import check_slug
from calfeed.model.uids import BY_NAMES, UidScheme

MOST_EVENTS = 20_000
"""In one calendar."""

# What the checks go on with where the file gives nothing usable.
_CALENDAR_INSTEAD: Mapping[str, Node] = {"name": "?", "time_zone": "UTC"}
_EVENT_INSTEAD: Mapping[str, Node] = {"summary": "?"}


@dataclass
class _Source:
    """Where a calendar is written: a file of its own, or a folder with `head` and more files."""

    slug: str
    head: Document | None = None
    others: list[Document] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        return [self.head, *self.others] if self.head else self.others


@dataclass
class _Found:
    """A calendar that was read, with where each of its UIDs is written."""

    calendar: Calendar
    uids: list[tuple[str, Document, Path]] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)


def read_definitions(
    files: Mapping[str, bytes], uids: UidScheme = BY_NAMES, today: date | None = None
) -> Definitions:
    """Read the files of a definitions folder, from path to content.

    A path begins with the folder's name: `events/un.yaml` is the calendar `un`;
    `events/un/calendar.yaml` and the files beside it are one calendar as well. The calendars are
    in the order of their slugs, and so are their events, whatever the order of the files.
    `uids` makes the UIDs of events that say none. Examples in messages are later than `today`.

    Raises DefinitionError with every problem, and every warning, of every file.
    """
    # What is read here is not compared with what another version has read.
    return DefinitionReader(code="").read(files, uids, today)


class DefinitionReader:
    """Reads a folder again and again; a calendar whose files are as before is not read twice.

    One whose files are `known` is not read at all. `code` is what distinguishes this code from
    other versions of it, which may read the same files otherwise.
    """

    def __init__(self, code: str, known: Mapping[str, Known] | None = None) -> None:
        self._code = code
        self._known = known or {}
        self._documents: dict[str, tuple[bytes, Document]] = {}
        self._found: dict[str, tuple[list[Document], _Found]] = {}
        self._uids = BY_NAMES

    def read(
        self, files: Mapping[str, bytes], uids: UidScheme = BY_NAMES, today: date | None = None
    ) -> Definitions:
        """Read the files as `read_definitions` does."""
        if uids != self._uids:
            self._uids, self._found = uids, {}
        digests = make_digests(files, uids, self._code)
        unchanged = {
            slug: one for slug, one in self._known.items() if digests.get(slug) == one.digest
        }
        documents = [
            self._read_file(file, files[file], today)
            for file in sorted(files)
            if calendar_of(file) not in unchanged
        ]
        sources = list(_find_sources(documents))
        found = [self._read_source(source) for source in sources]
        _check_uids(found)
        _check_former_names(sources, [one.calendar for one in found])
        self._keep(files, documents, sources, found)
        problems = [problem for document in documents for problem in document.problems]
        warnings = [warning for document in documents for warning in document.warnings]
        warnings += [warning for one in unchanged.values() for warning in one.warnings]
        if problems:
            raise DefinitionError(problems, warnings)
        read = {
            source.slug: Known(
                digests[source.slug],
                tuple(sorted(each for one in source.documents for each in one.warnings)),
            )
            for source in sources
        }
        return Definitions(
            calendars=tuple(sorted((one.calendar for one in found), key=lambda one: one.slug)),
            warnings=tuple(sorted(warnings)),
            places={uid: place for one in found for uid, place in one.places.items()},
            known={**unchanged, **read},
            unchanged=frozenset(unchanged),
            uids=uids,
        )

    def _read_file(self, file: str, data: bytes, today: date | None) -> Document:
        kept = self._documents.get(file)
        if kept is None or kept[0] != data:
            return read_tree(file, data, today)
        kept[1].today = today
        return kept[1]

    def _read_source(self, source: _Source) -> _Found:
        kept = self._found.get(source.slug)
        same = kept is not None and len(kept[0]) == len(source.documents)
        if kept is not None and same and all(map(_is, kept[0], source.documents)):
            return kept[1]
        return _read_calendar(source, self._uids)

    def _keep(
        self,
        files: Mapping[str, bytes],
        documents: Sequence[Document],
        sources: Sequence[_Source],
        found: Sequence[_Found],
    ) -> None:
        """Keep what is in order: a document is written on where something is wrong with it."""
        self._documents = {
            document.file: (files[document.file], document)
            for document in documents
            if not document.problems
        }
        self._found = {
            source.slug: (source.documents, one)
            for source, one in zip(sources, found, strict=True)
            if not any(document.problems for document in source.documents)
        }


def _find_sources(documents: Iterable[Document]) -> Iterable[_Source]:
    """Sort the documents by calendar; report those that have no place, and calendars twice."""
    sources: dict[str, _Source] = {}
    for document in documents:
        _, *inner = document.file.split("/")
        if len(inner) not in (1, 2):
            _report_file(
                document,
                "is in a folder too deep: a calendar is a file, or one folder of files; move it up",
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
            message = f"{folder}/ has no calendar.yaml; write one, with the name and time zone"
            _report_file(source.others[0], message)
        try:
            check_slug(source.slug)
        except ValueError as error:
            _report_file(source.documents[0], str(error))
    return sources.values()


def _report_file(document: Document, message: str) -> None:
    document.report_at(0, 0, (), message)


def _read_calendar(source: _Source, uids: UidScheme) -> _Found:
    for document in source.documents:
        document.warnings.clear()  # one that was kept has those of the reading before
    entry = _read_head(source.head)
    calendar = settle_calendar(source.slug, entry)
    if source.head and (surprise := explain_abbreviation(calendar.time_zone)):
        source.head.warn(("time_zone",), surprise)
    found = _Found(calendar)
    reminders = settle_reminders(entry.reminders)
    for document in source.others:
        _read_events_file(document)
    nodes = [(document, _events_of(document)) for document in source.documents]
    count = sum(len(events) for _, events in nodes)
    if count > MOST_EVENTS:
        message = f"the calendar has {count:,} events; the most is {MOST_EVENTS:,}; split it"
        _report_file(source.documents[0], message)
        return found
    events: dict[str, Event | None] = {}
    first: dict[str, tuple[Document, Path]] = {}
    for document, event_nodes in nodes:
        for slug, node in event_nodes.items():
            path = ("events", slug)
            if slug in first:
                document.report(path, f"is also {_where(*first[slug])}; keep one")
                continue
            first[slug] = (document, path)
            event = _read_event(calendar, reminders, slug, node, document, uids)
            if event is not None:
                events[slug] = event
                found.uids.append((event.uid, document, path))
                found.places[event.uid] = _place_of(document, path, node)
    written = tuple(event for _, event in sorted(events.items()) if event is not None)
    found.calendar = calendar.model_copy(update={"events": written})
    return found


def _read_head(document: Document | None) -> CalendarFile:
    instead = CalendarFile.model_validate(_CALENDAR_INSTEAD)
    if document is None or _is_unusable(document):
        return instead
    head = document.value
    if isinstance(head, dict):
        # Events are read one by one, so that one that is wrong does not hide another.
        head = {key: value for key, value in head.items() if key != "events"}
    return read_entry(CalendarFile, head, document, (), _CALENDAR_INSTEAD) or instead


def _read_events_file(document: Document) -> None:
    if _is_unusable(document):
        return
    head = document.value
    if isinstance(head, dict):
        head = {key: {} if key == "events" else value for key, value in head.items()}
    read_entry(EventsFile, head, document, (), {})


def _is_unusable(document: Document) -> bool:
    """True where there is nothing to look into, which is then reported."""
    if document.value is None and not document.problems:
        document.report((), "is empty; remove it, or write what belongs in it")
    return document.value is None


def _events_of(document: Document) -> dict[str, Node]:
    """The nodes of a file's events by slug."""
    events = document.value.get("events") if isinstance(document.value, dict) else None
    if isinstance(events, dict):
        return events
    if events is not None:
        hint = '; write a name and a colon for each "-"' if isinstance(events, list) else ""
        message = f"must be a map of events by their names, but is {name_shape(events)}{hint}"
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
    entry = read_entry(EventEntry, node, document, path, _EVENT_INSTEAD)
    if entry is None:
        return None

    def report(place: Path, message: str | ValueError) -> None:
        # What is wrong in a map's shape was left out, which is not to be a problem of its own.
        if (*path, *place) not in document.touched:
            document.report((*path, *place), message)

    def warn(place: Path, message: str) -> None:
        document.warn((*path, *place), message)

    return settle_event(calendar, reminders, slug, entry, uids, report, warn)


def _place_of(document: Document, path: Path, node: Node) -> Place:
    keys = node if isinstance(node, dict) else ()
    marks = {key: document.marks[*path, key] for key in keys if (*path, key) in document.marks}
    _, line, column = document.find(path)
    return Place(document.file, line, column, dotted(path), marks)


def _check_former_names(sources: Iterable[_Source], calendars: Sequence[Calendar]) -> None:
    """Report a former name that is, or was, another calendar's: it can lead to one alone."""
    owners = {calendar.slug: calendar.slug for calendar in calendars}
    heads = {source.slug: source.head for source in sources}
    for calendar in sorted(calendars, key=lambda one: one.slug):
        head = heads[calendar.slug]
        for name in calendar.formerly:
            owner = owners.setdefault(name, calendar.slug)
            if head is None or (owner == calendar.slug and name != calendar.slug):
                continue
            whose = "its own name now" if owner == calendar.slug else f'that of "{owner}"'
            head.report(("formerly",), f'"{name}" is {whose}; name only what it was called before')


def _check_uids(found: Iterable[_Found]) -> None:
    """Report a UID that another event has."""
    first: dict[str, tuple[Document, Path]] = {}
    for uid, document, path in (entry for one in found for entry in one.uids):
        if uid in first:
            document.report((*path, "uid"), f'the UID "{uid}" is also {_where(*first[uid])}')
        first.setdefault(uid, (document, path))


def _where(document: Document, path: Path) -> str:
    _, line, _ = document.find(path)
    return f"in {document.file}, line {line}"
