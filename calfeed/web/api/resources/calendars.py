"""Read operations: calendars, events, occurrences, changes, reminders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar

from pydantic import Field

from calfeed.ical.comparison.changes import Kind
from calfeed.ical.occurrences import Occurrence
from calfeed.model.revision import Move
from calfeed.model.values import Text, text_in
from calfeed.publish.plan import page_url
from calfeed.publish.windows import find_receivers
from calfeed.reminders.contract.data import ChangedOccurrence
from calfeed.reminders.date_json import describe_cause_of, describe_uncertainty
from calfeed.reminders.messages import describe_occurrences, describe_time
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store.access.tokens import allows
from calfeed.store.catalog.announcements import (
    AnnouncedChange,
    AnnouncementPosition,
    find_position,
    load_announced_after,
)
from calfeed.store.catalog.visibility import is_public
from calfeed.store.database import Connection
from calfeed.store.endpoints.records import list_endpoints
from calfeed.store.rows import EventRow
from calfeed.web.api import models
from calfeed.web.api.fields import Slug, Window
from calfeed.web.api.operations import Call, Operations, Path
from calfeed.web.api.paging import (
    Page,
    PageQuery,
    paginate,
    read_cursor,
    to_number,
    write_cursor,
)
from calfeed.web.api.problems import Mistake, ProblemError, validation_problem
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.formats import describe_move, describe_published
from calfeed.web.published.timeline import EventOccurrence, Timeline

_MAX_WINDOW_ITEMS = 20_000

_MAX_REMINDER_LEAD = timedelta(days=3_700)
"""The maximum time between a reminder and its occurrence: ten years plus a margin."""

Item = TypeVar("Item")

operations = Operations()


class CalendarPath(Path):
    """The name of a calendar."""

    calendar: Slug


class EventPath(CalendarPath):
    """The name of an event."""

    event: Slug


class ChangesQuery(PageQuery):
    """Filters of changes."""

    calendar: list[Slug] = Field(
        default_factory=list, max_length=50, description="Only this calendar; repeatable."
    )


class WindowQuery(ChangesQuery, Window):
    """A period, and a filter by calendar."""


@operations.add("GET", "/calendars")
def list_calendars(call: Call, query: PageQuery) -> Page[models.Calendar]:
    """List the calendars.

    This includes the private calendars that the token may read.
    """
    page, cursor = paginate(
        call.visible_calendars().values(), lambda found: (found.calendar.slug,), query, (str,)
    )
    items = [_show_calendar(found, call.context.base_url) for found in page]
    return Page[models.Calendar](items=items, next=cursor)


@operations.add("GET", "/calendars/{calendar}")
def show_calendar(call: Call, path: CalendarPath) -> models.Calendar:
    """Show a calendar."""
    return _show_calendar(_find_calendar(call, path.calendar), call.context.base_url)


@operations.add("GET", "/calendars/{calendar}/events")
def list_events(call: Call, path: CalendarPath, query: PageQuery) -> Page[models.Event]:
    """List the events of a calendar by name, including past ones."""
    found = _find_calendar(call, path.calendar)
    page, cursor = paginate(found.by_slug.values(), lambda row: (row.slug,), query, (str,))
    items = [_show_event(call, found, row) for row in page]
    return Page[models.Event](items=items, next=cursor)


@operations.add("GET", "/calendars/{calendar}/events/{event}")
def show_event(call: Call, path: EventPath) -> models.Event:
    """Show an event."""
    found = _find_calendar(call, path.calendar)
    row = found.by_slug.get(path.event)
    if row is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "There is no event with this name in the calendar."
        )
    return _show_event(call, found, row)


@operations.add("GET", "/occurrences")
def list_occurrences(call: Call, query: WindowQuery) -> Page[models.Occurrence]:
    """List the occurrences that begin in a window of time, sorted by start.

    A recurring event is listed once for each occurrence.
    """
    found = _collect(
        occurrence
        for timeline in _timelines_of(call, query)
        for occurrence in timeline.beginning(query.begin, query.end)
    )
    page, cursor = paginate(found, _place_of, query, (int, str, str))
    items = [_show_occurrence(row, occurrence) for row, occurrence in page]
    return Page[models.Occurrence](items=items, next=cursor)


@operations.add("GET", "/changes")
def list_changes(call: Call, query: ChangesQuery, connection: Connection) -> models.Changes:
    """List announced changes, oldest first, from the beginning or after a cursor.

    The last page has a `next` too: use it later to get newer changes. If the change of a cursor
    no longer exists or may not be read, the list starts from the beginning.
    """
    slugs = _list_slugs(call, connection, query.calendar)
    place = _read_place(call, connection, query.cursor)
    found = load_announced_after(connection, slugs, place, query.limit)
    last = found[-1].position if found else None
    # Without the publish number, which would reveal publishes of private calendars.
    after = write_cursor(last.uid, last.sequence) if last else query.cursor
    return models.Changes(items=[_show_change(announced) for announced in found], next=after)


@operations.add("GET", "/reminders")
def list_reminders(call: Call, query: WindowQuery, connection: Connection) -> Page[models.Reminder]:
    """List the reminders that are due in a window of time, as currently published.

    With the scope `endpoints`, each has its receivers.
    """
    found = _collect(
        (row, reminder)
        for row in _rows_with_reminders(call, query)
        for reminder in plan_reminders(row.revision.event, query.begin, query.end)
    )
    page, cursor = paginate(
        found, lambda pair: (to_number(pair[1].due), pair[1].key), query, (int, str)
    )
    shows_receivers = allows(call.access.scopes, "endpoints")
    endpoints = list_endpoints(connection) if shows_receivers else []
    items = []
    for row, reminder in page:
        public = call.snapshot.all_calendars[row.calendar].public
        receivers = find_receivers(endpoints, row.revision.event, public)
        ids = [endpoint.id for endpoint in receivers] if shows_receivers else None
        items.append(_show_reminder(reminder, ids))
    return Page[models.Reminder](items=items, next=cursor)


def _collect(found: Iterator[Item]) -> list[Item]:
    """Return all items of a window. Raises ProblemError if they are too many to sort."""
    taken = list(islice(found, _MAX_WINDOW_ITEMS + 1))
    if len(taken) > _MAX_WINDOW_ITEMS:
        detail = f"this window has more than {_MAX_WINDOW_ITEMS:,} items; choose a shorter one"
        raise validation_problem([Mistake(pointer="?to", detail=detail)])
    return taken


def _find_calendar(call: Call, name: str) -> PublishedCalendar:
    found = call.visible_calendars().get(call.snapshot.renamed.get(name, name))
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "There is no calendar with this name.")
    return found


def _find_calendars(call: Call, names: Sequence[str]) -> list[PublishedCalendar]:
    """Return the calendars with these names, or all if there are no names; ignore unknown names."""
    found = call.visible_calendars()
    wanted = [call.snapshot.renamed.get(name, name) for name in names] or list(found)
    return [found[slug] for slug in dict.fromkeys(wanted) if slug in found]


def _list_slugs(call: Call, connection: Connection, names: Sequence[str]) -> list[str]:
    """Return the slugs of readable calendars with these names, or of all if there are no names.

    This includes withdrawn calendars, except those that are private under another name now.
    """
    current = {found.calendar.slug for found in _find_calendars(call, names)}
    withdrawn = {
        slug
        for slug in call.snapshot.withdrawn
        if (not names or slug in names)
        and (call.access.may_read(slug) or is_public(connection, slug))
    }
    return sorted(current | withdrawn)


def _read_place(call: Call, connection: Connection, cursor: str | None) -> AnnouncementPosition:
    """Return the position of the change that a cursor names.

    If there is no such change, or the caller may not read it, return the start: both are treated
    alike, so that guessing cursors reveals nothing.
    """
    parts = read_cursor(cursor, str, int, former=(int, str, int)) or ()
    if len(parts) == 3:
        return AnnouncementPosition(*parts)
    slugs = _list_slugs(call, connection, []) if parts else []
    return (find_position(connection, slugs, *parts) if parts else None) or AnnouncementPosition(
        0, "", 0
    )


def _timelines_of(call: Call, query: WindowQuery) -> list[Timeline]:
    timelines = call.snapshot.timelines
    return [timelines[found.calendar.slug] for found in _find_calendars(call, query.calendar)]


def _rows_with_reminders(call: Call, query: WindowQuery) -> Iterator[EventRow]:
    """Iterate over the events that may have a reminder due in a window."""
    # A reminder of an all-day event can be due after the start of the day.
    first, last = query.begin - timedelta(days=2), query.end + _MAX_REMINDER_LEAD
    for timeline in _timelines_of(call, query):
        for row in timeline.candidates(first, last):
            if row.revision.event.reminders and not row.revision.withdrawn:
                yield row


def _place_of(item: EventOccurrence) -> tuple[int, str, str]:
    row, occurrence = item
    return to_number(occurrence.begins), row.uid, occurrence.id


def _show_calendar(found: PublishedCalendar, base_url: str) -> models.Calendar:
    calendar = found.calendar
    texts = {"name": calendar.name, "description": calendar.description}
    return models.Calendar(
        slug=calendar.slug,
        name=text_in(calendar.name, calendar.language),
        description=_translate(calendar.description, calendar.language),
        texts={name: text for name, text in texts.items() if text},
        time_zone=calendar.time_zone,
        language=calendar.language,
        color=calendar.color,
        private=not found.public,
        events=len(found.rows),
        modified=found.modified,
        page=f"{base_url}/calendars/{calendar.slug}/" if found.public else None,
        feed=base_url + found.source.path if found.public else None,
    )


def _show_event(call: Call, found: PublishedCalendar, row: EventRow) -> models.Event:
    page = page_url(call.context.base_url, row.revision.event) if found.public else None
    return models.Event.model_validate(describe_published(row, page))


def _show_occurrence(row: EventRow, occurrence: Occurrence) -> models.Occurrence:
    event = row.revision.event
    cancelled = "cancelled" if row.revision.withdrawn else occurrence.status.value
    return models.Occurrence(
        calendar=event.calendar,
        event=event.slug,
        uid=event.uid,
        id=occurrence.id,
        summary=text_in(occurrence.summary, event.language),
        location=_translate(occurrence.location, event.language),
        status=cancelled,
        kind=event.kind.value,
        **describe_time(event, occurrence.start, occurrence.end),
    )


def _show_change(announced: AnnouncedChange) -> models.Change:
    change = announced.change
    revision, event = change.after, change.after.event
    moved = change.kind in (Kind.MOVED, Kind.CORRECTED) and not change.occurrences
    return models.Change(
        at=announced.at,
        kind=announced.kind,
        calendar=event.calendar,
        event=event.slug,
        uid=event.uid,
        sequence=revision.sequence,
        summary=text_in(event.summary, event.language),
        status="cancelled" if revision.withdrawn else event.status.value,
        previous=_show_move(revision.history[-1], event.language)
        if moved and revision.history
        else None,
        occurrences=[
            ChangedOccurrence.model_validate(described)
            for described in describe_occurrences(change)
        ],
        note=_translate(change.reason, event.language),
        change=change.shift.value if change.shift else None,
        **describe_cause_of(change),
        **describe_uncertainty(event),
        **describe_time(event, event.start, event.end),
    )


def _show_move(move: Move, language: str) -> models.Move:
    return models.Move.model_validate(describe_move(move, language))


def _show_reminder(reminder: Reminder, endpoints: list[str] | None) -> models.Reminder:
    event, occurrence = reminder.event, reminder.occurrence
    start: Any = occurrence.start
    due: datetime = reminder.due.astimezone(event.zone)
    return models.Reminder(
        key=reminder.key,
        calendar=event.calendar,
        event=event.slug,
        summary=text_in(occurrence.summary, event.language),
        rule=str(reminder.rule),
        due=due.isoformat(),
        occurrence=occurrence.id,
        start=start.isoformat(),
        time_zone=event.time_zone,
        endpoints=endpoints,
    )


def _translate(text: Text | None, language: str) -> str | None:
    return text_in(text, language) if text else None
