"""The occurrences of an event: its recurrence set, expanded over a window (RFC 5545, 3.8.5).

A rule runs on the wall clock of the event's zone. A wall time that the clocks skip is read with
the offset before the gap, one that comes twice is the first of the two (RFC 5545, 3.3.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from calfeed.definitions.recurrence.rules import read_rule
from calfeed.model.events import Change, Event, Repeat, Status, Text, length_of, start_of
from calfeed.model.recurrences import Rule, wall_time

Moment: TypeAlias = date | datetime


@dataclass(frozen=True)
class Occurrence:
    """One time at which an event takes place, with what is its own.

    `original` is the start its rule gives it (RECURRENCE-ID), None for an event that does not
    recur. `start` and `end` (exclusive; None: no length) are dates or aware datetimes in the
    event's zone; `begins` and `ends` are the same as UTC, a date being midnight in that zone.
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
        """The occurrence's name within its event: empty where the event does not recur."""
        return "" if self.original is None else format_moment(self.original)


def format_moment(moment: Moment) -> str:
    """A moment as iCalendar writes it: `20250630`, or in UTC `20250630T073000Z`."""
    # strftime takes three times as long, and every occurrence of a series has a name.
    if not isinstance(moment, datetime):
        return f"{moment.year:04}{moment.month:02}{moment.day:02}"
    utc = moment.astimezone(UTC)
    clock = f"{utc.hour:02}{utc.minute:02}{utc.second:02}"
    return f"{utc.year:04}{utc.month:02}{utc.day:02}T{clock}Z"


def parse_moment(text: str) -> Moment:
    """The moment that `format_moment` wrote."""
    if "T" not in text:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a day)
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _find_rule(rule: str, start: Moment, _time_zone: str) -> Rule:
    """The rule of an event. The zone is named since equal instants of two zones are equal."""
    return read_rule(rule, start)


def rule_until(event: Event, rule: str) -> Moment | None:
    """UNTIL in the form that goes with DTSTART: a date for all-day events, else aware, in UTC."""
    until = _find_rule(rule, event.start, event.time_zone).until
    if until is None:
        return None
    return until.date() if event.all_day else until.replace(tzinfo=event.zone).astimezone(UTC)


def expand(event: Event, after: datetime, before: datetime) -> Iterator[Occurrence]:
    """The occurrences that begin in `after <= begins < before` (aware), in order of their start.

    Cancelled ones are among them, with that status.
    """
    if event.repeat is None:
        occurrence = _make(event, None, event.start, None, length_of(event))
        if after <= occurrence.begins < before:
            yield occurrence
        return
    length = length_of(event)
    changes = {_instant(change.original): change for change in event.repeat.changes}
    excluded = set(map(_instant, event.repeat.exclude))
    found: dict[Moment, Occurrence] = {}
    for moment in _originals(event, after, before):
        instant = _instant(moment)
        if instant not in excluded and instant not in changes:
            found[instant] = _make(event, moment, moment, None, length)
    for instant, change in changes.items():
        start = change.start or change.original
        found[instant] = _make(event, change.original, start, change, length)
    for _, occurrence in sorted(found.items(), key=lambda item: (item[1].begins, item[0])):
        if after <= occurrence.begins < before:
            yield occurrence


def _instant(moment: Moment) -> Moment:
    """A moment in a form that is the same for equal moments: in UTC, or a date."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def find_times(event: Event, name: str) -> tuple[Moment, Moment | None] | None:
    """The start and end of the occurrence with this id; None where it is none, or cancelled."""
    repeat = event.repeat or Repeat()
    starts = [change.start for change in repeat.changes if format_moment(change.original) == name]
    begins = event.instant((starts[0] if starts else None) or parse_moment(name))
    for occurrence in expand(event, begins, begins + timedelta(seconds=1)):
        if occurrence.id == name and occurrence.status is not Status.CANCELLED:
            return occurrence.start, occurrence.end
    return None


def last_end(event: Event) -> datetime | None:
    """When the event's last occurrence ends, in UTC; None where it never does."""
    if event.repeat is None:
        return event.instant(event.end or event.start)
    rule = event.repeat.rule
    if rule and "COUNT=" not in rule.upper() and "UNTIL=" not in rule.upper():
        return None
    far = datetime.max.replace(tzinfo=UTC) - timedelta(days=800)
    ends = [one.ends for one in expand(event, datetime(1, 1, 3, tzinfo=UTC), far)]
    return max(ends, default=event.instant(event.end or event.start))


def _originals(event: Event, after: datetime, before: datetime) -> Iterator[Moment]:
    """The starts that the rule and `also` give within the window, before any change."""
    repeat = event.repeat
    if repeat is None:
        return
    yield event.start
    yield from repeat.also
    if repeat.rule is None:
        return
    # Two days of room: the window is in UTC, the rule on a wall clock.
    room = timedelta(days=2)
    first = max(after.replace(tzinfo=None) - room, wall_time(event.start))
    last = before.replace(tzinfo=None) + room
    rule = _find_rule(repeat.rule, event.start, event.time_zone)
    zone = event.zone
    for wall in rule.walk(since=first).xafter(first, inc=True):
        if wall > last:
            break
        if event.all_day:
            yield wall.date()
        else:
            # By way of UTC, so that a wall time in a gap becomes one that exists.
            yield wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


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
