"""Parse moments: a date, a wall time in the event's zone, or an instant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.dates import check_day, normalize, rewrite_clock, rewrite_moment
from calfeed.definitions.hints.moments import explain_clock, explain_moment, explain_range
from calfeed.errors import InvalidValueError
from calfeed.model.dates.wall_times import moment_at, wall_time
from calfeed.model.texts import shortened

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?: ?(?:(Z)|([+-])(\d\d):?(\d\d)))?)?",
    re.ASCII,
)
_RANGE_DASHES = "\u2012\u2013\u2014\u2015\u301c\u3030"
"""The figure, en, em, wave and wavy dash, and the horizontal bar."""
_CLOCK = re.compile(r"(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True)
class ParsedMoment:
    """A moment in a file: a day with an optional time of day and an optional UTC offset."""

    text: str
    day: date
    clock: time | None = None
    offset: timedelta | None = None

    def in_zone(self, zone: ZoneInfo, *, of_rule: bool = False) -> date | datetime:
        """Return the date, or the aware datetime in `zone`.

        Raises ValueError for a wall time in a gap, and for an ambiguous one without an offset. If
        the moment is `of_rule`, a wall time in a gap means the occurrence of a rule at that time.
        """
        if self.clock is None:
            return self.day
        if self.offset is not None:
            fixed = datetime.combine(self.day, self.clock, timezone(self.offset))
            return fixed.astimezone(zone)
        moment = datetime.combine(self.day, self.clock, zone)
        found = moment_at(wall_time(moment), moment)
        if of_rule and wall_time(found) != wall_time(moment):
            return found
        other = moment.replace(fold=1)
        if moment.utcoffset() != other.utcoffset():
            raise InvalidValueError(self.text, _explain_change(moment, other))
        return moment


def parse_moment(text: str, today: date | None = None) -> ParsedMoment:
    """Parse `2024-09-27` or `2024-09-27 10:30[:00]` (or with a T), optionally with an offset or Z.

    Other unambiguous forms are accepted too: `27 September 2024, 10:30 AM`, digits of any script.
    Raises ValueError for anything else, for a day or time that does not exist, and for years
    outside 1900 to 2200. Examples in messages are later than `today`.
    """
    written = text.strip()
    found = _MOMENT.fullmatch(written) or _MOMENT.fullmatch(rewrite_moment(text))
    if found is None or (found[8] == "-" and _ends_with_range(written)):
        raise InvalidValueError(shortened(text.strip()), explain_moment(text, today))
    year, month, day = (int(part) for part in found.groups()[:3])
    if month > 12 >= day:
        raise InvalidValueError(
            written,
            "is not a date (the month comes second, from 01 to 12); write "
            f"{year}-{day:02}-{month:02}{found[0][10:]}",
        )
    try:
        parsed = check_day(year, month, day)
    except ValueError as error:
        raise InvalidValueError(written, f"is not a date ({error})") from error
    if found[4] is None:
        return ParsedMoment(text, parsed)
    if found[4] == "24":
        raise InvalidValueError(
            written,
            "hours go from 00 to 23, and midnight is 00:00 of the day that it "
            f"begins; write {parsed + timedelta(days=1)} 00:00",
            separator=": ",
        )
    clock = _check_clock(written, int(found[4]), int(found[5]), int(found[6] or 0))
    return ParsedMoment(text, parsed, clock, _offset(written, found))


def parse_clock(text: str) -> time:
    """Parse a time of day, "09:00" or "9:00 AM"; raise ValueError for anything else."""
    found = _CLOCK.fullmatch(text.strip()) or _CLOCK.fullmatch(rewrite_clock(text))
    if found is None:
        raise InvalidValueError(shortened(text.strip()), explain_clock(text))
    return _check_clock(text, int(found[1]), int(found[2]), 0)


def parse_day(text: str, today: date | None = None) -> date:
    """Parse a date, `2024-09-27`; raise ValueError for anything else, as `parse_moment` does."""
    written = parse_moment(text, today)
    if written.clock is not None:
        raise InvalidValueError(text, f"must be a date without a time, as {written.day}")
    return written.day


def _check_clock(text: str, hour: int, minute: int, second: int) -> time:
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidValueError(text, "has no such time of day; the last of a day is 23:59")
    return time(hour, minute, second)


def _offset(text: str, found: re.Match[str]) -> timedelta | None:
    if found[7]:
        return timedelta()
    if found[8] is None:
        return None
    offset = timedelta(hours=int(found[9]), minutes=int(found[10]))
    offset = -offset if found[8] == "-" else offset
    if int(found[10]) > 59 or not timedelta(hours=-12) <= offset <= timedelta(hours=14):
        if hint := explain_range(normalize(text)):
            raise InvalidValueError(text, hint)
        limits = "an offset from UTC goes from -12:00 to +14:00"
        raise InvalidValueError(text, limits, separator=": ")
    return offset


def _ends_with_range(text: str) -> bool:
    """Return whether the last dash of a text is one that is written between two times.

    ISO 8601 has a hyphen or a minus sign before an offset.
    """
    dashes = [character for character in text if normalize(character) == "-"]
    return bool(dashes) and dashes[-1] in _RANGE_DASHES


def _explain_change(first: datetime, second: datetime) -> str:
    """Explain a wall time in a gap or an ambiguous one; the arguments have fold 0 and 1."""
    zone = first.tzinfo
    earlier, later = first.utcoffset() or timedelta(), second.utcoffset() or timedelta()
    if earlier > later:
        return (
            f"is ambiguous in {zone}, where the clocks go back; write "
            f"{_with_offset(first)} for the first or {_with_offset(second)} for the second"
        )
    # The clock change is between the two readings; find it by bisection.
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
        f"does not exist in {zone}: the clocks go forward from {gap_start:%H:%M} to "
        f"{gap_end:%H:%M}; write {right:%Y-%m-%d %H:%M}, or a time before the change"
    )


def _with_offset(moment: datetime) -> str:
    return moment.isoformat(" ", "minutes")
