"""Move the start of series that begin before the first supported year, such as birthdays."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from calfeed.importing.components import Component, name_event, parse_value
from calfeed.importing.losses import Losses
from calfeed.importing.recurrence.foreign_rules import normal_rule, parse_any_rule
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.dates.years import FIRST_YEAR
from calfeed.model.recurrences import MAX_OCCURRENCES_WALKED, Rule

_FIRST_WALL_TIME = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 (a wall time)
_STEP_HOURS = {"DAILY": 24, "WEEKLY": 24 * 7, "HOURLY": 1}
"""The length of a rule's step in hours, for frequencies with equal steps."""


def begin_in_range(event: Component, losses: Losses) -> Component:
    """Return the event, starting with its first occurrence from 1900 on if it begins earlier."""
    begin = event.first("DTSTART")
    if begin is None or not begin.value.strip()[:4] < str(FIRST_YEAR) or not event.all("RRULE"):
        return event
    try:
        start = parse_value(begin.value)
    except ValueError:
        return event
    if not isinstance(start, date) or len(event.all("RRULE")) > 1:
        return event
    start = start.replace(tzinfo=None) if isinstance(start, datetime) else start
    written = event.first("RRULE")
    report = losses.reporter(name_event(event))
    text = normal_rule(written.value if written else "", start, ZoneInfo("UTC"), report)
    rule = parse_any_rule(text, start)
    found = _first_in_range(rule) if rule else None
    if rule is None or found is None:
        return event
    first, passed = found
    report(
        "DTSTART",
        f"is before {FIRST_YEAR}; the event begins with its first date from then on",
        f"{begin.value.strip()} becomes {first:%Y-%m-%d}",
    )
    values = {"RRULE": _with_count(text, rule.count, passed)}
    for name in ("DTSTART", "DTEND"):
        if prop := event.first(name):
            values[name] = _shifted(prop.value, first - wall_time(start))
    return event.with_values(values)


def _first_in_range(rule: Rule) -> tuple[datetime, int] | None:
    """Return the first occurrence from 1900 on, and how many a rule with COUNT has before it."""
    if rule.count is None and rule.frequency in _STEP_HOURS:
        step = timedelta(hours=_STEP_HOURS[rule.frequency] * rule.interval)
        rule = replace(rule, start=rule.start + (_FIRST_WALL_TIME - rule.start) // step * step)
    dates = enumerate(islice(rule.walk(), MAX_OCCURRENCES_WALKED))
    return next(((wall, passed) for passed, wall in dates if wall >= _FIRST_WALL_TIME), None)


def _with_count(text: str, count: int | None, passed: int) -> str:
    if count is None:
        return text
    return re.sub(r"(?<=COUNT=)\d+", str(count - passed), text)


def _shifted(value: str, distance: timedelta) -> str:
    """Shift a date or time, keeping its format; return other values unchanged."""
    try:
        moment = parse_value(value)
        if isinstance(moment, datetime):
            return f"{moment + distance:%Y%m%dT%H%M%S}" + ("Z" if moment.tzinfo else "")
        return f"{moment + distance:%Y%m%d}" if isinstance(moment, date) else value
    except (ValueError, OverflowError):
        return value
