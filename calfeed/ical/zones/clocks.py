"""The UTC offsets of a zone at the time of publishing, to detect new zone rules later."""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from calfeed.ical.zones.tzrules import Onset, find_observances
from calfeed.ical.zones.vtimezones import is_utc
from calfeed.model.dates.holiday_library import find_working_days
from calfeed.model.dates.working_days import WorkingDayRules
from calfeed.model.events import Event, fingerprint

Clock: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs of a Unix time (seconds) and the UTC offset (seconds) from then on, in order."""

_HORIZON_YEARS = 10
"""How far ahead offsets are recorded and compared."""

_HORIZON_END = datetime(2100, 1, 1, tzinfo=UTC)
"""The end of the zone rules that are part of a fingerprint."""


def depends_on_zone_rules(event: Event) -> bool:
    """Return whether an event depends on its zone's rules beyond its start and end."""
    return event.repeat is not None and not is_utc(event.time_zone)


def clock_of(event: Event, now: datetime) -> Clock:
    """Return the clock of an event's zone from `now` on; empty for a single event."""
    return _read_clock(event.time_zone, now.year) if depends_on_zone_rules(event) else ()


def is_shifted(moment: datetime, before: Clock, after: Clock) -> bool:
    """Return whether the offset at `moment` differs; False if a clock does not reach that far."""
    offsets = [_offset_at(clock, moment) for clock in (before, after)]
    return None not in offsets and offsets[0] != offsets[1]


def full_fingerprint(event: Event) -> str:
    """Return a fingerprint of an event and of the data that it depends on.

    This data is the rules of its zone, if it recurs, and the working days that its reminders count.
    """
    plain = fingerprint(event)
    if event.working_days is not None:
        days = _write_closed_days(event.working_days.model_dump_json(), event.start.year)
        plain = hashlib.sha256(f"{plain}\n{days}".encode()).hexdigest()
    if not depends_on_zone_rules(event):
        return plain
    rules = _write_rules(event.time_zone, event.start.year)
    return hashlib.sha256(f"{plain}\n{rules}".encode()).hexdigest()


@lru_cache(maxsize=256)
def _write_closed_days(rules: str, year: int) -> str:
    """Return a digit for each day of ten years from `year - 1` on: 1 for working days, else 0."""
    working_days = find_working_days(WorkingDayRules.model_validate_json(rules))
    first = date(year - 1, 1, 1)
    days = (first + timedelta(days=number) for number in range(_HORIZON_YEARS * 366))
    known = itertools.takewhile(lambda day: day.year < _HORIZON_END.year, days)
    return "".join("01"[working_days.find_reason(day) is None] for day in known)


def _offset_at(clock: Clock, moment: datetime) -> int | None:
    seconds = int(moment.timestamp())
    place = bisect_right(clock, (seconds, 100_000)) - 1
    horizon = clock[0][0] + _HORIZON_YEARS * 366 * 86_400 if clock else 0
    return clock[place][1] if place >= 0 and seconds < horizon else None


@lru_cache(maxsize=1024)
def _read_clock(time_zone: str, year: int) -> Clock:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    return tuple(_select(time_zone, begin, begin + timedelta(days=_HORIZON_YEARS * 366)))


@lru_cache(maxsize=1024)
def _write_rules(time_zone: str, year: int) -> str:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    return ",".join(f"{at}{offset:+}" for at, offset in _select(time_zone, begin, _HORIZON_END))


def _select(time_zone: str, begin: datetime, end: datetime) -> Iterable[tuple[int, int]]:
    """Yield the offset at `begin`, and the following ones before `end`."""
    observances = find_observances(time_zone)
    onsets: list[Onset] = sorted(
        (onset for observance in observances for onset in observance.onsets),
        key=lambda onset: onset.instant,
    )
    past = [onset for onset in onsets if onset.instant <= begin]
    yield int(begin.timestamp()), _seconds((past[-1] if past else onsets[0]).offset_to)
    for before, onset in zip([None, *onsets], onsets, strict=False):
        changes = before is None or before.offset_to != onset.offset_to
        if begin < onset.instant < end and changes:
            yield int(onset.instant.timestamp()), _seconds(onset.offset_to)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
