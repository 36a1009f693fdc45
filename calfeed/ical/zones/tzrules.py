"""Describe the history of a time zone as yearly rules for a VTIMEZONE (RFC 5545, 3.6.5).

The clock changes are found by sampling `zoneinfo` over the centuries, and yearly changes are
grouped into rules. So the rules and the instants of events come from the same data, whichever
release of tzdata is installed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calfeed.errors import InvalidInputError

BEGINNING = datetime(1840, 1, 1)  # noqa: DTZ001 (a wall time)
"""Before the first change of any zone, in 1844."""

HORIZON = 2120
"""The last year that is sampled. Zone data lists single changes up to 2087 at most, followed by an
endless rule. The years after that have a change on every date on which the rule can fall."""

_STEP = timedelta(days=6)
"""The sampling interval, shorter than any period between two changes (at least a week)."""

_SECOND, _ZERO = timedelta(seconds=1), timedelta()
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_ORDINALS = {1: 1, 8: 2, 15: 3, 22: 4, -6: -1}
"""The ordinals of BYDAY, by the day of the month on which the week begins."""


@dataclass(frozen=True)
class Onset:
    """One change of the UTC offset or of its abbreviation.

    `wall` is the naive local time by the offset before the change, as in DTSTART of an observance.
    `daylight` is True in summer time, even in a zone whose law calls it standard time (Ireland).
    """

    wall: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str
    daylight: bool

    @property
    def instant(self) -> datetime:
        """The moment of the change, in UTC."""
        return (self.wall - self.offset_from).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Observance:
    """A single onset, or several that one yearly rule describes, in order.

    `rule` holds the parts of the RRULE without its end; it is None for a single onset. An
    `endless` rule continues after the last onset.
    """

    onsets: tuple[Onset, ...]
    rule: Mapping[str, str | int | list[int]] | None = None
    endless: bool = False


class _Clock(NamedTuple):
    """The state of a zone's clock: UTC offset, abbreviation, and dst()."""

    offset: timedelta
    name: str
    shift: timedelta


@cache
def find_observances(time_zone: str) -> tuple[Observance, ...]:
    """Return the observances of an IANA zone, sorted by their first onsets.

    The first observance, at `BEGINNING`, is the state before any change. Raises InvalidInputError
    for an unknown zone.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInputError(
            f'"{time_zone}" is not a known time zone; write an IANA name such as "Asia/Karachi"'
        ) from error
    observances = [part for run in _gather(_list_onsets(zone)) for part in _describe(run)]
    return tuple(sorted(observances, key=lambda observance: observance.onsets[0].instant))


def _list_onsets(zone: ZoneInfo) -> Iterator[Onset]:
    """Yield the initial state, then every change up to the horizon."""
    instants = list(_find_changes(zone))
    clocks = [_read_clock(zone, instant) for instant in instants]
    yield Onset(BEGINNING, clocks[0].offset, clocks[0].offset, clocks[0].name, daylight=False)
    following = [*clocks[2:], clocks[-1]]
    triples = zip(clocks, clocks[1:], following, strict=False)
    for instant, (before, clock, after) in zip(instants[1:], triples, strict=True):
        # If winter time has a negative shift, the time between two winters is daylight time.
        summer = before.shift < _ZERO and after.shift < _ZERO and clock.shift == _ZERO
        wall = (instant + before.offset).replace(tzinfo=None)
        if wall.year <= HORIZON:
            daylight = summer or clock.shift > _ZERO
            yield Onset(wall, before.offset, clock.offset, clock.name, daylight)


def _read_clock(zone: ZoneInfo, instant: datetime) -> _Clock:
    local = instant.astimezone(zone)
    return _Clock(local.utcoffset() or _ZERO, local.tzname() or "", local.dst() or _ZERO)


def _find_changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield `BEGINNING`, then the instant of every change, in UTC."""

    def read(instant: datetime) -> tuple[object, ...]:
        local = instant.astimezone(zone)
        return local.utcoffset(), local.tzname(), local.dst()

    instant = BEGINNING.replace(tzinfo=UTC)
    yield instant
    shown = read(instant)
    # One year past the horizon, because a change is classified by the change after it.
    while instant.year <= HORIZON + 1:
        low, high = instant, instant + _STEP
        instant = high
        if read(high) == shown:
            continue
        while high - low > _SECOND:
            middle = low + (high - low) // 2 // _SECOND * _SECOND
            if read(middle) == shown:
                low = middle
            else:
                high = middle
        instant, shown = high, read(high)
        yield instant


@dataclass
class _Run:
    """Onsets of successive years, and the weeks of the year that contain all of them.

    A week is a month and its first day: (3, 8) for "the second Sunday in March", (11, -6) for "the
    last Sunday in October".
    """

    onsets: list[Onset]
    weeks: set[tuple[int, int]]


def _gather(onsets: Iterable[Onset]) -> list[_Run]:
    """Group the onsets that one yearly rule can describe."""
    runs: dict[tuple[object, ...], list[_Run]] = {}
    for onset in onsets:
        wall = onset.wall
        sort = (
            wall.weekday(),
            wall.time(),
            onset.offset_from,
            onset.offset_to,
            onset.name,
            onset.daylight,
        )
        weeks = _weeks_around(wall)
        alike = runs.setdefault(sort, [])
        for run in alike:
            if run.onsets[-1].wall.year == wall.year - 1 and run.weeks & weeks:
                run.onsets.append(onset)
                run.weeks &= weeks
                break
        else:
            alike.append(_Run([onset], weeks))
    return [run for alike in runs.values() for run in alike]


def _weeks_around(wall: datetime) -> set[tuple[int, int]]:
    """Return all weeks that contain a day."""
    day, length = wall.day, monthrange(wall.year, wall.month)[1]
    seen_from_month = {(wall.month, first) for first in range(day - 6, day + 1)}
    seen_from_next = {(wall.month + 1, first - length) for _, first in seen_from_month}
    return {week for week in seen_from_month | seen_from_next if week[1] >= -6}


def _describe(run: _Run) -> Iterator[Observance]:
    """Yield observances for exactly the onsets of a run.

    A rule consists of the weekday and the days of the month it can fall on. If these span two
    months ("the day after the last Thursday in October"), each month has its own rule, as no
    single RRULE that clients understand covers both.
    """
    endless = run.onsets[-1].wall.year == HORIZON
    weekday = _WEEKDAYS[run.onsets[0].wall.weekday()]
    ordinals = [_ORDINALS[first] for _, first in sorted(run.weeks) if first in _ORDINALS]
    months: dict[int, list[Onset]] = {}
    for onset in run.onsets:
        months.setdefault(onset.wall.month, []).append(onset)
    for month, onsets in months.items():
        if len(onsets) == 1:
            yield Observance(tuple(onsets))
            continue
        rule: dict[str, str | int | list[int]] = {"FREQ": "YEARLY", "BYMONTH": month}
        if ordinals:
            rule |= {"BYDAY": f"{ordinals[0]}{weekday}"}
        else:
            days = sorted({onset.wall.day for onset in onsets})
            rule |= {"BYDAY": weekday, "BYMONTHDAY": days}
        yield Observance(tuple(onsets), rule, endless)
