"""Series that begin before the first year of a definition: birthdays since 1601, founding days."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from calfeed.importing.components import Component, name_event, parse_value
from calfeed.importing.losses import Losses
from calfeed.importing.recurrence.foreign_rules import normal_rule, parse_any_rule
from calfeed.model.recurrences import MOST_WALKED, Rule, wall_time
from calfeed.model.years import FIRST_YEAR

_FIRST = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 (a wall time)
_STEPS = {"DAILY": 24, "WEEKLY": 24 * 7, "HOURLY": 1}
"""How many hours a step of a rule is, where all are alike."""


def begin_in_range(event: Component, losses: Losses) -> Component:
    """The event, or one that begins with the first date that its rule gives from 1900 on.

    All dates from there on are the same. An event without one stays as it is.
    """
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
    report = losses.of(name_event(event))
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
    return event.replaced(values)


def _first_in_range(rule: Rule) -> tuple[datetime, int] | None:
    """The first date from 1900 on, and how many the rule gives before it if it counts them."""
    if rule.count is None and rule.frequency in _STEPS:
        step = timedelta(hours=_STEPS[rule.frequency] * rule.interval)
        rule = replace(rule, start=rule.start + (_FIRST - rule.start) // step * step)
    dates = enumerate(islice(rule.walk(), MOST_WALKED))
    return next(((wall, passed) for passed, wall in dates if wall >= _FIRST), None)


def _with_count(text: str, count: int | None, passed: int) -> str:
    if count is None:
        return text
    return re.sub(r"(?<=COUNT=)\d+", str(count - passed), text)


def _shifted(value: str, distance: timedelta) -> str:
    """A date or time that much later, written as it was; as it stands where it is neither."""
    try:
        moment = parse_value(value)
        if isinstance(moment, datetime):
            return f"{moment + distance:%Y%m%dT%H%M%S}" + ("Z" if moment.tzinfo else "")
        return f"{moment + distance:%Y%m%d}" if isinstance(moment, date) else value
    except (ValueError, OverflowError):
        return value
