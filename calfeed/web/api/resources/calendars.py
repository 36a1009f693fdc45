"""Reading: calendars, events, occurrences, changes, reminders. Of what is private with a token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar

from pydantic import Field

from calfeed.ical.changes import Kind
from calfeed.ical.occurrences import Occurrence
from calfeed.model.events import Text, text_in
from calfeed.model.revision import Move
from calfeed.publish.plan import page_address
from calfeed.publish.windows import find_receivers
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
from calfeed.web.api.problems import Mistake, RefusalError, refuse_input
from calfeed.web.published.shapes import describe_move, describe_published
from calfeed.web.published.snapshot import PublishedCalendar
from calfeed.web.published.timeline import EventOccurrence, Timeline

_MOST_FOUND = 20_000

_BEFOREHAND = timedelta(days=3_700)
"""How long before its occurrence a reminder can be due: ten years, and some days of room."""

Found = TypeVar("Found")

operations = Operations()


class CalendarPath(Path):
    """The name of a calendar."""

    calendar: Slug


class EventPath(CalendarPath):
    """The name of an event."""

    event: Slug


class ChangesQuery(PageQuery):
    """Which changes."""

    calendar: list[Slug] = Field(
        default_factory=list, max_length=50, description="Only of this calendar; repeatable."
    )


class WindowQuery(ChangesQuery, Window):
    """A window of time, and of which calendars."""


@operations.add("GET", "/calendars")
def list_calendars(call: Call, query: PageQuery) -> Page[models.Calendar]:
    """List the calendars.

    Private ones are among them as far as the token may read them.
    """
    page, cursor = paginate(
        call.calendars().values(), lambda one: (one.calendar.slug,), query, (str,)
    )
    items = [_show_calendar(one, call.backend.base_url) for one in page]
    return Page[models.Calendar](items=items, next=cursor)


@operations.add("GET", "/calendars/{calendar}")
def show_calendar(call: Call, path: CalendarPath) -> models.Calendar:
    """Show a calendar."""
    return _show_calendar(_find_calendar(call, path.calendar), call.backend.base_url)


@operations.add("GET", "/calendars/{calendar}/events")
def list_events(call: Call, path: CalendarPath, query: PageQuery) -> Page[models.Event]:
    """List the events of a calendar, past ones too, by their names."""
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
        raise RefusalError(HTTPStatus.NOT_FOUND, "There is no such event in this calendar.")
    return _show_event(call, found, row)


@operations.add("GET", "/occurrences")
def list_occurrences(call: Call, query: WindowQuery) -> Page[models.Occurrence]:
    """List what takes place in a window of time, in the order of the beginnings.

    What recurs is there once for each time. What begins within the window is in it.
    """
    found = _take(
        one
        for timeline in _timelines_of(call, query)
        for one in timeline.beginning(query.begin, query.end)
    )
    page, cursor = paginate(found, _place_of, query, (int, str, str))
    items = [_show_occurrence(row, one) for row, one in page]
    return Page[models.Occurrence](items=items, next=cursor)


@operations.add("GET", "/changes")
def list_changes(call: Call, query: ChangesQuery, connection: Connection) -> models.Changes:
    """List what was announced, oldest first, from the beginning or from a cursor on.

    `next` is there on the last page too: ask with it later, and get what was announced since. A
    cursor whose change is not here any more, or may not be seen, begins at the beginning.
    """
    slugs = _list_slugs(call, connection, query.calendar)
    place = _read_place(call, connection, query.cursor)
    found = load_announced_after(connection, slugs, place, query.limit)
    last = found[-1].position if found else None
    # Without the number of the publish, which counts those of private calendars too.
    after = write_cursor(last.uid, last.sequence) if last else query.cursor
    return models.Changes(items=[_show_change(one) for one in found], next=after)


@operations.add("GET", "/reminders")
def list_reminders(call: Call, query: WindowQuery, connection: Connection) -> Page[models.Reminder]:
    """List which reminders are due in a window of time, as it is published now.

    To whom they go is said to tokens with the scope `endpoints`.
    """
    found = _take(
        (row, reminder)
        for row in _rows_reminding(call, query)
        for reminder in plan_reminders(row.revision.event, query.begin, query.end)
    )
    page, cursor = paginate(
        found, lambda one: (to_number(one[1].due), one[1].key), query, (int, str)
    )
    told_to = allows(call.access.scopes, "endpoints")
    endpoints = list_endpoints(connection) if told_to else []
    items = []
    for row, reminder in page:
        public = call.snapshot.everything[row.calendar].public
        receivers = find_receivers(endpoints, row.revision.event, public)
        ids = [one.id for one in receivers] if told_to else None
        items.append(_show_reminder(reminder, ids))
    return Page[models.Reminder](items=items, next=cursor)


def _take(found: Iterator[Found]) -> list[Found]:
    """All that a window holds. Raises RefusalError where that is too much to be put in order."""
    taken = list(islice(found, _MOST_FOUND + 1))
    if len(taken) > _MOST_FOUND:
        detail = f"there are more than {_MOST_FOUND:,} in this window; choose a shorter one"
        raise refuse_input([Mistake(pointer="?to", detail=detail)])
    return taken


def _find_calendar(call: Call, name: str) -> PublishedCalendar:
    found = call.calendars().get(call.snapshot.renamed.get(name, name))
    if found is None:
        raise RefusalError(HTTPStatus.NOT_FOUND, "There is no such calendar.")
    return found


def _choose(call: Call, names: Sequence[str]) -> list[PublishedCalendar]:
    """The calendars of these names, all for none; what is not there has nothing in it."""
    found = call.calendars()
    wanted = [call.snapshot.renamed.get(name, name) for name in names] or list(found)
    return [found[slug] for slug in dict.fromkeys(wanted) if slug in found]


def _list_slugs(call: Call, connection: Connection, names: Sequence[str]) -> list[str]:
    """The calendars of these names, all for none, whose changes may be seen.

    Those that were withdrawn are among them, unless they are private by another name now.
    """
    current = {one.calendar.slug for one in _choose(call, names)}
    withdrawn = {
        slug
        for slug in call.snapshot.gone
        if (not names or slug in names)
        and (call.access.may_read(slug) or is_public(connection, slug))
    }
    return sorted(current | withdrawn)


def _read_place(call: Call, connection: Connection, cursor: str | None) -> AnnouncementPosition:
    """The place of the change that a cursor names, if it is there and may be seen; else the start.

    What may not be seen is treated as what never was, so that nobody learns of it by guessing.
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
    return [timelines[one.calendar.slug] for one in _choose(call, query.calendar)]


