"""Moments as people write them: a date, a wall time in the event's zone, an instant."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

from calfeed.definitions.texts import nearest, shortened

FIRST_YEAR, LAST_YEAR = 1900, 2200

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?: ?(?:(Z)|([+-])(\d\d):?(\d\d)))?)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d\d):(\d\d)", re.ASCII)
# Names that zone databases carry for their own purposes.
_NO_PLACES = re.compile(r"(posix|right)/.*|Factory|localtime|posixrules", re.IGNORECASE)
_FIXED_OFFSET = re.compile(r"(utc|gmt|z)?\s*[+-]?\d{1,2}(:?\d\d)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Written:
    """A moment as a file has it: a day, perhaps a time of day, perhaps an offset from UTC."""

    text: str
    day: date
    clock: time | None = None
    offset: timedelta | None = None

    def in_zone(self, zone: ZoneInfo) -> date | datetime:
        """The date, or the aware datetime in `zone`.

        Raises ValueError for a wall time that the clocks of the zone skip, and for one that comes
        twice and has no offset to tell which.
        """
        if self.clock is None:
            return self.day
        if self.offset is not None:
            fixed = datetime.combine(self.day, self.clock, timezone(self.offset))
            return fixed.astimezone(zone)
        moment = datetime.combine(self.day, self.clock, zone)
        other = moment.replace(fold=1)
        if moment.utcoffset() != other.utcoffset():
            raise ValueError(_explain_change(self.text, moment, other))
        return moment


def parse_moment(text: str) -> Written:
    """Read `2024-09-27`, `2024-09-27 10:30[:00]` (or with a T), with an offset or Z after it.

    Raises ValueError, with a message for the person who wrote it, for anything else, for a day or
    time that does not exist, and for years outside 1900 to 2200.
    """
    written = text.strip()
    found = _MOMENT.fullmatch(written)
    if found is None:
        raise ValueError(
            f'"{shortened(written)}" is not a date or time; write 2024-09-27, 2024-09-27 10:30, '
            "or 2024-09-27 10:30+05:00"
        )
    year, month, day = (int(part) for part in found.groups()[:3])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f'"{written}": the year must be from {FIRST_YEAR} to {LAST_YEAR}')
    if not 1 <= month <= 12:
        raise ValueError(f'"{written}" is not a date (the month comes second, from 01 to 12)')
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        name = calendar.month_name[month] + (f" {year}" if month == 2 else "")
        raise ValueError(f'"{written}" is not a date ({name} has {days} days)')
    if found[4] is None:
        return Written(text, date(year, month, day))
    clock = _check_clock(written, int(found[4]), int(found[5]), int(found[6] or 0))
    return Written(text, date(year, month, day), clock, _offset(written, found))


def parse_clock(text: str) -> time:
    """Read a time of day, "09:00"; raise ValueError for anything else."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{shortened(text)}" is not a time of day; write hours:minutes, as 09:00')
    return _check_clock(text, int(found[1]), int(found[2]), 0)


def parse_day(text: str) -> date:
    """Read a date, `2024-09-27`; raise ValueError for anything else."""
    written = parse_moment(text)
    if written.clock is not None:
        raise ValueError(f'"{text}" must be a date without a time, as {written.day}')
    return written.day


def check_zone(name: str) -> str:
    """Return the name of an IANA time zone; raise ValueError, with the nearest, if unknown."""
    text = name.strip()
    if not _NO_PLACES.fullmatch(text):
        try:
            return ZoneInfo(text).key
        except (ValueError, OSError, LookupError):
            pass
    if _FIXED_OFFSET.fullmatch(text):
        raise ValueError(
            f'"{text}" is a fixed offset, not a time zone; name the place, such as Asia/Karachi, '
            "so that its clock changes are known (or UTC)"
        )
    near = _nearest_zone(text)
    hint = f"did you mean {near}?" if near else "such as Asia/Karachi, America/New_York or UTC"
    raise ValueError(f'"{shortened(text)}" is not an IANA time zone; {hint}')


def _nearest_zone(text: str) -> str | None:
    """The zone whose name, or whose city, is nearest to the text."""
    zones = sorted(zone for zone in available_timezones() if not _NO_PLACES.fullmatch(zone))
    names = {zone.rpartition("/")[2].lower(): zone for zone in zones}
    names |= {zone.lower(): zone for zone in zones}
    near = nearest(text[:100].lower().replace(" ", "_"), names)
    return None if near is None else names[near]


def _check_clock(text: str, hour: int, minute: int, second: int) -> time:
    if hour == 24:
        raise ValueError(f'"{text}": hours go from 00 to 23; midnight is 00:00 of the day it opens')
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f'"{text}" has no such time of day; the last of a day is 23:59')
    return time(hour, minute, second)


def _offset(text: str, found: re.Match[str]) -> timedelta | None:
    if found[7]:
        return timedelta()
    if found[8] is None:
        return None
    offset = timedelta(hours=int(found[9]), minutes=int(found[10]))
    offset = -offset if found[8] == "-" else offset
    if int(found[10]) > 59 or not timedelta(hours=-12) <= offset <= timedelta(hours=14):
        raise ValueError(f'"{text}": an offset from UTC goes from -12:00 to +14:00')
    return offset


def _explain_change(text: str, first: datetime, second: datetime) -> str:
    """Say why a wall time is none or two: `first` and `second` are its readings, fold 0 and 1."""
    zone = first.tzinfo
    earlier, later = first.utcoffset() or timedelta(), second.utcoffset() or timedelta()
    if earlier > later:
        return (
            f'"{text}" comes twice in {zone}, where the clocks go back; write '
            f"{_with_offset(first)} for the first or {_with_offset(second)} for the second"
        )
    # Between the two readings lies the change itself; find its second.
    low, high = second.astimezone(UTC), first.astimezone(UTC)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (
            (low, middle) if middle.astimezone(zone).utcoffset() == later else (middle, high)
        )
    gap_start, gap_end = (high + earlier).time(), high.astimezone(zone)
    right = first.astimezone(UTC).astimezone(zone)
    return (
        f'"{text}" does not exist in {zone}: the clocks go forward from {gap_start:%H:%M} to '
        f"{gap_end:%H:%M}; write {right:%Y-%m-%d %H:%M}, or a time before the change"
    )


def _with_offset(moment: datetime) -> str:
    return moment.isoformat(" ", "minutes")
