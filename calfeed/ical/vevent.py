"""Render events as VEVENT bytes, once per revision (RFC 5545, 3.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from icalendar import vRecur

from calfeed.ical.alarms import make_alarms
from calfeed.ical.content_lines import Component, escape, write_moment
from calfeed.ical.occurrences import Moment, format_moment, rule_until
from calfeed.ical.wording.dates_text import format_title
from calfeed.ical.wording.descriptions import describe, describe_as_html
from calfeed.ical.wording.words import words_in
from calfeed.ical.zones.vtimezones import canonical_zone, is_utc
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Change, Event, Status
from calfeed.model.properties import replace_backslashes
from calfeed.model.revision import Move, Revision
from calfeed.model.values import Text, language_of, start_of, text_in

RENDERER = 7
"""The version of the output. Increment it when the output for a revision changes.

The next publish then renders all events again.
"""

# Only real content lines match: a folded line begins with a space.
_ALARM = re.compile(rb"^BEGIN:VALARM\r\n.*?^END:VALARM\r\n", re.DOTALL | re.MULTILINE)
_END = re.compile(rb"^(END:VEVENT\r\n)", re.MULTILINE)


def render_event(
    revision: Revision, languages: Sequence[str] = (), *, marked: bool = False
) -> bytes:
    """Render the VEVENT of an event, and one for each overridden occurrence.

    Times are wall times with a TZID, whose VTIMEZONE the feed must contain (`zone_in_use`). The
    bytes depend only on the arguments and the zone rules.

    Texts are in the first available of `languages`, else in the calendar's. With `marked`, a
    cancellation is marked in the title instead of STATUS, which some clients ignore and others
    treat as a deletion.
    """
    event = revision.event
    options = _Options((*languages, event.language), marked)
    master = _component(revision, event, options)
    _put_moment(master, "DTSTART", event, event.start)
    if event.end is not None and not event.day_open:
        _put_moment(master, "DTEND", event, event.end)
    components = [master]
    if event.repeat is not None:
        put_recurrence(master, event)
        components += [
            _override(revision, event, options, change) for change in _sorted_changes(event)
        ]
    return b"".join(component.to_bytes() for component in components)


def replace_alarms(
    vevents: bytes, revision: Revision, languages: Sequence[str], rules: Sequence[ReminderRule]
) -> bytes:
    """Return a rendering of a revision with alarms by other rules; without rules, with none.

    `languages` are those with which `vevents` were rendered. An event that has no alarms at all,
    such as a cancelled one, gets none.
    """
    event = revision.event
    bare = _ALARM.sub(b"", vevents)
    if not rules:
        return bare
    *parts, _ = _END.split(bare)
    written = []
    for change, body, end in zip(
        [None, *_sorted_changes(event)], parts[::2], parts[1::2], strict=True
    ):
        title = text_in(_title_of(event, change), *languages, event.language)
        alarms = [alarm.to_bytes() for alarm in _alarms_of(revision, event, change, title, rules)]
        # Two rules can come to the same moment, such as a day and 24 hours.
        written += [body, *dict.fromkeys(alarms), end]
    return b"".join(written)


def _sorted_changes(event: Event) -> list[Change]:
    """Return the overridden occurrences in the order in which they are rendered."""
    changes = event.repeat.changes if event.repeat is not None else ()
    return sorted(changes, key=lambda each: event.instant(each.original))


@dataclass(frozen=True)
class _Options:
    """Rendering options: languages, and whether titles mark cancellation."""

    languages: tuple[str, ...]
    marked: bool


def _component(
    revision: Revision, event: Event, options: _Options, change: Change | None = None
) -> Component:
    component = Component("VEVENT")
    # Earlier versions wrote `\N` in a UID as a line break, and published UIDs must not change.
    component.put_text("UID", event.uid.replace("\\N", "\n"))
    component.put("SEQUENCE", str(revision.sequence))
    modified = write_moment(revision.modified)
    component.put("DTSTAMP", modified)
    component.put("CREATED", write_moment(revision.created))
    component.put("LAST-MODIFIED", modified)
    status = _status_of(revision, event, change)
    marked = options.marked and status is Status.CANCELLED
    cancelled = marked and _is_cancelled(revision, change)
    summary = _mark_cancelled(event, change) if cancelled else _title_of(event, change)
    _put_text(component, "SUMMARY", summary, options)
    location = (change and change.location) or event.location
    if location:
        _put_text(component, "LOCATION", location, options)
    described = event
    if change and change.description:
        described = event.model_copy(update={"description": change.description})
    history = _history_of(revision, change)
    note = revision.cancel_note
    description = describe(described, history, *options.languages, cancel_note=note)
    if description:
        component.put_text("DESCRIPTION", description)
    html = describe_as_html(described, history, *options.languages, cancel_note=note)
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
    _put_cause(component, event)
    title = text_in(summary, *options.languages)
    for alarm in _alarms_of(revision, event, change, title, event.reminders):
        component.put_part(alarm)
    return component


def _status_of(revision: Revision, event: Event, change: Change | None) -> Status:
    if _is_cancelled(revision, change) or event.on_hold is not None:
        return Status.CANCELLED
    if event.precision is not None:
        return Status.TENTATIVE
    return (change and change.status) or event.status


def _is_cancelled(revision: Revision, change: Change | None) -> bool:
    """Return whether an event or an overridden occurrence is cancelled, not only on hold."""
    return revision.cancelled or (change is not None and change.status is Status.CANCELLED)


def _mark_cancelled(event: Event, change: Change | None) -> Text:
    """Return a title that says that it is cancelled; why it had no date before does not matter."""
    summary = _title_of(event.model_copy(update={"on_hold": None}), change)
    return {
        tag: words_in(tag).label(words_in(tag).cancelled, text) for tag, text in summary.items()
    }


def _title_of(event: Event, change: Change | None) -> Text:
    summary = (change and change.summary) or event.summary
    return {tag: format_title(event, text, tag, event.language) for tag, text in summary.items()}


def _alarms_of(
    revision: Revision,
    event: Event,
    change: Change | None,
    title: str,
    rules: Sequence[ReminderRule],
) -> list[Component]:
    if event.silent or _status_of(revision, event, change) is Status.CANCELLED:
        return []
    return make_alarms(event, *_times_of(event, change), title, rules)


def _history_of(revision: Revision, change: Change | None) -> list[Move]:
    """Return the moves of the event, and of the overridden occurrence, if any."""
    name = format_moment(change.original) if change else None
    return [move for move in revision.history if move.occurrence in (None, name)]


def _put_text(component: Component, name: str, text: Text, options: _Options) -> None:
    tag = language_of(text, *options.languages)
    component.put_text(name, text[tag], {"LANGUAGE": tag})


def _put_details(component: Component, event: Event) -> None:
    for detail_property, value in event.details:
        if detail_property.write is None:
            component.put_text(detail_property.name, value)
        else:
            component.put(detail_property.name, *detail_property.write(value))
    for source in event.sources:
        if source.url:
            # `via` is the registered link relation for sources.
            label = {"LABEL": replace_backslashes(source.title)}
            component.put("LINK", source.url, {"VALUE": "URI", "LINKREL": "via", **label})


def _put_cause(component: Component, event: Event) -> None:
    """Put the UID of the event that the date is counted from (RELATED-TO, RFC 9253, 5 and 8.2)."""
    if event.derivation is not None:
        component.put_text("RELATED-TO", event.derivation.cause.uid, {"RELTYPE": "DEPENDS-ON"})


def _write_event_moment(event: Event, moment: Moment) -> tuple[str, dict[str, str]]:
    """Return the value and parameters of a moment: a date, a wall time, or UTC.

    An ambiguous wall time means the first instant, so the second is written in UTC. Some clients
    misread ambiguous times and old offsets with seconds, so single events use UTC for these.
    """
    if not isinstance(moment, datetime):
        return write_moment(moment), {"VALUE": "DATE"}
    times = [time for time in (event.start, event.end) if isinstance(time, datetime)]
    if (
        is_utc(event.time_zone)
        or moment.fold
        or (event.repeat is None and any(map(_is_misread, times)))
    ):
        return write_moment(moment), {}
    return write_moment(moment.replace(tzinfo=None)), {"TZID": canonical_zone(event.time_zone)}


def _is_misread(moment: datetime) -> bool:
    """Return whether a wall time is ambiguous, or its UTC offset has seconds."""
    offset = moment.utcoffset() or timedelta()
    other = moment.replace(fold=1 - moment.fold).utcoffset()
    return offset != other or bool(offset % timedelta(minutes=1))


def _put_moment(component: Component, name: str, event: Event, moment: Moment) -> None:
    component.put(name, *_write_event_moment(event, moment))


def _put_moments(component: Component, name: str, event: Event, moments: Iterable[Moment]) -> None:
    """Put a list of moments of a series, all with `fold=0`."""
    written = [_write_event_moment(event, moment) for moment in sorted(moments)]
    component.put(name, ",".join(value for value, _ in written), written[0][1])


def put_recurrence(component: Component, event: Event) -> None:
    """Put the recurrence set of an event: RRULE, EXDATE, RDATE (RFC 5545, 3.8.5)."""
    repeat = event.repeat
    if repeat is None:
        return
    if repeat.rule:
        rule: dict[str, Any] = dict(vRecur.from_ical(repeat.rule))
        if "BYHOUR" in rule:
            # libical and ical.js expand the hours in written order and stop at the last one.
            rule["BYHOUR"] = sorted(rule["BYHOUR"])
        until = rule_until(event, repeat.rule)
        if until is not None:
            rule["UNTIL"] = [until]
        written: bytes = vRecur(rule).to_ical()  # type: ignore[no-untyped-call]  # icalendar's
        component.put("RRULE", written.decode())
    # DTSTART is an occurrence anyway, but without a rule Home Assistant shows only RDATEs.
    also = repeat.also if repeat.rule else (event.start, *repeat.also)
    for name, moments in (("EXDATE", repeat.exclude), ("RDATE", also)):
        if moments:
            _put_moments(component, name, event, moments)


def _override(revision: Revision, event: Event, options: _Options, change: Change) -> Component:
    component = _component(revision, event, options, change)
    _put_moment(component, "RECURRENCE-ID", event, change.original)
    start, end = _times_of(event, change)
    _put_moment(component, "DTSTART", event, start)
    if end is not None:
        _put_moment(component, "DTEND", event, end)
    return component


def _times_of(event: Event, change: Change | None) -> tuple[Moment, Moment | None]:
    """Return the start and end of an event, or of an overridden occurrence."""
    if change is None:
        return event.start, event.end
    start = change.start or change.original
    if change.end is not None or event.end is None:
        return start, change.end
    if isinstance(start, datetime):
        length = event.instant(event.end) - event.instant(event.start)
        return start, (start.astimezone(UTC) + length).astimezone(event.zone)
    span = start_of(event.end, event.zone) - start_of(event.start, event.zone)
    return start, start + timedelta(days=round(span / timedelta(days=1)))
