"""Random dates that are counted from each other, and what they are by a plain recursion.

Nothing here uses calfeed's own counting: the definitions are texts, and `Naive` reads the same
values and counts day by day.
"""

from __future__ import annotations

import calendar
import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from calfeed.model.dates.working_days import Holiday
from tests.definitions.counted import write_calendar

DAY = timedelta(days=1)
CALENDARS = {"court": ("GB-ENG", (5, 6)), "desk": ("PK", (4, 5))}
"""The region of each calendar's holidays, and its weekend, which is the region's here."""


@dataclass(frozen=True)
class Release:
    """Made-up holidays, of which another release has others."""

    number: int

    @property
    def release(self) -> str:
        return f"release {self.number}"

    def find_holiday(self, region: str, day: date) -> Holiday | None:
        mixed = day.toordinal() * 7919 + self.number * 104_729 + len(region) * 31
        return Holiday({"en": f"Holiday {mixed % 7}"}, mixed % 2 == 0) if mixed % 17 == 0 else None

    def is_weekend(self, region: str, day: date) -> bool:
        return day.weekday() in dict(CALENDARS.values())[region]

    def is_closed(self, region: str, day: date) -> bool:
        return self.is_weekend(region, day) or self.find_holiday(region, day) is not None


@dataclass(frozen=True)
class Rule:
    """A distance: `unit` is "days", "months", "working" or the number of a weekday."""

    cause: str
    direction: int
    unit: str | int
    count: int = 0
    clear: bool = False
    roll: int = 0

    @property
    def text(self) -> str:
        side = "after" if self.direction > 0 else "before"
        if isinstance(self.unit, int):
            return f"{calendar.day_name[self.unit]} {side} {self.cause}"
        words = {"days": "days", "months": "months", "working": "working days"}[self.unit]
        return f"{self.count} {'clear ' if self.clear else ''}{words} {side} {self.cause}"

    def count_from(self, day: date, region: str, holidays: Release) -> date:
        day = self._count(day, region, holidays)
        while self.roll and holidays.is_closed(region, day):
            day += self.roll * DAY
        return day

    def _count(self, day: date, region: str, holidays: Release) -> date:
        step, left = self.direction * DAY, self.count + self.clear
        if isinstance(self.unit, int):
            day += step
            while day.weekday() != self.unit:
                day += step
            return day
        if self.unit == "months":
            month = day.year * 12 + day.month - 1 + self.direction * self.count
            year, number = month // 12, month % 12 + 1
            return date(year, number, min(day.day, calendar.monthrange(year, number)[1]))
        while left:
            day += step
            left -= self.unit == "days" or not holidays.is_closed(region, day)
        return day


@dataclass(frozen=True)
class Entry:
    """An event: a literal (its text and days), postponed if it has neither, or a rule."""

    text: str = "postponed"
    days: tuple[date, date] | None = None
    postponed: bool = False
    rule: Rule | None = None
    cancelled: bool = False
    title: int = 0


@dataclass(frozen=True)
class Graph:
    """Events by `calendar/slug`, each counted from one that comes earlier, if from any."""

    entries: dict[str, Entry]

    @cached_property
    def files(self) -> dict[str, bytes]:
        lines: dict[str, list[str]] = {name: [] for name in CALENDARS}
        # The order of the files is not that of the causes.
        for name, entry in sorted(self.entries.items(), key=lambda item: hash_of(item[0])):
            owner, _, slug = name.partition("/")
            start = entry.rule.text if entry.rule else entry.text
            roll = entry.rule.roll if entry.rule else 0
            keys = [f"summary: T{entry.title}", f"start: {start}"]
            keys += ["roll: next" if roll > 0 else "roll: previous"] if roll else []
            keys += ["status: cancelled"] if entry.cancelled else []
            lines[owner].append(f"{slug}: {{{', '.join(keys)}}}")
        return {
            owner: write_calendar("\n".join(found), f"working_days: {{holidays: [{region}]}}")
            for (owner, found), (region, _) in zip(lines.items(), CALENDARS.values(), strict=True)
            if found
        }


class Naive:
    """The dates of a graph, each computed from nothing."""

    def __init__(self, graph: Graph, holidays: Release) -> None:
        self._graph = graph
        self._holidays = holidays

    def find_days(self, name: str) -> tuple[date, date] | None:
        """The earliest and latest day of an event, None if it has no date that stands."""
        entry = self._graph.entries[name]
        if entry.rule is None:
            return None if entry.postponed else entry.days
        if self._graph.entries[entry.rule.cause].cancelled:
            return None
        days = self.find_days(entry.rule.cause)
        if days is None:
            return None
        region = CALENDARS[name.partition("/")[0]][0]
        first, last = (entry.rule.count_from(day, region, self._holidays) for day in days)
        return min(first, last), max(first, last)

    def find_why(self, name: str) -> str | None:
        """Why an event has no date: "postponed", "waiting"; None if it has one."""
        if self.find_days(name) is not None:
            return None
        return "postponed" if self._graph.entries[name].rule is None else "waiting"


def hash_of(text: str) -> int:
    return random.Random(text).randrange(1 << 30)


def make_entry(chance: random.Random, earlier: list[str]) -> Entry:
    """A random event, which may be counted from one of the `earlier`."""
    cancelled, title = chance.random() < 0.05, chance.randrange(3)
    if earlier and chance.random() < 0.75:
        rule = make_rule(chance, chance.choice(earlier[-20:]))
        return Entry(rule=rule, cancelled=cancelled, title=title)
    day = date(2030, 1, 1) + chance.randrange(700) * DAY
    last = day + chance.randrange(1, 60) * DAY
    month_end = date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
    text, days, postponed = chance.choice(
        [
            (f"{day}", (day, day), False),
            (f"{day} 10:30", (day, day), False),
            (f"{day} time to be confirmed", (day, day), False),
            (f"{day}..{last}", (day, last), False),
            (f"{day:%Y-%m}", (day.replace(day=1), month_end), False),
            (f"{day.year}", (date(day.year, 1, 1), date(day.year, 12, 31)), False),
            ("postponed", None, True),
            (f"postponed from {day}", (day, day), True),
        ]
    )
    return Entry(text, days, postponed, cancelled=cancelled, title=title)


def make_rule(chance: random.Random, cause: str) -> Rule:
    direction, roll = chance.choice((1, -1)), chance.choice((0, 0, 1, -1))
    unit: str | int = chance.choice(("days", "months", "working", chance.randrange(7)))
    if unit == "months":
        return Rule(cause, direction, unit, chance.randrange(1, 4), roll=roll)
    if isinstance(unit, int):
        return Rule(cause, direction, unit, roll=roll)
    return Rule(cause, direction, unit, chance.randrange(1, 25), chance.random() < 0.3, roll)


def make_graph(chance: random.Random, size: int) -> Graph:
    names = [f"{chance.choice(list(CALENDARS))}/e{number}" for number in range(size)]
    return Graph({name: make_entry(chance, names[:number]) for number, name in enumerate(names)})


def edit_graph(chance: random.Random, graph: Graph) -> Graph:
    """Change some events, mostly those that others are counted from."""
    entries = dict(graph.entries)
    names = list(entries)
    for _ in range(chance.randrange(1, 5)):
        number = min(chance.randrange(len(names)), chance.randrange(len(names)))
        name = names[number]
        if chance.random() < 0.2:
            old = entries[name]
            entries[name] = replace(old, cancelled=not old.cancelled)
        else:
            entries[name] = make_entry(chance, names[:number])
    return Graph(entries)
