"""The recurrence set of an event: its rule, and what is taken out, added and changed."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.moments import Ground
from calfeed.definitions.formats.times import Written
from calfeed.definitions.keys import ChangeEntry, RepeatEntry
from calfeed.definitions.recurrence.app_readings import accept_rule, find_misreadings, misread_dates
from calfeed.definitions.tree import Path
from calfeed.model.durations import Duration
from calfeed.model.events import Change, ReminderRule, Repeat
from calfeed.model.recurrences import Rule, wall_time
from calfeed.model.texts import by_language

_UTC = ZoneInfo("UTC")
_MOST_COMPARED = 600
"""How many occurrences of a rule are looked at: 50 years of months."""


def settle_repeat(
    entry: RepeatEntry,
    start: date | datetime,
    language: str,
    reminders: tuple[ReminderRule, ...],
    ground: Ground,
) -> Repeat:
    """The recurrence set of an event that begins at `start`; problems go to the ground's report.

    What is taken out or changed must be an occurrence; all lists come out in the order of time.
    """
    _check_twofold(start, ("start",), ground)
    rule = _read_rule(entry, start, ground)
    changes = entry.changes or {}
    also = _moments("also", enumerate(entry.also or ()), start, ground)
    exclude = _moments("except", enumerate(entry.except_ or ()), start, ground)
    originals = _moments("changes", ((each.text, each) for each in changes), start, ground)
    for moment, path in also.items():
        if moment < start:
            ground.report(path, "is before the event's start; the start comes first")
    if also and (rule is not None or entry.rule is None):
        ground.warn(("repeat", "also"), misread_dates(rule))
    if rule is not None or entry.rule is None:
        _check_occurrences(rule, start, also, exclude, originals, ground)
    _warn_of_alarms(start, rule, sorted(also), reminders, ground)
    by_text = {written.text: change for written, change in changes.items()}
    return Repeat(
        rule=rule.text if rule else None,
        exclude=tuple(sorted(exclude)),
        also=tuple(sorted(also)),
        changes=tuple(
            _settle_change(original, by_text[str(path[-1])], language, path, ground)
            for original, path in sorted(originals.items())
        ),
    )


def _read_rule(entry: RepeatEntry, start: date | datetime, ground: Ground) -> Rule | None:
    if entry.rule is None:
        if not entry.also:
            ground.report(("repeat",), 'needs a "rule", or further starts under "also"')
        return None
    try:
        rule = accept_rule(entry.rule, start)
    except ValueError as error:
        ground.report(("repeat", "rule"), error)
        return None
    for each in find_misreadings(rule):
        ground.warn(("repeat", "rule"), each)
    return rule


def _moments(
    key: str,
    written: Iterable[tuple[int | str, Written]],
    start: date | datetime,
    ground: Ground,
) -> dict[date | datetime, Path]:
    """The moments, each with where it is written; what is wrong is reported and left out."""
    moments: dict[date | datetime, Path] = {}
    for place, each in written:
        path = ("repeat", key, place)
        moment = ground.moment(each, path)
        if moment is None or not ground.same_kind(moment, start, path):
            continue
        _check_twofold(moment, path, ground)
        if moment in moments:
            ground.report(path, "is there twice; keep one")
        moments.setdefault(moment, path)
    return moments


def _check_twofold(moment: date | datetime, path: Path, ground: Ground) -> None:
    """Report the second of two readings of a wall time: a series takes place at the first."""
    if isinstance(moment, datetime) and moment.fold:
        first = moment.replace(fold=0).isoformat(" ", "minutes")
        ground.report(
            path,
            f"is the second {moment:%H:%M} of that day; an event that repeats takes place at the "
            f"first, {first}, so make this an event of its own",
        )


def _warn_of_alarms(
    start: date | datetime,
    rule: Rule | None,
    also: Iterable[date | datetime],
    reminders: Iterable[ReminderRule],
    ground: Ground,
) -> None:
    """Warn of reminders at other distances: in a feed a series has one alarm for all."""
    walls = [wall_time(moment) for moment in ([*also] if rule else [start, *also])]
    if rule is not None:
        walls = [*islice(rule.walk(), _MOST_COMPARED), *walls]
    for reminder in reminders:
        if reminder.before.months or reminder.at:
            # The distances are the same on any clock.
            spans = [wall - _wall_due(reminder, wall.replace(tzinfo=UTC), _UTC) for wall in walls]
        elif reminder.before.minutes and not isinstance(start, datetime):
            # A date begins at the reader's midnight, from which apps count on the wall clock.
            spans = [wall - _wall_due(reminder, wall.date(), ground.zone) for wall in walls]
        else:
            continue
        off = [abs(span - spans[0]) for span in spans if span != spans[0]]
        if off:
            far = Duration(days=max(off).days) if max(off).days else _in_minutes(max(off))
            ground.warn(
                ("reminders",),
                f'"{reminder}" is not the same distance for every occurrence, and calendar apps '
                f"have one alarm for all of them: for {len(off)} of {len(walls)} it is up to {far} "
                "off (messages are right); days without a time of day are the same for all",
            )


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
    ground: Ground,
) -> None:
    """Report what is taken out or changed and is no occurrence."""
    sought = [wall_time(moment) for moment in (*exclude, *originals)]
    if not sought:
        return
    starts = rule.starts(max(sought)) if rule else [wall_time(start)]
    known = set(starts)
    for moment, path in exclude.items():
        if wall_time(moment) not in known:
            ground.report(path, f"is not a start that the rule gives{_nearest(starts, moment)}")
    for moment, path in originals.items():
        if moment in exclude:
            ground.report(path, "is taken out under except as well; keep one")
        elif wall_time(moment) not in known and moment not in also:
            ground.report(path, f"is not an occurrence of this event{_nearest(starts, moment)}")


def _nearest(starts: list[datetime], moment: date | datetime) -> str:
    """A hint at the last start before the moment."""
    place = bisect(starts, wall_time(moment))
    form = "%Y-%m-%d %H:%M" if isinstance(moment, datetime) else "%Y-%m-%d"
    return f"; the last before it is {starts[place - 1]:{form}}" if place else ""


def _settle_change(
    original: date | datetime, entry: ChangeEntry, language: str, path: Path, ground: Ground
) -> Change:
    if all(getattr(entry, name) is None for name in ChangeEntry.model_fields):
        ground.report(path, 'says nothing that is different; write such as "status: cancelled"')
    place = (*path, "start")
    start = ground.moment(entry.start, place)
    if start is not None and not ground.same_kind(start, original, place):
        start = None
    return Change(
        original=original,
        start=start,
        end=ground.end(start or original, entry.end, entry.duration, path),
        summary=by_language(entry.summary, language),
        description=by_language(entry.description, language),
        location=by_language(entry.location, language),
        status=entry.status,
        url=entry.url,
    )