def _rows_reminding(call: Call, query: WindowQuery) -> Iterator[EventRow]:
    """The events that may have a reminder due in a window."""
    # The reminder of a day can be due after that day has begun.
    first, last = query.begin - timedelta(days=2), query.end + _BEFOREHAND
    for timeline in _timelines_of(call, query):
        for row in timeline.candidates(first, last):
            if row.revision.event.reminders and not row.revision.withdrawn:
                yield row


def _place_of(one: EventOccurrence) -> tuple[int, str, str]:
    row, occurrence = one
    return to_number(occurrence.begins), row.uid, occurrence.id


def _show_calendar(one: PublishedCalendar, base_url: str) -> models.Calendar:
    calendar = one.calendar
    texts = {"name": calendar.name, "description": calendar.description}
    return models.Calendar(
        slug=calendar.slug,
        name=text_in(calendar.name, calendar.language),
        description=_say(calendar.description, calendar.language),
        texts={name: text for name, text in texts.items() if text},
        time_zone=calendar.time_zone,
        language=calendar.language,
        color=calendar.color,
        private=not one.public,
        events=len(one.rows),
        modified=one.modified,
        page=f"{base_url}/calendars/{calendar.slug}/" if one.public else None,
        feed=base_url + one.source.path if one.public else None,
    )


def _show_event(call: Call, found: PublishedCalendar, row: EventRow) -> models.Event:
    page = page_address(call.backend.base_url, row.revision.event) if found.public else None
    return models.Event.model_validate(describe_published(row, page))


def _show_occurrence(row: EventRow, one: Occurrence) -> models.Occurrence:
    event = row.revision.event
    cancelled = "cancelled" if row.revision.withdrawn else one.status.value
    return models.Occurrence(
        calendar=event.calendar,
        event=event.slug,
        uid=event.uid,
        id=one.id,
        summary=text_in(one.summary, event.language),
        location=_say(one.location, event.language),
        status=cancelled,
        kind=event.kind.value,
        **describe_time(event, one.start, one.end),
    )


def _show_change(one: AnnouncedChange) -> models.Change:
    change = one.change
    revision, event = change.after, change.after.event
    moved = change.kind is Kind.MOVED and not change.occurrences and revision.history
    return models.Change(
        at=one.at,
        kind=one.kind,
        calendar=event.calendar,
        event=event.slug,
        uid=event.uid,
        sequence=revision.sequence,
        summary=text_in(event.summary, event.language),
        status="cancelled" if revision.withdrawn else event.status.value,
        previous=_show_move(revision.history[-1], event.language) if moved else None,
        occurrences=[
            models.ChangedOccurrence.model_validate(each) for each in describe_occurrences(change)
        ],
        note=_say(change.reason, event.language),
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


def _say(text: Text | None, language: str) -> str | None:
    return text_in(text, language) if text else None
