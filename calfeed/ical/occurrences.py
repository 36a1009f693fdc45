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

from calfeed.definitions.recurrences import Rule, wall_time
from calfeed.definitions.rules import read_rule
from calfeed.definitions.values import Change, Event, Repeat, Status, Text, length_of, start_of

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
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{moment:%Y%m%d}"


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
        occurrence = _make(event, None, event.start, None)
        if after <= occurrence.begins < before:
            yield occurrence
        return
    changes = {format_moment(change.original): change for change in event.repeat.changes}
    excluded = {format_moment(moment) for moment in event.repeat.exclude}
    found: dict[str, Occurrence] = {}
    for moment in _originals(event, after, before):
        name = format_moment(moment)
        if name not in excluded and name not in changes:
            found[name] = _make(event, moment, moment, None)
    for name, change in changes.items():
        found[name] = _make(event, change.original, change.start or change.original, change)
    for occurrence in sorted(found.values(), key=lambda one: (one.begins, one.id)):
        if after <= occurrence.begins < before:
            yield occurrence


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
    for wall in (
        _find_rule(repeat.rule, event.start, event.time_zone).walk().xafter(first, inc=True)
    ):
        if wall > last:
            break
        if event.all_day:
            yield wall.date()
        else:
            # By way of UTC, so that a wall time in a gap becomes one that exists.
            yield wall.replace(tzinfo=event.zone).astimezone(UTC).astimezone(event.zone)


def _make(
    event: Event, original: Moment | None, start: Moment, change: Change | None
) -> Occurrence:
    end = change.end if change is not None else None
    if end is None and event.end is not None:
        length = length_of(event)
        if isinstance(start, datetime):
            end = (start.astimezone(UTC) + length).astimezone(event.zone)
        else:
            end = start + length
    begins = start_of(start, event.zone).astimezone(UTC)
    ends = start_of(end, event.zone).astimezone(UTC) if end is not None else begins
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
