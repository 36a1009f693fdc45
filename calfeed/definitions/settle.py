"""From what is written to what is meant: an event's entry becomes an `Event`.

What the calendar gives (zone, language, reminders) is settled here, ends become exclusive and
lengths become ends.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.moments import Ground, Report, Warn
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys import CalendarFile, Entry, EventEntry, ReminderEntry
from calfeed.model.events import Calendar, Event, Kind, ReminderRule, Repeat, Visibility
from calfeed.model.texts import by_language
from calfeed.model.uids import UidScheme

_SETTLED_APART = {
    *("uid", "start", "end", "duration", "time_zone", "busy", "categories", "reminders", "repeat"),
}
"""The keys of an event that mean something only with others, or with what the calendar says."""


def settle_calendar(slug: str, entry: CalendarFile) -> Calendar:
    """The calendar of a file, without its events."""
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


def settle_reminders(entries: list[ReminderEntry] | None) -> tuple[ReminderRule, ...]:
    """The reminder rules, each once (1 week and 7 days are the same)."""
    rules = [ReminderRule(before=entry.before, at=entry.at) for entry in entries or ()]
    return tuple({rule.key: rule for rule in rules}.values())


def settle_event(
    calendar: Calendar,
    reminders: tuple[ReminderRule, ...],
    slug: str,
    entry: EventEntry,
    uids: UidScheme,
    report: Report,
    warn: Warn,
) -> Event | None:
    """The event of an entry; `reminders` are the calendar's. None where there is none to make."""
    time_zone = entry.time_zone or calendar.time_zone
    ground = Ground(ZoneInfo(time_zone), report, warn)
    if entry.time_zone and (surprise := explain_abbreviation(entry.time_zone)):
        warn(("time_zone",), surprise)
    start = ground.moment(entry.start, ("start",))
    if start is None:
        return None
    if entry.reminders is not None:
        reminders = settle_reminders(entry.reminders)
    end = ground.end(start, entry.end, entry.duration)
    if end is None and not isinstance(start, datetime):
        end = start + timedelta(days=1)
    said = {
        name: _settle_value(value, calendar.language)
        for name, value in entry
        if name not in _SETTLED_APART and value is not None
    }
    return Event(
        calendar=calendar.slug,
        slug=slug,
        uid=entry.uid or uids.make([*calendar.formerly, calendar.slug][0], slug),
        start=start,
        end=end,
        time_zone=time_zone,
        language=calendar.language,
        busy=_settle_busy(entry, start, report),
        categories=tuple(dict.fromkeys(entry.categories or ())),
        reminders=reminders,
        repeat=_settle_repeat(entry, start, calendar.language, reminders, ground),
        **said,
    )


def _settle_value(value: object, language: str) -> object:
    """What a value of an entry is in its event: a text by language, or plain types."""
    if isinstance(value, dict):
        return by_language(value, language)
    if isinstance(value, list):
        return tuple(_settle_value(each, language) for each in value)
    return dict(value) if isinstance(value, Entry) else value


def _settle_busy(entry: EventEntry, start: date | datetime, report: Report) -> bool | None:
    """Whether an event blocks time; None where that goes without saying."""
    deadline = entry.kind is Kind.DEADLINE
    if entry.busy and deadline:
        report(("busy",), 'a deadline blocks no time; leave this away, or "kind: deadline"')
    usual = isinstance(start, datetime) and not deadline
    return None if entry.busy is usual else entry.busy


def _settle_repeat(
    entry: EventEntry,
    start: date | datetime,
    language: str,
    reminders: tuple[ReminderRule, ...],
    ground: Ground,
) -> Repeat | None:
    if entry.repeat is None:
        return None
    # Most files have no rule, and reading one needs dateutil's: 20 ms of a short command.
    from calfeed.definitions.recurrence.repeats import settle_repeat

    return settle_repeat(entry.repeat, start, language, reminders, ground)
