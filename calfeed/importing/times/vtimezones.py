"""Read VTIMEZONEs (RFC 5545, 3.6.5) and compare them with IANA zones.

The number of clock changes is limited, because a hostile file can define an excessive number.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from calfeed.importing.components import Component, parse_value
from calfeed.importing.recurrence.foreign_rules import parse_any_rule
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR

MAX_CHANGES = 5_000
"""The maximum number of clock changes of one VTIMEZONE."""

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d):?(\d\d)?", re.ASCII)
_WEEK, _SECOND = timedelta(days=7), timedelta(seconds=1)
# Wall times, so none of them has a zone.
_FIRST = datetime(FIRST_YEAR, 1, 1, 12)  # noqa: DTZ001 (a wall time)
_LAST = datetime(LAST_YEAR + 1, 1, 1, 12)  # noqa: DTZ001 (a wall time)


@dataclass(frozen=True)
class Rules:
    """The UTC offsets of a zone: `offsets[i]` applies before the wall time `walls[i]`.

    There is one more offset than walls. An ambiguous wall time means the first instant, and a wall
    time in a gap has the offset before the gap (RFC 5545, 3.3.5).
    """

    walls: tuple[datetime, ...]
    offsets: tuple[timedelta, ...]

    def offset(self, wall: datetime) -> timedelta:
        """Return the UTC offset at a naive wall time."""
        return self.offsets[bisect_right(self.walls, wall)]

    def instant(self, wall: datetime) -> datetime:
        """Convert a naive wall time to UTC."""
        return (wall - self.offset(wall)).replace(tzinfo=UTC)


def read_rules(vtimezone: Component, first: int, last: int) -> Rules:
    """Read the rules of a VTIMEZONE for the years `first` to `last`.

    Raises ValueError if it is invalid or has more than `MAX_CHANGES`.
    """
    onsets: list[tuple[datetime, timedelta, bool]] = []
    for part in vtimezone.components:
        if part.name in ("STANDARD", "DAYLIGHT"):
            before, after = _offset(part, "TZOFFSETFROM"), _offset(part, "TZOFFSETTO")
            standard = part.name == "STANDARD"
            onsets += [(wall - before, after, standard) for wall in _onsets(part, first, last)]
            if len(onsets) > MAX_CHANGES:
                raise ValueError(f"it has more than {MAX_CHANGES:,} changes of its clocks")
    if not onsets:
        raise ValueError("it has neither STANDARD nor DAYLIGHT")
    onsets.sort()
    # The time before the first change is not defined; all apps assume standard time.
    offsets = [next((after for _, after, standard in onsets if standard), onsets[0][1])]
    walls: list[datetime] = []
    for instant, after, _ in onsets:
        wall = instant + max(offsets[-1], after)
        if walls and wall <= walls[-1]:
            offsets[-1] = after
        elif after != offsets[-1]:
            walls.append(wall)
            offsets.append(after)
    return Rules(tuple(walls), tuple(offsets))


def find_differences(
    rules: Rules, zone: ZoneInfo, first: datetime, last: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the spans (start, exclusive end) of wall times where a zone differs from the rules."""
    places = {first, *_inside(rules.walls, first, last), *_inside(_changes(zone), first, last)}
    spans = pairwise([*sorted(places), last + _SECOND])
    return [(a, b) for a, b in spans if rules.offset(a) != a.replace(tzinfo=zone).utcoffset()]


def _inside(walls: tuple[datetime, ...], first: datetime, last: datetime) -> Iterable[datetime]:
    return walls[bisect_right(walls, first) : bisect_right(walls, last)]


@lru_cache(maxsize=1024)
def _changes(zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the wall times at which a zone's offset changes."""

    def offset(wall: datetime) -> timedelta | None:
        return wall.replace(tzinfo=zone).utcoffset()

    changes: list[datetime] = []
    weeks = (_FIRST + _WEEK * week for week in range((_LAST - _FIRST) // _WEEK))
    for low, high in pairwise(weeks):
        if offset(low) == offset(high):
            continue
        after = offset(high)
        while high - low > _SECOND:
            middle = low + (high - low) // _SECOND // 2 * _SECOND
            low, high = (low, middle) if offset(middle) == after else (middle, high)
        changes.append(high)
    return tuple(changes)


def _onsets(part: Component, first: int, last: int) -> list[datetime]:
    """Return the wall times at which an observance begins, in the offset before it."""
    start = _wall(part.value("DTSTART"))
    walls = [start]
    for prop in part.all("RDATE"):
        walls += [_wall(each.partition("/")[0]) for each in prop.value.split(",")]
    for prop in part.all("RRULE"):
        rule = parse_any_rule(prop.value, start)
        if rule is None or rule.frequency not in ("YEARLY", "MONTHLY"):
            raise ValueError(f"its rule {prop.value.strip()[:60]} is not one that can be followed")
        # Start an endless yearly rule close to the relevant years. Its first year may be without an
        # onset, because the day of DTSTART may be after that of the rule; the year before `first`
        # decides which offset is in effect when `first` begins.
        endless = rule.count is None and rule.until is None and rule.interval == 1
        if endless and start.year < first - 2 and (start.month, start.day) != (2, 29):
            rule = replace(rule, start=start.replace(year=first - 2))
        walls += rule.starts(datetime(last + 1, 12, 31), MAX_CHANGES + 1)  # noqa: DTZ001 (a wall time)
    return walls


def _wall(text: str) -> datetime:
    value = parse_value(text)
    if not isinstance(value, date):
        raise ValueError(f'"{text[:40]}" is not the time of a change of clocks')
    return wall_time(value)


def _offset(part: Component, name: str) -> timedelta:
    found = _OFFSET.fullmatch(part.value(name))
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValueError(f"its {name} is not an offset from UTC")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return -offset if found[1] == "-" else offset
