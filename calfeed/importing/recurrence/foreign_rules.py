"""Read recurrence rules (RFC 5545, 3.3.10) of other programs as calendar apps do."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar.prop import vRecur

from calfeed.importing.losses import LossReporter
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.dates.years import LAST_YEAR
from calfeed.model.recurrences import FREQUENCIES, Rule

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{4})\d{4}(?:T(\d{6})(Z)?)?", re.ASCII)
_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_BY_NUMBER = {"BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS", *_CLOCK}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_BY_NUMBER}
# Parts that only state the defaults of RFC 7529.
_EMPTY = {"RSCALE=GREGORIAN", "SKIP=OMIT"}


def normal_rule(value: str, start: date | datetime, zone: ZoneInfo, report: LossReporter) -> str:
    """Normalize the rule of an event that begins at `start`.

    Rules of all-day events lose times of day, and UNTIL becomes a date in `zone`. Changes of
    meaning are reported.
    """
    text = re.sub(r"\s", "", value).upper().removeprefix("RRULE:")
    written = [part for part in text.split(";") if part and part not in _EMPTY]
    parts = dict(part.partition("=")[::2] for part in written)
    if len(parts) < len(written):
        return text  # a part is listed twice, which is rejected later
    if not isinstance(start, datetime):
        parts = {name: each for name, each in parts.items() if name not in _CLOCK}
    if "UNTIL" in parts:
        parts["UNTIL"] = _normal_until(parts["UNTIL"], start, zone, report)
    parts = {name: each for name, each in parts.items() if name != "UNTIL" or each}
    if parts.get("FREQ") == "DAILY" and "BYMONTHDAY" in parts and parts.get("INTERVAL", "1") == "1":
        parts["FREQ"] = "MONTHLY"  # the same dates, but more apps support it
    if (
        parts.get("FREQ") == "YEARLY"
        and "BYMONTHDAY" in parts
        and not parts.keys() & {"BYMONTH", "BYWEEKNO", "BYYEARDAY"}
    ):
        parts["BYMONTH"] = str(start.month)
        report("RRULE", "is read as once a year, in the month of its start, as apps do", text)
    return ";".join(f"{name}={each}" if each else name for name, each in parts.items())


def _normal_until(value: str, start: date | datetime, zone: ZoneInfo, report: LossReporter) -> str:
    """Normalize UNTIL: a date for an all-day event, "" if it is after all supported years."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        return value
    if int(found[1]) > LAST_YEAR:
        return ""
    if isinstance(start, datetime) or not found[2]:
        return value
    # Midnight or the last second in UTC means the day itself in any zone.
    if not found[3] or found[2] in ("000000", "235959"):
        return value[:8]
    try:
        day = f"{datetime.fromisoformat(value).astimezone(zone):%Y%m%d}"
    except (ValueError, OverflowError):
        return value
    if day != value[:8]:
        report("RRULE", f"UNTIL is read as a day on the clocks of {zone.key}", f"{value} is {day}")
    return day


def parse_any_rule(text: str, start: date | datetime) -> Rule | None:
    """Parse a rule, even if definitions do not support it; None if it cannot be expanded."""
    try:
        parts = vRecur.from_ical(text)
        frequency = str(parts["FREQ"][0])
        if frequency not in FREQUENCIES or not parts.keys() <= _PARTS:
            return None
        days = [_DAY.fullmatch(str(each)) for each in parts.get("BYDAY", ())]
        rule = Rule(
            text=text,
            start=wall_time(start),
            frequency=frequency,
            interval=int(parts.get("INTERVAL", [1])[0]),
            count=int(parts["COUNT"][0]) if "COUNT" in parts else None,
            until=_until(parts["UNTIL"][0], start) if "UNTIL" in parts else None,
            week_start=_WEEKDAYS.index(str(parts.get("WKST", ["MO"])[0])),
            numbers={name: tuple(map(int, parts[name])) for name in parts if name in _BY_NUMBER},
            days=tuple(
                (int(day[1]) if day[1] else None, _WEEKDAYS.index(day[2])) for day in days if day
            ),
        )
        return rule if min(rule.interval, rule.count or 1) > 0 and rule.first_start() else None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError):
        return None


def _until(value: date, start: date | datetime) -> datetime:
    """Return UNTIL as an inclusive wall time; a date means the end of that day.

    If only UNTIL has a zone, a day is added, because wall times of two zones may differ by a day.
    """
    if not isinstance(value, datetime):
        return datetime.combine(value, time(23, 59, 59))
    if value.tzinfo is not None and isinstance(start, datetime):
        if start.tzinfo is None:
            return value.replace(tzinfo=None) + timedelta(days=1)
        value = value.astimezone(start.tzinfo)
    return value.replace(tzinfo=None)
