"""An event as VEVENT bytes, rendered once per revision (RFC 5545, 3.6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from icalendar import vDDDLists, vRecur, vText

from calfeed.definitions.values import (
    Change,
    Event,
    Kind,
    ReminderRule,
    Status,
    Text,
    language_of,
    start_of,
)
from calfeed.ical.occurrences import Moment, rule_until
from calfeed.ical.revision import Revision
from calfeed.ical.text import describe
from calfeed.ical.zones import is_utc

RENDERER = 1
"""Goes up when the same revision would render to other bytes: publish then renders it anew."""


def render_event(revision: Revision) -> bytes:
    """The VEVENT of an event, and one more for each changed occurrence, as CRLF bytes.

    A single timed event is written in UTC, which no client misreads; a recurring one on the wall
    clock with its TZID, which has to be declared beside it (`zones_in_use`). The bytes depend on
    the revision alone.
    """
    event = revision.event
    master = _component(revision, event)
    _put_moment(master, "DTSTART", event, event.start)
    if event.end is not None:
        _put_moment(master, "DTEND", event, event.end)
    components = [master]
    if event.repeat is not None:
        _put_recurrence(master, event)
        components += [
            _override(revision, event, change)
            for change in sorted(event.repeat.changes, key=lambda one: event.instant(one.original))
        ]
    for component in components:
        _put_alarms(component, event)
    return b"".join(component.to_ical() for component in components)


def _component(revision: Revision, event: Event, change: Change | None = None) -> icalendar.Event:
    component = icalendar.Event()
    component.add("UID", event.uid)
    component.add("SEQUENCE", revision.sequence)
    component.add("DTSTAMP", revision.modified)
    component.add("CREATED", revision.created)
    component.add("LAST-MODIFIED", revision.modified)
    _put_text(component, "SUMMARY", (change and change.summary) or event.summary, event.language)
    location = (change and change.location) or event.location
    if location:
        _put_text(component, "LOCATION", location, event.language)
    described = event
    if change and change.description:
        described = event.model_copy(update={"description": change.description})
    description = describe(described, revision.history, event.language)
    if description:
        component.add("DESCRIPTION", description)
    url = (change and change.url) or event.url
    if url:
        component.add("URL", url)
    if event.categories:
        component.add("CATEGORIES", list(event.categories))
    status = (change and change.status) or event.status
    if revision.withdrawn or event.status is Status.CANCELLED:
        status = Status.CANCELLED
    component.add("STATUS", status.value.upper())
    # A date without an hour blocks nobody's day, which is also what calendar apps make of one.
    free = event.all_day or event.kind is Kind.DEADLINE or status is Status.CANCELLED
    component.add("TRANSP", "TRANSPARENT" if free else "OPAQUE")
    return component


def _put_text(component: icalendar.Event, name: str, text: Text, language: str) -> None:
    tag = language_of(text, language)
    component.add(name, vText(text[tag], params={"LANGUAGE": tag}))


def _written(event: Event, moment: Moment) -> Moment:
    """A moment as the feed writes it: a date, UTC, or the wall clock of a recurring event."""
    if not isinstance(moment, datetime):
        return moment
    if event.repeat is None or is_utc(event.time_zone):
        return moment.astimezone(UTC)
    return moment


def _put_moment(component: icalendar.Event, name: str, event: Event, moment: Moment) -> None:
    component.add(name, _written(event, moment))


def _put_recurrence(component: icalendar.Event, event: Event) -> None:
    repeat = event.repeat
    if repeat is None:
        return
    if repeat.rule:
        rule: dict[str, Any] = dict(vRecur.from_ical(repeat.rule))
        until = rule_until(event, repeat.rule)
        if until is not None:
            rule["UNTIL"] = [until]
        component.add("RRULE", vRecur(rule))
    for name, moments in (("EXDATE", repeat.exclude), ("RDATE", repeat.also)):
        if moments:
            written = sorted(_written(event, moment) for moment in moments)
            values = vDDDLists(written)
            if event.all_day:
                values.params["VALUE"] = "DATE"
            component.add(name, values)


def _override(revision: Revision, event: Event, change: Change) -> icalendar.Event:
    component = _component(revision, event, change)
    _put_moment(component, "RECURRENCE-ID", event, change.original)
    start = change.start or change.original
    _put_moment(component, "DTSTART", event, start)
    end = change.end
    if end is None and event.end is not None:
        span = start_of(event.end, event.zone) - start_of(event.start, event.zone)
        if isinstance(start, datetime):
            length = event.instant(event.end) - event.instant(event.start)
            end = (start.astimezone(UTC) + length).astimezone(event.zone)
        else:
            end = start + timedelta(days=round(span / timedelta(days=1)))
    if end is not None:
        _put_moment(component, "DTEND", event, end)
    return component


def _put_alarms(component: icalendar.Event, event: Event) -> None:
    if component["STATUS"] == "CANCELLED":
        return
    summary = str(component["SUMMARY"])
    for rule in event.reminders:
        alarm = icalendar.Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("DESCRIPTION", summary)
        alarm.add("TRIGGER", _trigger(event, rule))
        component.add_component(alarm)


def _trigger(event: Event, rule: ReminderRule) -> timedelta:
    """The alarm's time, from the start (RFC 5545, 3.8.6.3).

    Days are nominal there, so a rule counted on the calendar gives the distance on the wall
    clock, and one in hours and minutes the distance on the timeline.
    """
    start = start_of(event.start, event.zone)
    due = rule.due(event.start, event.zone)
    if rule.before.on_calendar:
        return due.replace(tzinfo=None) - start.replace(tzinfo=None)
    return due.astimezone(UTC) - start.astimezone(UTC)
