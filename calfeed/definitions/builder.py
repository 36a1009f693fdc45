"""Build calendars and events from the entries of definition files.

Events inherit the zone, language and reminders of their calendar; ends become exclusive, and
durations become ends.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.definitions.drafts import NO_WORKING_DAYS, Draft, check_reminders
from calfeed.definitions.formats.event_times import EventTimeReader, Report, Warn
from calfeed.definitions.formats.starts import PostponedDate, RelativeDate, UncertainDate
from calfeed.definitions.formats.times import ParsedMoment
from calfeed.definitions.formats.zone_names import explain_abbreviation
from calfeed.definitions.keys.calendars import CalendarFile, EventEntry
from calfeed.definitions.keys.dates import CorrectionEntry, ReminderEntry, WorkingDaysEntry
from calfeed.definitions.keys.entries import Entry
from calfeed.model.dates.dating import Correction, Done
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.working_days import Closure, WorkingDayRules
from calfeed.model.events import Calendar, Event, Kind, Repeat, Visibility
from calfeed.model.texts import by_language
from calfeed.model.uids import UidScheme
from calfeed.model.values import start_of

_SEPARATE_KEYS = {
    *("uid", "start", "end", "duration", "time_zone", "busy", "categories", "reminders", "repeat"),
    *("at", "roll", "embargo", "done", "correction"),
}
"""The keys of an event whose values depend on other keys or on the calendar."""

_ONLY_COUNTED = "is only for a date that is counted from another event"


def build_calendar(
    slug: str, entry: CalendarFile, working_days: WorkingDayRules | None = None
) -> Calendar:
    """Build a calendar without its events.

    `working_days` are those of the folder, for a calendar that defines none.
    """
    own = entry.working_days
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
        working_days=build_working_days(own, entry.language) if own else working_days,
    )


def build_working_days(entry: WorkingDaysEntry, language: str) -> WorkingDayRules:
    """Build the rules of working days; their order in the file does not matter."""
    closures = sorted(entry.closed or (), key=lambda closure: closure.date)
    return WorkingDayRules(
        holidays=tuple(sorted(set(entry.holidays or ()))),
        weekend=None if entry.weekend is None else tuple(sorted(set(entry.weekend))),
        closed=tuple(
            Closure(date=closure.date, title=by_language(closure.title, language) or {})
            for closure in closures
        ),
        open=tuple(sorted(set(entry.open or ()))),
    )


def build_reminders(entries: list[ReminderEntry] | None) -> tuple[ReminderRule, ...]:
    """Build the reminder rules without duplicates (1 week and 7 days are the same)."""
    rules = [
        ReminderRule(
            before=entry.before.before,
            at=entry.at or entry.before.at,
            working=entry.before.working,
            of_end=entry.before.of_end,
        )
        for entry in entries or ()
    ]
    return tuple({rule.key: rule for rule in rules}.values())


def build_event(
    calendar: Calendar,
    reminders: tuple[ReminderRule, ...],
    slug: str,
    entry: EventEntry,
    uids: UidScheme,
    report: Report,
    warn: Warn,
) -> Event | Draft | None:
    """Build an event, or a draft of it if its date is not in its definition.

    Returns None if its start is invalid. `reminders` are the calendar's rules.
    """
    time_zone = entry.time_zone or calendar.time_zone
    reader = EventTimeReader(ZoneInfo(time_zone), report, warn)
    if entry.time_zone and (surprise := explain_abbreviation(entry.time_zone)):
        warn(("time_zone",), surprise)
    if entry.reminders is not None:
        reminders = build_reminders(entry.reminders)
    fields = {
        name: _build_value(value, calendar.language)
        for name, value in entry
        if name not in _SEPARATE_KEYS and value is not None
    }
    fields |= {
        "calendar": calendar.slug,
        "slug": slug,
        "uid": entry.uid or uids.make([*calendar.formerly, calendar.slug][0], slug),
        "time_zone": time_zone,
        "language": calendar.language,
        "categories": tuple(dict.fromkeys(entry.categories or ())),
        "reminders": reminders,
        "done": Done(as_=entry.done.as_, date=entry.done.date) if entry.done else None,
        "correction": _build_correction(entry.correction, reader),
        "working_days": _select_working_days(calendar, reminders, entry, report),
    }
    start = entry.start
    _check_keys_of_start(entry, report)
    if isinstance(start, PostponedDate | RelativeDate):
        fields["busy"] = _busy_override(entry, timed=entry.at is not None, report=report)
        return Draft(fields, start, reader, entry.at, entry.duration, entry.roll)
    if isinstance(start, UncertainDate):
        end = start.span.latest + timedelta(days=1)
        busy = _busy_override(entry, timed=False, report=report)
        precision = start.span.precision
        event = Event(**fields, start=start.span.earliest, end=end, precision=precision, busy=busy)
        check_reminders(event, report)
        return event
    moment = reader.read_moment(start, ("start",))
    if moment is None:
        return None
    ends = reader.read_end(moment, entry.end, entry.duration)
    timed = isinstance(moment, datetime)
    if ends is None and not isinstance(moment, datetime):
        ends = moment + timedelta(days=1)
    event = Event(
        **fields,
        start=moment,
        end=ends,
        busy=_busy_override(entry, timed=timed, report=report),
        repeat=_build_repeat(entry, moment, calendar.language, reminders, reader),
    )
    check_reminders(event, report)
    return event


def read_embargo(entry: EventEntry, time_zone: str, report: Report, warn: Warn) -> datetime | None:
    """Return the moment (in the zone) at which an embargo ends, None without an embargo.

    A day without a time begins at midnight.
    """
    zone = ZoneInfo(time_zone)
    moment = EventTimeReader(zone, report, warn).read_moment(entry.embargo, ("embargo",))
    return None if moment is None else start_of(moment, zone)


def _check_keys_of_start(entry: EventEntry, report: Report) -> None:
    """Report keys that the kind of start does not allow."""
    start = entry.start
    relative = isinstance(start, RelativeDate)
    if entry.at is not None and not relative:
        day = start.day if isinstance(start, ParsedMoment) and start.clock is None else None
        hint = f'write "start: {day} {entry.at:%H:%M}"' if day else "remove it"
        report(("at",), f"{_ONLY_COUNTED}; {hint}")
    if entry.roll is not None and not relative:
        report(("roll",), f"{_ONLY_COUNTED}; remove it")
    if entry.done is not None and entry.repeat is not None:
        report(("done",), "would end the reminders of all occurrences; end the repetition instead")
    if isinstance(start, ParsedMoment):
        return
    if entry.repeat is not None:
        report(("repeat",), "needs a start that is a day or a time; write one, or remove this key")
    if entry.end is not None:
        hint = "write a duration" if relative else "remove it until the date is known"
        report(("end",), f"cannot be combined with such a start; {hint}")
    if entry.duration is not None and not relative:
        report(("duration",), "cannot be combined with such a start; remove it until it is known")


def _build_correction(entry: CorrectionEntry | None, reader: EventTimeReader) -> Correction | None:
    if entry is None:
        return None
    was = entry.was
    if isinstance(was, UncertainDate):
        span = was.span
        return Correction(was=span.earliest, latest=span.latest, precision=span.precision)
    moment = reader.read_moment(was, ("correction", "was"))
    return None if moment is None else Correction(was=moment)


def _select_working_days(
    calendar: Calendar, reminders: tuple[ReminderRule, ...], entry: EventEntry, report: Report
) -> WorkingDayRules | None:
    """Return the calendar's working days if a reminder needs them."""
    if not any(rule.working for rule in reminders):
        return None
    if calendar.working_days is None:
        place = ("reminders",) if entry.reminders is not None else ()
        report(place, NO_WORKING_DAYS)
    return calendar.working_days


def _build_value(value: object, language: str) -> object:
    """Convert a value of an entry to the type that it has in `Event`.

    That is a map of languages, a tuple, or a plain value.
    """
    if isinstance(value, dict):
        return by_language(value, language)
    if isinstance(value, list):
        return tuple(_build_value(item, language) for item in value)
    return dict(value) if isinstance(value, Entry) else value


def _busy_override(entry: EventEntry, *, timed: bool, report: Report) -> bool | None:
    """Return whether an event blocks time, or None if it is the default for this kind of event."""
    deadline = entry.kind is Kind.DEADLINE
    if entry.busy and deadline:
        report(("busy",), 'a deadline blocks no time; remove this key, or "kind: deadline"')
    default = timed and not deadline
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
