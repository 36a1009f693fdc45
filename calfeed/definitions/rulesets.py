"""The dates on which an imported event takes place, by its RRULE, EXRULE and RDATE.

RFC 5545 allows what a definition does not: several rules, rules of exceptions (EXRULE, RFC 2445),
a start that is none of its rule's dates. Where such a set ends, its dates are written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from icalendar.prop import vRecur

from calfeed.definitions.components import Component, Report
from calfeed.definitions.dates import LAST_YEAR
from calfeed.definitions.keys import MOST_EXCEPTIONS
from calfeed.definitions.recurrences import FREQUENCIES, Rule, wall_time
from calfeed.definitions.rules import read_rule
from calfeed.definitions.stamps import Moment

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UTC = re.compile(r"(?<=^UNTIL=)\d{8}T\d{6}Z")
_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
_BY_NUMBER = {"BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS", *_CLOCK}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_BY_NUMBER}
_FAR = datetime(LAST_YEAR, 12, 31)  # noqa: DTZ001 (a wall time)


@dataclass
class DateSet:
    """A start, a rule or none, and `others`: the dates that no rule gives."""

    start: Moment
    rule: Rule | None = None
    others: set[Moment] = field(default_factory=set)

    def dates_until(self, last: datetime) -> set[Moment]:
        """All dates of the set, those of the rule up to a wall time."""
        return {self.start, *self.others} | (_dates(self.rule, last, self.start))


def find_dates(
    event: Component, start: Moment, zone: ZoneInfo, rdates: set[Moment], report: Report
) -> DateSet:
    """The dates of an event that begins at `start` in `zone`, before any is taken out.

    What a definition cannot say is said in another way or left out, and reported.
    """
    rules, refused = (_rules(event, name, start, zone) for name in ("RRULE", "EXRULE"))
    if not rules:
        if refused:
            report("EXRULE", "is not kept: there is no rule from which it takes dates")
        return on_dates({start, *rdates})
    reason = "calfeed takes one rule, and none of exceptions"
    if len(rules) == 1 and not refused:
        try:
            rule = read_rule(rules[0], start)
        except ValueError as error:
            reason = str(error)
        else:
            if all(each >= start for each in rdates):
                return _by_rule(start, rule, rdates)
            reason = "RDATE has a date before the start"
    dates = _write_out(rules, refused, start)
    if dates is not None and len(dates | rdates) <= MOST_EXCEPTIONS:
        report("RRULE", f"{reason}; written out instead, as {_counted(len(dates))}")
        return on_dates(dates | rdates)
    moved = _move_start(rules, refused, start)
    if moved is not None:
        moved.others = {each for each in rdates if each > moved.start}
        lost = sorted({start, *rdates} - moved.others - {moved.start})
        report("RRULE", f"{reason}; the event begins there, without {', '.join(map(str, lost))}")
        return moved
    report("RRULE", f"{reason}; the rule is not kept")
    return on_dates({start, *rdates})


def _by_rule(start: Moment, rule: Rule, rdates: set[Moment]) -> DateSet:
    last = max(map(wall_time, rdates), default=rule.start)
    return DateSet(start, rule, rdates - {start} - _dates(rule, last, start))


def _counted(dates: int) -> str:
    return "one date" if dates == 1 else f"{dates} dates"


def on_dates(dates: Iterable[Moment]) -> DateSet:
    """The set of these dates and no rule; there must be one."""
    first, *others = sorted(dates)
    return DateSet(first, None, set(others))


def _rules(event: Component, name: str, start: Moment, zone: ZoneInfo) -> list[str]:
    return [text for prop in event.all(name) if (text := _normal(prop.value, start, zone))]


def _normal(value: str, start: Moment, zone: ZoneInfo) -> str:
    """A rule in capitals; for an all-day event without times of day, which mean nothing there."""

    def last_day(found: re.Match[str]) -> str:
        until = datetime.fromisoformat(found[0]).astimezone(zone)
        return f"{until:%Y%m%d}"

    parts = [part for part in re.sub(r"\s", "", value).upper().split(";") if part]
    if not isinstance(start, datetime):
        parts = [part for part in parts if part.partition("=")[0] not in _CLOCK]
        try:
            parts = [_UTC.sub(last_day, part) for part in parts]
        except (ValueError, OverflowError):
            return ";".join(parts)
        parts = [re.sub(r"^(UNTIL=\d{8})T.*", r"\1", part) for part in parts]
    return ";".join(parts)


def _dates(rule: Rule | None, last: datetime, like: Moment) -> set[Moment]:
    return {_moment_at(wall, like) for wall in rule.starts(last)} if rule else set()


def _moment_at(wall: datetime, like: Moment) -> Moment:
    """A wall time as a moment of the same kind and in the same zone as another."""
    if not isinstance(like, datetime):
        return wall.date()
    return wall.replace(tzinfo=like.tzinfo).astimezone(UTC).astimezone(like.tzinfo)


def _write_out(rules: list[str], refused: list[str], start: Moment) -> set[Moment] | None:
    """All dates that rules give, if there is an end to them."""
    dates = {start}
    for rule in [_parse(text, start) for text in rules]:
        if rule is None or (rule.count is None and rule.until is None):
            return None
        dates |= _dates(rule, _FAR, start)
    for rule in [_parse(text, start) for text in refused]:
        if rule is None:
            return None
        dates -= _dates(rule, max(map(wall_time, dates), default=_FAR), start)
    return dates or None


def _move_start(rules: list[str], refused: list[str], start: Moment) -> DateSet | None:
    """The set that begins with the first date of a rule, where `start` is none of its dates."""
    if len(rules) != 1 or refused:
        return None
    rule = _parse(rules[0], start)
    first = rule.first_start() if rule is not None and rule.count is None else None
    if first is None:
        return None
    moment = _moment_at(first, start)
    try:
        return DateSet(moment, read_rule(rules[0], moment))
    except ValueError:
        return None


def _parse(text: str, start: Moment) -> Rule | None:
    """A rule as it is, whether or not calfeed takes it; None where it cannot be walked."""
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


def _until(value: date, start: Moment) -> datetime:
    """The last wall time that UNTIL leaves, the end of the day where it is a date."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(23, 59, 59))
    if value.tzinfo is not None and isinstance(start, datetime):
        value = value.astimezone(start.tzinfo)
    return value.replace(tzinfo=None)
