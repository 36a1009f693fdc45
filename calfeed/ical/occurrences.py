"""Expand the recurrence set of an event over a window (RFC 5545, 3.8.5).

Rules are expanded on the wall clock of the event's zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from calfeed.definitions.recurrence.rules import read_rule
from calfeed.model.dates.wall_times import moment_at, wall_time
from calfeed.model.events import Change, Event, Repeat, Status, length_of
from calfeed.model.recurrences import Rule
from calfeed.model.values import Text, in_utc, start_of

Moment: TypeAlias = date | datetime


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of an event, with its overrides.

    `original` is its start by the rule (RECURRENCE-ID), None if the event does not recur. `start`
    and `end` (exclusive; None if it has no duration) are dates or aware datetimes in the event's
    zone; `begins` and `ends` are the same in UTC, with midnight in that zone for dates.
    """

    original: Moment | None
    start: Moment
    end: Moment | None
    begins: datetime
    ends: datetime
    summary: Text
    location: Text | None
    status: Status

    @property
    def id(self) -> str:
        """The occurrence's id within its event, "" if the event does not recur."""
        return "" if self.original is None else format_moment(self.original)

    @property
    def times(self) -> tuple[Moment, Moment | None]:
        """The start and end for comparison, as those of an event."""
        if isinstance(self.start, datetime):
            return self.begins, self.ends
        return self.start, self.end


def format_moment(moment: Moment) -> str:
    """Format a moment as in iCalendar: `20250630`, or in UTC `20250630T073000Z`."""
    # strftime is three times slower, and this runs for every occurrence.
    if not isinstance(moment, datetime):
        return f"{moment.year:04}{moment.month:02}{moment.day:02}"
    utc = moment.astimezone(UTC)
    clock = f"{utc.hour:02}{utc.minute:02}{utc.second:02}"
    return f"{utc.year:04}{utc.month:02}{utc.day:02}T{clock}Z"


def parse_moment(text: str) -> Moment:
    """Parse the output of `format_moment`."""
    if "T" not in text:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a day)
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _find_rule(rule: str, start: Moment, _time_zone: str) -> Rule:
    """Read the rule of an event.

    The zone is an argument because datetimes of different zones are equal, as keys of the cache, if
    they are the same instant.
    """
    return read_rule(rule, start)


def rule_until(event: Event, rule: str) -> Moment | None:
    """Return UNTIL in the form required by DTSTART: a date for all-day events, else UTC."""
    until = _find_rule(rule, event.start, event.time_zone).until
    if until is None:
        return None
    return until.date() if event.all_day else until.replace(tzinfo=event.zone).astimezone(UTC)


def expand(event: Event, after: datetime, before: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences with `after <= begins < before` (aware), sorted by start.

    Cancelled occurrences are included, with that status.
    """
    if event.repeat is None:
        occurrence = _make(event, None, event.start, None, length_of(event))
        if after <= occurrence.begins < before:
            yield occurrence
        return
    length = length_of(event)
    changes = {in_utc(change.original): change for change in event.repeat.changes}
    excluded = set(map(in_utc, event.repeat.exclude))
    found: dict[Moment, Occurrence] = {}
    for moment in _originals(event, after, before):
        instant = in_utc(moment)
        if instant not in excluded and instant not in changes:
            found[instant] = _make(event, moment, moment, None, length)
    for instant, change in changes.items():
        start = change.start or change.original
        found[instant] = _make(event, change.original, start, change, length)
    for _, occurrence in sorted(found.items(), key=lambda item: (item[1].begins, item[0])):
        if after <= occurrence.begins < before:
            yield occurrence


def find_times(event: Event, name: str) -> tuple[Moment, Moment | None] | None:
    """Return the start and end of an occurrence by its id, None if it does not take place."""
    repeat = event.repeat or Repeat()
    starts = [change.start for change in repeat.changes if format_moment(change.original) == name]
    begins = event.instant((starts[0] if starts else None) or parse_moment(name))
    for occurrence in expand(event, begins, begins + timedelta(seconds=1)):
        if occurrence.id == name and occurrence.status is not Status.CANCELLED:
            return occurrence.start, occurrence.end
    return None


def last_end(event: Event) -> datetime | None:
    """Return when the event's last occurrence ends (UTC), None for an endless series."""
    if event.repeat is None:
        return event.instant(event.end or event.start)
    rule = event.repeat.rule
    if rule and "COUNT=" not in rule.upper() and "UNTIL=" not in rule.upper():
        return None
    latest = datetime.max.replace(tzinfo=UTC) - timedelta(days=800)
    ends = [each.ends for each in expand(event, datetime(1, 1, 3, tzinfo=UTC), latest)]
    return max(ends, default=event.instant(event.end or event.start))


def _originals(event: Event, after: datetime, before: datetime) -> Iterator[Moment]:
    """Yield the starts by the rule and `also` within the window, before overrides."""
    repeat = event.repeat
    if repeat is None:
        return
    yield event.start
    yield from repeat.also
    if repeat.rule is None:
        return
    # The window is in UTC, the rule on a wall clock; two days cover any difference.
    margin = timedelta(days=2)
    first = max(after.replace(tzinfo=None) - margin, wall_time(event.start))
    last = before.replace(tzinfo=None) + margin
    rule = _find_rule(repeat.rule, event.start, event.time_zone)
    for wall in rule.walk(since=first).xafter(first, inc=True):
        if wall > last:
            break
        yield moment_at(wall, event.start)


def _make(
    event: Event,
    original: Moment | None,
    start: Moment,
    change: Change | None,
    length: timedelta,
) -> Occurrence:
    zone = event.zone
    begins = start_of(start, zone).astimezone(UTC)
    end = change.end if change is not None else None
    if end is not None:
        ends = start_of(end, zone).astimezone(UTC)
    elif event.end is None:
        ends = begins
    elif isinstance(start, datetime):
        ends = begins + length
        end = ends.astimezone(zone)
    else:
        end = start + length
        ends = start_of(end, zone).astimezone(UTC)
    status = (change.status if change else None) or event.status
    if event.status is Status.CANCELLED:
        status = Status.CANCELLED
    return Occurrence(
        original=original,
        start=start,
        end=end,
        begins=begins,
        ends=ends,
        summary=(change.summary if change else None) or event.summary,
        location=(change.location if change else None) or event.location,
        status=status,
    )
