"""An event as VEVENT bytes, rendered once per revision (RFC 5545, 3.6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from icalendar import vDuration, vRecur

from calfeed.ical.content_lines import Component, escape, write_moment
from calfeed.ical.occurrences import Moment, format_moment, rule_until
from calfeed.ical.text import describe, describe_as_html
from calfeed.ical.words import words_in
from calfeed.ical.zones.vtimezones import canonical_zone, is_utc
from calfeed.model.events import (
    Change,
    Event,
    ReminderRule,
    Status,
    Text,
    language_of,
    start_of,
    text_in,
)
from calfeed.model.properties import quotable
from calfeed.model.revision import Move, Revision

RENDERER = 4
"""Goes up when the same revision would render to other bytes: publish then renders it anew."""


def render_event(
    revision: Revision, languages: Sequence[str] = (), *, marked: bool = False
) -> bytes:
    """The VEVENT of an event, and one more for each changed occurrence, as CRLF bytes.

    Times are on the wall clock with their TZID, which has to be declared beside it
    (`zone_in_use`). The bytes depend on the arguments and the rules of time zones alone.

    Texts are in the first of `languages` they have, else in the calendar's. With `marked` what is
    cancelled is not said by STATUS, which some clients ignore and some take as a removal, but in
    the title.
    """
    event = revision.event
    form = _Form((*languages, event.language), marked)
    master = _component(revision, event, form)
    _put_moment(master, "DTSTART", event, event.start)
    if event.end is not None:
        _put_moment(master, "DTEND", event, event.end)
    components = [master]
    if event.repeat is not None:
        _put_recurrence(master, event)
        components += [
            _override(revision, event, form, change)
            for change in sorted(event.repeat.changes, key=lambda one: event.instant(one.original))
        ]
    return b"".join(component.to_bytes() for component in components)


@dataclass(frozen=True)
class _Form:
    """How an event is written: in which languages, and whether the title marks cancelling."""

    languages: tuple[str, ...]
    marked: bool


def _component(
    revision: Revision, event: Event, form: _Form, change: Change | None = None
) -> Component:
    component = Component("VEVENT")
    # A backslash and an N in a UID were always written as a line break; UIDs stay as they are.
    component.put_text("UID", event.uid.replace("\\N", "\n"))
    component.put("SEQUENCE", str(revision.sequence))
    modified = write_moment(revision.modified)
    component.put("DTSTAMP", modified)
    component.put("CREATED", write_moment(revision.created))
    component.put("LAST-MODIFIED", modified)
    status = (change and change.status) or event.status
    if revision.cancelled:
        status = Status.CANCELLED
    marked = form.marked and status is Status.CANCELLED
    summary = (change and change.summary) or event.summary
    if marked:
        summary = {tag: f"{words_in(tag).cancelled}: {text}" for tag, text in summary.items()}
    _put_text(component, "SUMMARY", summary, form)
    location = (change and change.location) or event.location
    if location:
        _put_text(component, "LOCATION", location, form)
    described = event
    if change and change.description:
        described = event.model_copy(update={"description": change.description})
    history = _history_of(revision, change)
    note = revision.cancel_note
    description = describe(described, history, *form.languages, cancel_note=note)
    if description:
        component.put_text("DESCRIPTION", description)
    html = describe_as_html(described, history, *form.languages, cancel_note=note)
    if html:
        component.put_text("X-ALT-DESC", html, {"FMTTYPE": "text/html"})
    url = (change and change.url) or event.url
    if url:
        component.put("URL", url)
    if event.categories:
        component.put("CATEGORIES", ",".join(map(escape, event.categories)))
    _put_details(component, event)
    shown = Status.CONFIRMED if marked else status
    component.put("STATUS", shown.value.upper())
    busy = event.blocks_time and status is not Status.CANCELLED
    component.put("TRANSP", "OPAQUE" if busy else "TRANSPARENT")
    if status is not Status.CANCELLED:
        start = (change.start or change.original) if change else event.start
        _put_alarms(component, event, start, text_in(summary, *form.languages))
    return component


def _history_of(revision: Revision, change: Change | None) -> list[Move]:
    """The moves of the event as a whole, and with those the ones of a changed occurrence."""
    name = format_moment(change.original) if change else None
    return [move for move in revision.history if move.occurrence in (None, name)]


def _put_text(component: Component, name: str, text: Text, form: _Form) -> None:
    tag = language_of(text, *form.languages)
    component.put_text(name, text[tag], {"LANGUAGE": tag})


def _put_details(component: Component, event: Event) -> None:
    """What an event may say beyond what, when and where."""
    for one, value in event.details:
        if one.write is None:
            component.put_text(one.name, value)
        else:
            component.put(one.name, *one.write(value))
    for source in event.sources:
        if source.url:
            # `via` is the registered relation for where an information comes from.
            label = {"LABEL": quotable(source.title)}
            component.put("LINK", source.url, {"VALUE": "URI", "LINKREL": "via", **label})


def _write(event: Event, moment: Moment) -> tuple[str, dict[str, str]]:
    """A moment as the feed writes it, with its parameters: a date, a wall time, or UTC.

    On a wall clock a time that comes twice is the first of the two, so the second is in UTC. Not
    every client knows that, so a single event at either of them is in UTC, as are those of old
    whose offset had seconds, which clients round.
    """
    if not isinstance(moment, datetime):
        return write_moment(moment), {"VALUE": "DATE"}
    once = [one for one in (event.start, event.end) if isinstance(one, datetime)]
    if (
        is_utc(event.time_zone)
        or moment.fold
        or (event.repeat is None and any(map(_is_misread, once)))
    ):
        return write_moment(moment), {}
    return write_moment(moment.replace(tzinfo=None)), {"TZID": canonical_zone(event.time_zone)}


def _is_misread(moment: datetime) -> bool:
    """Whether its wall time comes twice, or its offset from UTC has seconds."""
    offset = moment.utcoffset() or timedelta()
    other = moment.replace(fold=1 - moment.fold).utcoffset()
    return offset != other or bool(offset % timedelta(minutes=1))


def _put_moment(component: Component, name: str, event: Event, moment: Moment) -> None:
    component.put(name, *_write(event, moment))


def _put_moments(component: Component, name: str, event: Event, moments: Iterable[Moment]) -> None:
    """A list of the moments of a series; none of them is the second of two wall times."""
    written = [_write(event, moment) for moment in sorted(moments)]
    component.put(name, ",".join(value for value, _ in written), written[0][1])


def _put_recurrence(component: Component, event: Event) -> None:
    repeat = event.repeat
    if repeat is None:
        return
    if repeat.rule:
        rule: dict[str, Any] = dict(vRecur.from_ical(repeat.rule))
        if "BYHOUR" in rule:
            # libical and ical.js go through the hours as they are written, and end by that order.
            rule["BYHOUR"] = sorted(rule["BYHOUR"])
        until = rule_until(event, repeat.rule)
        if until is not None:
            rule["UNTIL"] = [until]
        written: bytes = vRecur(rule).to_ical()  # type: ignore[no-untyped-call]  # icalendar's
        component.put("RRULE", written.decode())
    # The first time is one of them already, but Home Assistant shows only those in a list.
    also = repeat.also if repeat.rule else (event.start, *repeat.also)
    for name, moments in (("EXDATE", repeat.exclude), ("RDATE", also)):
        if moments:
            _put_moments(component, name, event, moments)


def _override(revision: Revision, event: Event, form: _Form, change: Change) -> Component:
    component = _component(revision, event, form, change)
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


def _put_alarms(component: Component, event: Event, start: Moment, title: str) -> None:
    for rule in event.reminders:
        alarm = Component("VALARM")
        alarm.put("ACTION", "DISPLAY")
        alarm.put_text("DESCRIPTION", title)
        if event.repeat is None:
            _put_trigger(alarm, event, start, rule)
        else:
            alarm.put("TRIGGER", _write_duration(_distance(event, start, rule)))
        component.put_part(alarm)


@lru_cache(maxsize=1024)
def _write_duration(span: timedelta) -> str:
    written: bytes = vDuration(span).to_ical()  # type: ignore[no-untyped-call]  # icalendar's
    return written.decode()


def _distance(event: Event, moment: Moment, rule: ReminderRule) -> timedelta:
    """The alarm's time from the start of each occurrence, as it is from `moment`.

    Days are nominal there (RFC 5545, 3.8.6.3), so a rule counted on the calendar gives the
    distance on the wall clock, and one in hours and minutes the distance on the timeline.
    """
    start = start_of(moment, event.zone)
    due = rule.due(moment, event.zone)
    if rule.before.on_calendar:
        return due.replace(tzinfo=None) - start.replace(tzinfo=None)
    return due.astimezone(UTC) - start.astimezone(UTC)


def _put_trigger(alarm: Component, event: Event, moment: Moment, rule: ReminderRule) -> None:
    """The alarm's time for what takes place once.

    From the start where every app counts to the same moment, else that moment itself: some count
    a day as 24 hours when the clocks change, and a date begins in the reader's own zone.
    """
    start = start_of(moment, event.zone)
    due = rule.due(moment, event.zone)
    if isinstance(moment, datetime) and due.utcoffset() == start.utcoffset():
        alarm.put("TRIGGER", _write_duration(due.astimezone(UTC) - start.astimezone(UTC)))
    else:
        alarm.put("TRIGGER", write_moment(due), {"VALUE": "DATE-TIME"})
