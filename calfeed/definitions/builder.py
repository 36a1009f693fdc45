"""Build calendars and events from the entries of definition files.

Events inherit the zone, language and reminders of their calendar; ends become exclusive, and
durations become ends.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.event_times import EventTimeReader, Report, Warn
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys import CalendarFile, Entry, EventEntry, ReminderEntry
from calfeed.model.events import Calendar, Event, Kind, ReminderRule, Repeat, Visibility
from calfeed.model.texts import by_language
from calfeed.model.uids import UidScheme

_SEPARATE_KEYS = {
    *("uid", "start", "end", "duration", "time_zone", "busy", "categories", "reminders", "repeat"),
}
"""The keys of an event whose values depend on other keys or on the calendar."""


def build_calendar(slug: str, entry: CalendarFile) -> Calendar:
    """Build a calendar without its events."""
    return Calendar(
        slug=slug,
        name=by_language(entry.name, entry.language) or {},
        description=by_language(entry.description, entry.language),
        time_zone=entry.time_zone,
        language=entry.language,
        color=entry.color,
        visibility=entry.visibility or Visibility.PUBLIC,
        formerly=tuple(dict.fromkeys(entry.formerly or ())),
        history=entry.history,
    )


def build_reminders(entries: list[ReminderEntry] | None) -> tuple[ReminderRule, ...]:
    """Build the reminder rules without duplicates (1 week and 7 days are the same)."""
    rules = [ReminderRule(before=entry.before, at=entry.at) for entry in entries or ()]
    return tuple({rule.key: rule for rule in rules}.values())


def build_event(
    calendar: Calendar,
    reminders: tuple[ReminderRule, ...],
    slug: str,
    entry: EventEntry,
    uids: UidScheme,
    report: Report,
    warn: Warn,
) -> Event | None:
    """Build an event. Returns None if its start is invalid. `reminders` are the calendar's
    rules."""
    time_zone = entry.time_zone or calendar.time_zone
    reader = EventTimeReader(ZoneInfo(time_zone), report, warn)
    if entry.time_zone and (surprise := explain_abbreviation(entry.time_zone)):
        warn(("time_zone",), surprise)
    start = reader.read_moment(entry.start, ("start",))
    if start is None:
        return None
    if entry.reminders is not None:
        reminders = build_reminders(entry.reminders)
    end = reader.read_end(start, entry.end, entry.duration)
    if end is None and not isinstance(start, datetime):
        end = start + timedelta(days=1)
    other_fields = {
        name: _build_value(value, calendar.language)
        for name, value in entry
        if name not in _SEPARATE_KEYS and value is not None
    }
    return Event(
        calendar=calendar.slug,
        slug=slug,
        uid=entry.uid or uids.make([*calendar.formerly, calendar.slug][0], slug),
        start=start,
        end=end,
        time_zone=time_zone,
        language=calendar.language,
        busy=_busy_override(entry, start, report),
        categories=tuple(dict.fromkeys(entry.categories or ())),
        reminders=reminders,
        repeat=_build_repeat(entry, start, calendar.language, reminders, reader),
        **other_fields,
    )


def _build_value(value: object, language: str) -> object:
    """Convert a value of an entry to its type in `Event`: a map of languages, a tuple, or a plain
    value."""
    if isinstance(value, dict):
        return by_language(value, language)
    if isinstance(value, list):
        return tuple(_build_value(item, language) for item in value)
    return dict(value) if isinstance(value, Entry) else value


def _busy_override(entry: EventEntry, start: date | datetime, report: Report) -> bool | None:
    """Return whether an event blocks time, or None if it is the default for this kind of event."""
    deadline = entry.kind is Kind.DEADLINE
    if entry.busy and deadline:
        report(("busy",), 'a deadline blocks no time; remove this key, or "kind: deadline"')
    default = isinstance(start, datetime) and not deadline
    return None if entry.busy is default else entry.busy


def _build_repeat(
    entry: EventEntry,
    start: date | datetime,
    language: str,
    reminders: tuple[ReminderRule, ...],
    reader: EventTimeReader,
) -> Repeat | None:
    if entry.repeat is None:
        return None
    # Imported late: most files have no rule, and loading dateutil.rrule takes 20 ms.
    from calfeed.definitions.recurrence.repeats import build_repeat

    return build_repeat(entry.repeat, start, language, reminders, reader)
