"""Parse and validate recurrence rules (RFC 5545, 3.3.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from calfeed.definitions.formats.times import parse_moment
from calfeed.definitions.hints.rules import explain_rule
from calfeed.errors import InvalidValueError
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.recurrences import FREQUENCIES, Rule
from calfeed.model.texts import join_words, nearest, shortened

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# The allowed numbers of a part: minimum, maximum, and whether they may be negative.
_RANGES = {
    "INTERVAL": (1, 1000, False),
    "COUNT": (1, 10_000, False),
    "BYMONTH": (1, 12, False),
    "BYWEEKNO": (1, 53, True),
    "BYYEARDAY": (1, 366, True),
    "BYMONTHDAY": (1, 31, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
_PARTS = ("FREQ", "UNTIL", "BYDAY", "WKST", *_RANGES)
_SINGLE = ("INTERVAL", "COUNT", "BYMINUTE", "BYSECOND")
# The parts allowed with each frequency: RFC 5545, 3.3.10, without ambiguous combinations.
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_CLOCK = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
_ALLOWED = {
    "YEARLY": frozenset(_PARTS),
    "MONTHLY": _ALWAYS | _CLOCK | {"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"},
    "WEEKLY": _ALWAYS | _CLOCK | {"BYMONTH", "BYDAY"},
    "DAILY": _ALWAYS | _CLOCK | {"BYMONTH", "BYMONTHDAY", "BYDAY"},
    "HOURLY": _ALWAYS | {"BYHOUR", "BYDAY"},
}
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", re.ASCII)


def read_rule(text: str, start: date | datetime) -> Rule:
    """Parse the recurrence rule of an event that begins at `start`.

    Raises ValueError for what RFC 5545 forbids, for anything more frequent than hourly, and if
    `start` is not an occurrence.
    """
    if "=" not in text:
        raise InvalidValueError(shortened(text.strip()), explain_rule(text))
    parts = _split(text)
    frequency = parts.get("FREQ", "")
    if frequency in ("MINUTELY", "SECONDLY"):
        raise ValueError(f"FREQ={frequency} is not supported; the most frequent is HOURLY")
    if frequency not in FREQUENCIES:
        hint = f"a frequency; write FREQ= with {join_words(FREQUENCIES)}"
        if not frequency:
            raise ValueError(f"needs {hint}")
        raise InvalidValueError(shortened(frequency), f"is not {hint}")
    timed = isinstance(start, datetime)
    numbers = {name: _numbers(name, parts[name]) for name in _RANGES if name in parts}
    days = tuple(_day(item) for item in parts["BYDAY"].split(",")) if "BYDAY" in parts else ()
    _check_parts(parts, timed)
    _check_days(frequency, numbers, days)
    zone = start.tzinfo if isinstance(start, datetime) else None
    wall = wall_time(start)
    week_start = parts.get("WKST", "MO")
    if week_start not in _WEEKDAYS:
        raise ValueError(f'WKST: "{week_start}" is not a weekday; write {join_words(_WEEKDAYS)}')
    rule = Rule(
        text=";".join(f"{name}={value}" for name, value in parts.items()),
        start=wall,
        frequency=frequency,
        interval=numbers.get("INTERVAL", (1,))[0],
        count=numbers["COUNT"][0] if "COUNT" in parts else None,
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        week_start=_WEEKDAYS.index(week_start),
        numbers=numbers,
        days=days,
    )
    if rule.until is not None and rule.until < wall:
        raise ValueError(f"UNTIL={parts['UNTIL']} is before the start; the rule has no dates")
    first = rule.first_start()
    if first != wall:
        shown = "%Y-%m-%d %H:%M" if timed else "%Y-%m-%d"
        hint = f"the first is {first:{shown}}" if first else "it has none in the coming years"
        raise ValueError(f"the start {wall:{shown}} is not one of the rule's dates; {hint}")
    return rule


def _split(text: str) -> dict[str, str]:
    """Return the parts by name, in upper case, FREQ first."""
    parts: dict[str, str] = {}
    for part in re.sub(r"\s", "", text).upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidValueError(
                shortened(part),
                "is not a part of a rule; write NAME=value, such as FREQ=YEARLY;COUNT=5",
            )
        if name not in _PARTS:
            near = nearest(name, _PARTS)
            hint = f"did you mean {near}?" if near else f"the parts are {join_words(_PARTS)}"
            raise ValueError(f'there is no part "{shortened(name)}"; {hint}')
        if name in parts:
            raise ValueError(f"{name} is listed twice; keep one")
        parts[name] = value
    return dict(sorted(parts.items(), key=lambda item: item[0] != "FREQ"))


def _numbers(name: str, value: str) -> tuple[int, ...]:
    least, most, signed = _RANGES[name]
    items = value.split(",")
    if len(items) > 1 and name in _SINGLE:
        dense = " (a list would be more frequent than hourly)" if name in _CLOCK else ""
        raise ValueError(f"{name} takes one number{dense}")
    numbers = []
    for item in items:
        number = int(item) if _NUMBER.fullmatch(item) else None
        if number is None or not least <= (abs(number) if signed else number) <= most:
            below = f" or -{most} to -{least}" if signed else ""
            raise ValueError(f'{name}: "{shortened(item)}" must be from {least} to {most}{below}')
        numbers.append(number)
    return tuple(sorted(set(numbers)))


def _day(item: str) -> tuple[int | None, int]:
    found = _DAY.fullmatch(item)
    if found is None or (found[1] and not 1 <= abs(int(found[1])) <= 53):
        raise ValueError(
            f'BYDAY: "{shortened(item)}" is not a weekday; write {join_words(_WEEKDAYS)}, with a '
            "number before it if needed: 1MO (the first), -1FR (the last)"
        )
    return (int(found[1]) if found[1] else None), _WEEKDAYS.index(found[2])


def _until(value: str, zone: tzinfo | None) -> datetime:
    """Return UNTIL as an inclusive wall time; a date means the end of that day."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise ValueError(
            f'UNTIL: "{shortened(value)}" must be written as 20261231 or 20261231T180000Z'
        )
    if found[4] and zone is None:
        raise ValueError(f"UNTIL: the event is all day, so write the last day, UNTIL={value[:8]}")
    day = f"{found[1]}-{found[2]}-{found[3]}"
    clock = f" {found[4]}:{found[5]}:{found[6]}" if found[4] else " 23:59:59"
    written = parse_moment(f"{day}{clock}{found[7] or ''}")
    if written.offset is None or not isinstance(zone, ZoneInfo):
        return datetime.combine(written.day, written.clock or time())
    return wall_time(written.in_zone(zone))


