"""The clocks of a time zone as they were when an event was published, to be compared with later."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from calfeed.ical.zones.tzrules import Onset, find_observances
from calfeed.ical.zones.vtimezones import is_utc
from calfeed.model.events import Event, fingerprint

Clock: TypeAlias = tuple[tuple[int, int], ...]
"""From when on (seconds since 1970, UTC) which offset holds (seconds east of UTC), in order."""

_YEARS = 10
"""How far ahead they are known; what comes after is not compared."""

_LAST = datetime(2100, 1, 1, tzinfo=UTC)
"""Up to when a change of the rules makes a fingerprint another one."""


def is_bound(event: Event) -> bool:
    """Whether an event depends on its zone's rules beyond its own start and end."""
    return event.repeat is not None and not is_utc(event.time_zone)


def clock_of(event: Event, now: datetime) -> Clock:
    """The clock of an event's zone from `now` on; empty for one that takes place once."""
    return _read(event.time_zone, now.year) if is_bound(event) else ()


def is_shifted(moment: datetime, before: Clock, after: Clock) -> bool:
    """Whether a time of the wall clock that is at `moment` after is at another instant before.

    What either does not know is taken for the same.
    """
    offsets = [_find(clock, moment) for clock in (before, after)]
    return None not in offsets and offsets[0] != offsets[1]


def full_fingerprint(event: Event) -> str:
    """The fingerprint of an event, with the rules of its zone where its occurrences need them."""
    plain = fingerprint(event)
    if not is_bound(event):
        return plain
    rules = _write(event.time_zone, event.start.year)
    return hashlib.sha256(f"{plain}\n{rules}".encode()).hexdigest()


def _find(clock: Clock, moment: datetime) -> int | None:
    seconds = int(moment.timestamp())
    place = bisect_right(clock, (seconds, 100_000)) - 1
    horizon = clock[0][0] + _YEARS * 366 * 86_400 if clock else 0
    return clock[place][1] if place >= 0 and seconds < horizon else None


@lru_cache(maxsize=1024)
def _read(time_zone: str, year: int) -> Clock:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    return tuple(_select(time_zone, begin, begin + timedelta(days=_YEARS * 366)))


@lru_cache(maxsize=1024)
def _write(time_zone: str, year: int) -> str:
    begin = datetime(year, 1, 1, tzinfo=UTC)
    return ",".join(f"{at}{offset:+}" for at, offset in _select(time_zone, begin, _LAST))


def _select(time_zone: str, begin: datetime, end: datetime) -> Iterable[tuple[int, int]]:
    """The offset at `begin`, and those that follow before `end`."""
    onsets: list[Onset] = sorted(
        (onset for each in find_observances(time_zone) for onset in each.onsets),
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
