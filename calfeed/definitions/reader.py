"""Read definition files into calendars, or raise an error with all problems.

This module is pure: files are passed as bytes, so they can come from a folder, a commit or a
request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import is_ as _is

from calfeed.definitions.builder import build_working_days
from calfeed.definitions.calendar_files import (
    CalendarResult,
    CalendarSource,
    read_calendar,
    report_file,
    where,
)
from calfeed.definitions.calendar_readings import (
    CalendarReading,
    calendar_of,
    is_calendar_file,
    is_working_days_file,
    make_digests,
)
from calfeed.definitions.keys.calendars import WorkingDaysFile
from calfeed.definitions.resolution import Name, Resolution, Resolver
from calfeed.definitions.result import Definitions
from calfeed.definitions.site.reading import SiteReading, read_site, read_site_documents
from calfeed.definitions.tree import Document, Path, read_tree
from calfeed.definitions.validation import read_entry
from calfeed.errors import DefinitionError
from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from calfeed.model.dates.working_days import HolidayData, WorkingDayRules
from calfeed.model.events import Calendar, Event
from calfeed.model.texts import check_slug
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme
from calfeed.model.values import in_utc


def read_definitions(
    files: Mapping[str, bytes], uids: UidScheme = NAME_BASED_UIDS, today: date | None = None
) -> Definitions:
    """Read the files of a definitions folder, given by path.

    A path begins with the folder's name: `events/un.yaml` is the calendar `un`;
    `events/un/calendar.yaml` and the files next to it are one calendar as well. Calendars and
    events are sorted by slug. `uids` makes UIDs for events whose definition has none.
    Examples in messages are later than `today`.

    Raises DefinitionError with all problems and warnings.
    """
    # The digests are compared only within this call, so `code` may be empty.
    return DefinitionReader(code="").read(files, uids, today)


class DefinitionReader:
    """Reads a folder repeatedly, skipping calendars whose files have not changed.

    A calendar is not read if its digest equals that of its published reading in `known`. `code`
    identifies this version of the code, because other versions may read the same files differently.
    """

    def __init__(
        self,
        code: str,
        known: Mapping[str, CalendarReading] | None = None,
        holidays: HolidayData = HOLIDAY_LIBRARY,
    ) -> None:
        self._code = code
        self._known = known or {}
        self._holidays = holidays
        self._documents: dict[str, tuple[bytes, Document]] = {}
        self._results: dict[str, tuple[list[Document], CalendarResult]] = {}
        self._settings: tuple[UidScheme, WorkingDayRules | None] = (NAME_BASED_UIDS, None)

    def read(
        self,
        files: Mapping[str, bytes],
        uids: UidScheme = NAME_BASED_UIDS,
        today: date | None = None,
    ) -> Definitions:
        """Read the files as `read_definitions` does."""
        digests = make_digests(files, uids, self._code)
        unchanged = {
            slug: reading
            for slug, reading in self._known.items()
            if digests.get(slug) == reading.digest
        }
        shared = [
            self._read_file(file, files[file], today)
            for file in sorted(files)
            if is_working_days_file(file)
        ]
        about_site = read_site_documents(files, today)
        site = read_site(about_site, files)
        settings = uids, _read_working_days(shared, about_site, site)
        if settings != self._settings:
            self._settings, self._results = settings, {}
        batch = _Batch([*shared, *about_site])
        wanted = {calendar_of(file) for file in files if is_calendar_file(file)}
        wanted -= unchanged.keys()
        while wanted:
            self._read_calendars(batch, files, wanted, today)
            # Dates may be counted from events of skipped calendars, which are then read as well.
            wanted = batch.list_calendars_of_causes() & unchanged.keys()
            unchanged = {slug: known for slug, known in unchanged.items() if slug not in wanted}
        _check_uids(batch.results)
        calendars = [result.calendar for result in batch.results]
        _check_former_names(batch.sources, calendars)
        resolution = batch.resolve(self._holidays)
        self._cache(files, batch)
        problems = [problem for document in batch.documents for problem in document.problems]
        warnings = [warning for document in batch.documents for warning in document.warnings]
        warnings += [warning for reading in unchanged.values() for warning in reading.warnings]
        if problems:
            raise DefinitionError(problems, warnings)
        # Calendars with undated events are read each time, because the warnings about these events
        # depend on the published state.
        waiting = {calendar for calendar, _ in resolution.undated}
        read = {
            source.slug: CalendarReading(
                digests[source.slug],
                tuple(sorted(warning for doc in source.documents for warning in doc.warnings)),
            )
            for source, result in zip(batch.sources, batch.results, strict=True)
            if source.slug not in waiting and not _depends_on_more(result)
        }
        counted: dict[str, list[Event]] = {}
        for event in resolution.events.values():
            counted.setdefault(event.calendar, []).append(event)
        placed = [_add_events(each, counted.get(each.slug, [])) for each in calendars]
        return Definitions(
            calendars=tuple(sorted(placed, key=lambda calendar: calendar.slug)),
            warnings=tuple(sorted(warnings)),
            places={uid: place for result in batch.results for uid, place in result.places.items()},
            known={**unchanged, **read},
            unchanged=frozenset(unchanged),
            uids=uids,
            undated=tuple(resolution.undated.values()),
            embargoes=batch.find_embargoes(resolution),
            site=site.site,
        )

    def _read_calendars(
        self, batch: _Batch, files: Mapping[str, bytes], wanted: Collection[str], today: date | None
    ) -> None:
        documents = [
            self._read_file(file, files[file], today)
            for file in sorted(files)
            if is_calendar_file(file) and calendar_of(file) in wanted
        ]
        sources = list(_find_sources(documents))
        batch.documents += documents
        batch.sources += sources
        batch.results += [self._read_source(source) for source in sources]

    def _read_file(self, file: str, data: bytes, today: date | None) -> Document:
        cached = self._documents.get(file)
        if cached is None or cached[0] != data:
            return read_tree(file, data, today)
        cached[1].today = today
        return cached[1]

    def _read_source(self, source: CalendarSource) -> CalendarResult:
        cached = self._results.get(source.slug)
        same = cached is not None and len(cached[0]) == len(source.documents)
        if cached is not None and same and all(map(_is, cached[0], source.documents)):
            return cached[1]
        return read_calendar(source, *self._settings)

    def _cache(self, files: Mapping[str, bytes], batch: _Batch) -> None:
        """Cache documents and calendars without problems; documents with problems are mutated."""
        self._documents = {
            document.file: (files[document.file], document)
            for document in batch.documents
            if not document.problems
        }
        self._results = {
            source.slug: (source.documents, result)
            for source, result in zip(batch.sources, batch.results, strict=True)
            if not any(document.problems for document in source.documents)
        }


@dataclass
class _Batch:
    """The files that are read, and their parsed contents."""

    documents: list[Document]
    sources: list[CalendarSource] = field(default_factory=list)
    results: list[CalendarResult] = field(default_factory=list)

    def list_calendars_of_causes(self) -> set[str]:
        causes = (draft.cause for result in self.results for draft in result.drafts)
        return {cause[0] for cause in causes if cause is not None}

    def resolve(self, holidays: HolidayData) -> Resolution:
        """Resolve the dates of all calendars; problems are added to the documents."""
        drafts = [draft for result in self.results for draft in result.drafts]
        if not drafts:
            return Resolution()
        results = {result.calendar.slug: result for result in self.results}
        resolver = Resolver(
            calendars={slug: result.calendar for slug, result in results.items()},
            events={
                (event.calendar, event.slug): event
                for result in self.results
                for event in result.calendar.events
            },
            defined={(slug, name) for slug, result in results.items() for name in result.defined},
            holidays=holidays,
            locate=lambda name: where(*results[name[0]].defined[name[1]]).removeprefix("in "),
        )
        return resolver.resolve(drafts)

    def find_embargoes(self, resolution: Resolution) -> dict[str, datetime]:
        """Return the moments before which events are not public, by UID.

        An event whose cause is under embargo is under the same embargo, because its date would
        reveal the date of the cause.
        """
        own: dict[Name, datetime] = {
            (result.calendar.slug, slug): moment
            for result in self.results
            for slug, moment in result.embargoes.items()
        }
        if not own:
            return {}
        for name, cause in resolution.causes.items():  # causes come before their dependents
            moments = [own[each] for each in (name, cause) if each in own]
            if moments:
                own[name] = max(moments, key=in_utc)
        uids: dict[Name, str] = {}
        for result in self.results:
            for event in result.calendar.events:
                uids[event.calendar, event.slug] = event.uid
            for draft in result.drafts:
                uids[draft.calendar, draft.slug] = draft.uid
        return {uids[name]: moment for name, moment in own.items() if name in uids}


def _depends_on_more(result: CalendarResult) -> bool:
    """Return whether a calendar's events depend on more than its files.

    Events depend on other calendars if they are counted from events there, and on the current time
    if there is an embargo.
    """
    slug = result.calendar.slug
    causes = (draft.cause for draft in result.drafts)
    return bool(result.embargoes) or any(cause and cause[0] != slug for cause in causes)


def _add_events(calendar: Calendar, counted: Sequence[Event]) -> Calendar:
    """Return a calendar with these counted events added, all sorted by slug."""
    if not counted:
        return calendar
    events = sorted((*calendar.events, *counted), key=lambda event: event.slug)
    return calendar.model_copy(update={"events": tuple(events)})


def _read_working_days(
    documents: Sequence[Document], about_site: Sequence[Document], site: SiteReading
) -> WorkingDayRules | None:
    """Return the working days of the folder, or None.

    Working days in two places are reported. `documents` are the files with working days only,
    `about_site` the files about the site, and `site` is the content of the latter.
    """
    rules = None
    if site.working_days is not None:
        rules = build_working_days(site.working_days, site.site.language)
        if documents:
            message = f"{documents[0].file} has the working days too; keep one"
            about_site[0].report(("working_days",), message)
    for number, document in enumerate(documents):
        if number:
            report_file(document, f"{documents[0].file} has the working days too; keep one")
            continue
        if document.value is None:
            if not document.problems:
                document.report((), "is empty; remove it, or add its content")
            continue
        entry = read_entry(WorkingDaysFile, document.value, document, (), {})
        rules = build_working_days(entry, "en") if entry else WorkingDayRules()
    return rules


def _find_sources(documents: Iterable[Document]) -> Iterable[CalendarSource]:
    """Group the documents by calendar; report misplaced files and duplicate calendars."""
    sources: dict[str, CalendarSource] = {}
    for document in documents:
        _, *inner = document.file.split("/")
        if len(inner) not in (1, 2):
            report_file(
                document,
                "is nested too deep: a calendar is a file, or one folder of files; move it up",
            )
            continue
        stem = inner[-1].rpartition(".")[0]
        slug = calendar_of(document.file)
        source = sources.setdefault(slug, CalendarSource(slug))
        if len(inner) == 2 and stem != "calendar":
            source.others.append(document)
        elif source.head is None:
            source.head = document
        else:
            message = f'the calendar "{slug}" is also in {source.head.file}; keep one of them'
            report_file(document, message)
    for source in sources.values():
        if source.head is None:
            folder = source.others[0].file.rpartition("/")[0]
            message = f"{folder}/ has no calendar.yaml; add one with the name and time zone"
            report_file(source.others[0], message)
        try:
            check_slug(source.slug)
        except ValueError as error:
            report_file(source.documents[0], str(error))
    return sources.values()


def _check_former_names(sources: Iterable[CalendarSource], calendars: Sequence[Calendar]) -> None:
    """Report former names that are also used otherwise: each must redirect to one calendar."""
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


def _check_uids(results: Iterable[CalendarResult]) -> None:
    """Report duplicate UIDs."""
    first: dict[str, tuple[Document, Path]] = {}
    for uid, document, path in (entry for result in results for entry in result.uids):
        if uid in first:
            document.report((*path, "uid"), f'the UID "{uid}" is also used {where(*first[uid])}')
        first.setdefault(uid, (document, path))