def _check_parts(parts: Mapping[str, str], timed: bool) -> None:
    """Check that the parts can be combined."""
    frequency = parts["FREQ"]
    for name in parts:
        if name not in _ALLOWED[frequency]:
            allowed_with = join_words(freq for freq, names in _ALLOWED.items() if name in names)
            raise ValueError(
                f"{name} cannot be combined with FREQ={frequency}, only with {allowed_with}"
            )
        if name in _CLOCK and not timed:
            raise ValueError(f"{name} is for events with a time of day; this one is all day")
    if frequency == "HOURLY" and not timed:
        raise ValueError("FREQ=HOURLY is for events with a time of day; this one is all day")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL cannot both end a rule; keep one")
    by = {name for name in parts if name.startswith("BY")}
    if "BYSETPOS" in by and (by == {"BYSETPOS"} or by & _CLOCK):
        raise ValueError("BYSETPOS needs another part that selects days, such as BYDAY")
    if "BYWEEKNO" in by and "BYDAY" not in by:
        raise ValueError("BYWEEKNO needs the weekday as well, such as BYDAY=MO")


def _check_days(
    frequency: str,
    numbers: Mapping[str, tuple[int, ...]],
    days: tuple[tuple[int | None, int], ...],
) -> None:
    """Check the ordinals of weekdays against the period of the rule."""
    counted = [abs(nth) for nth, _ in days if nth is not None]
    if not counted:
        return
    if frequency not in ("YEARLY", "MONTHLY") or "BYWEEKNO" in numbers:
        where = "BYWEEKNO" if "BYWEEKNO" in numbers else f"FREQ={frequency}"
        raise ValueError(f"BYDAY cannot have numbers (as in 1MO) with {where}")
    if max(counted) > 5 and (frequency == "MONTHLY" or "BYMONTH" in numbers):
        raise ValueError("BYDAY: a month has at most five of each weekday, so write 1 to 5")
