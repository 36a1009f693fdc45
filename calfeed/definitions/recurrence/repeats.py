"""Build the recurrence set of an event: rule, exclusions, additional dates and overrides."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.event_times import EventTimeReader
from calfeed.definitions.formats.times import ParsedMoment
from calfeed.definitions.keys.calendars import ChangeEntry, RepeatEntry
from calfeed.definitions.recurrence.app_compatibility import (
    accept_rule,
    explain_rdate_support,
    find_misreadings,
)
from calfeed.definitions.tree import Path
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.wall_times import moment_at, wall_time
from calfeed.model.events import Change, Repeat
from calfeed.model.recurrences import Rule
from calfeed.model.texts import by_language

_UTC = ZoneInfo("UTC")
_MAX_COMPARED_OCCURRENCES = 600
"""The maximum number of occurrences of a rule that are compared: 50 years of a monthly rule."""


def build_repeat(
    entry: RepeatEntry,
    start: date | datetime,
    language: str,
    reminders: tuple[ReminderRule, ...],
    reader: EventTimeReader,
) -> Repeat:
    """Build the recurrence set of an event that begins at `start`; report problems to `reader`.

    Excluded and overridden moments must be occurrences; all lists are sorted by time.
    """
    _check_ambiguous(start, ("start",), reader)
    rule = _read_rule(entry, start, reader)
    changes = entry.changes or {}
    also = _read_moments("also", enumerate(entry.also or ()), start, reader)
    exclude = _read_moments("except", enumerate(entry.except_ or ()), start, reader)
    originals = _read_moments("changes", ((key.text, key) for key in changes), start, reader)
    for moment, path in also.items():
        if moment < start:
            reader.report(path, "is before the event's start; make the earliest date the start")
    if also and (rule is not None or entry.rule is None):
        reader.warn(("repeat", "also"), explain_rdate_support(rule))
    if rule is not None or entry.rule is None:
        _check_occurrences(rule, start, also, exclude, originals, reader)
    _warn_of_alarms(start, rule, sorted(also), reminders, reader)
    by_text = {written.text: change for written, change in changes.items()}
    return Repeat(
        rule=rule.text if rule else None,
        exclude=tuple(sorted(exclude)),
        also=tuple(sorted(also)),
        changes=tuple(
            _build_override(original, by_text[str(path[-1])], language, path, reader)
            for original, path in sorted(originals.items())
        ),
    )


def _read_rule(entry: RepeatEntry, start: date | datetime, reader: EventTimeReader) -> Rule | None:
    if entry.rule is None:
        if not entry.also:
            reader.report(("repeat",), 'needs a "rule", or additional starts under "also"')
        return None
    try:
        rule = accept_rule(entry.rule, start)
    except ValueError as error:
        reader.report(("repeat", "rule"), error)
        return None
    for warning in find_misreadings(rule):
        reader.warn(("repeat", "rule"), warning)
    return rule


def _read_moments(
    key: str,
    written: Iterable[tuple[int | str, ParsedMoment]],
    start: date | datetime,
    reader: EventTimeReader,
) -> dict[date | datetime, Path]:
    """Return the valid moments with their paths; report invalid ones."""
    moments: dict[date | datetime, Path] = {}
    for place, parsed in written:
        path = ("repeat", key, place)
        moment = reader.read_moment(parsed, path, of_rule=key != "also")
        if moment is None or not reader.check_kind(moment, start, path):
            continue
        _check_ambiguous(moment, path, reader)
        if moment in moments:
            reader.report(path, "is listed twice; keep one")
        moments.setdefault(moment, path)
    return moments


def _check_ambiguous(moment: date | datetime, path: Path, reader: EventTimeReader) -> None:
    """Report the second instant of an ambiguous wall time, because a series uses the first."""
    if isinstance(moment, datetime) and moment.fold:
        first = moment.replace(fold=0).isoformat(" ", "minutes")
        reader.report(
            path,
            f"is the second {moment:%H:%M} of that day; a recurring event uses the first, "
            f"{first}, so make this a separate event",
        )


def _warn_of_alarms(
    start: date | datetime,
    rule: Rule | None,
    also: Iterable[date | datetime],
    reminders: Iterable[ReminderRule],
    reader: EventTimeReader,
) -> None:
    """Warn of reminders at varying distances: a series has one alarm for all occurrences."""
    # All other reminders have the same distance from every occurrence. Expanding a rule takes most
    # of the time of reading a definition, so it is avoided if possible.
    varying = [reminder for reminder in reminders if _may_vary(reminder, start)]
    if not varying:
        return
    walls = [wall_time(moment) for moment in ([*also] if rule else [start, *also])]
    if rule is not None:
        walls = [*islice(rule.walk(), _MAX_COMPARED_OCCURRENCES), *walls]
    for reminder in varying:
        if _has_date_arithmetic(reminder):
            # The distances are independent of the zone.
            spans = [wall - _wall_due(reminder, wall.replace(tzinfo=UTC), _UTC) for wall in walls]
        else:
            # Apps count from midnight in the zone of their user, on the wall clock.
            spans = [wall - _wall_due(reminder, wall.date(), reader.zone) for wall in walls]
        errors = [abs(span - spans[0]) for span in spans if span != spans[0]]
        if errors:
            largest = max(errors)
            shown = Duration(days=largest.days) if largest.days else _in_minutes(largest)
            reader.warn(
                ("reminders",),
                f'"{reminder}" is not at the same distance from every occurrence, but calendar '
                f"apps use one alarm for all: it is up to {shown} off for {len(errors)} of "
                f"{len(walls)} (webhooks are right); use days without a time of day instead",
            )


def _may_vary(reminder: ReminderRule, start: date | datetime) -> bool:
    from_midnight = bool(reminder.before.minutes) and not isinstance(start, datetime)
    return from_midnight or _has_date_arithmetic(reminder)


def _has_date_arithmetic(reminder: ReminderRule) -> bool:
    """Return whether the distance depends on the date: on the length of months or the hour."""
    return bool(reminder.before.months or reminder.at)


def _wall_due(reminder: ReminderRule, start: date | datetime, zone: ZoneInfo) -> datetime:
    return reminder.due(start, zone).replace(tzinfo=None)


def _in_minutes(span: timedelta) -> Duration:
    return Duration(minutes=span // timedelta(minutes=1))


def _check_occurrences(
    rule: Rule | None,
    start: date | datetime,
    also: dict[date | datetime, Path],
    exclude: dict[date | datetime, Path],
    originals: dict[date | datetime, Path],
    reader: EventTimeReader,
) -> None:
    """Report excluded or overridden moments that are not occurrences."""
    sought = [wall_time(moment) for moment in (*exclude, *originals)]
    if not sought:
        return
    starts = rule.starts(max(sought)) if rule else [wall_time(start)]
    known = {moment_at(wall, start) for wall in starts}
    for moment, path in exclude.items():
        if moment not in known:
            reader.report(path, f"is not an occurrence of the rule{_nearest(starts, moment)}")
    for moment, path in originals.items():
        if moment in exclude:
            reader.report(path, "is also excluded under except; keep one")
        elif moment not in known and moment not in also:
            reader.report(path, f"is not an occurrence of this event{_nearest(starts, moment)}")


def _nearest(starts: list[datetime], moment: date | datetime) -> str:
    """Return a hint with the last start before the moment."""
    place = bisect(starts, wall_time(moment))
    form = "%Y-%m-%d %H:%M" if isinstance(moment, datetime) else "%Y-%m-%d"
    return f"; the last before it is {starts[place - 1]:{form}}" if place else ""


def _build_override(
    original: date | datetime,
    entry: ChangeEntry,
    language: str,
    path: Path,
    reader: EventTimeReader,
) -> Change:
    if all(getattr(entry, name) is None for name in ChangeEntry.model_fields):
        reader.report(path, 'changes nothing; add a key, such as "status: cancelled"')
    place = (*path, "start")
    start = reader.read_moment(entry.start, place)
    if start is not None and not reader.check_kind(start, original, place):
        start = None
    return Change(
        original=original,
        start=start,
        end=reader.read_end(start or original, entry.end, entry.duration, path),
        summary=by_language(entry.summary, language),
        description=by_language(entry.description, language),
        location=by_language(entry.location, language),
        status=entry.status,
        url=entry.url,
    )
