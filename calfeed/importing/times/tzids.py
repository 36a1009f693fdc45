"""The time zones of a foreign calendar: from its TZIDs to IANA zones (RFC 5545, 3.2.19, 3.6.5).

A zone stands for a TZID only if it agrees with the calendar's own definition (VTIMEZONE) at all
times of all events, as far as they recur. Names decide where several do.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.errors import InvalidInputError
from calfeed.importing.components import Component
from calfeed.importing.losses import Losses
from calfeed.importing.recurrence.foreign_rules import normal_rule, parse_any_rule
from calfeed.importing.times.foreign_zones import (
    find_iana_zone,
    find_offset,
    find_windows_zone,
    fixed_zone,
    is_place,
    zones_by_population,
)
from calfeed.importing.times.vtimezones import Rules, find_differences, read_rules
from calfeed.model.recurrences import Rule, Steps
from calfeed.model.years import FIRST_YEAR, LAST_YEAR

_MOST_ZONES = 100
_WALL = re.compile(r"\d{8}T\d{6}(?!Z)", re.ASCII)
_LONGEST_DIFFERENCE = timedelta(days=1)
_DATED = ("DTSTART", "DTEND", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True)
class Use:
    """A wall time that stands beside a TZID, and the rule by which it comes again."""

    wall: datetime
    rule: Rule | None = None

    @property
    def last(self) -> datetime:
        """A wall time that no occurrence comes after."""
        if self.rule is None:
            return self.wall
        return self.rule.until or datetime(LAST_YEAR, 12, 31)  # noqa: DTZ001 (a wall time)


@dataclass
class Known:
    """What a TZID stands for: a zone; else `rules`, if the file or the name gives any.

    `why` says why it is no zone, or how the zone was found.
    """

    zone: ZoneInfo | None = None
    rules: Rules | None = None
    why: str = ""


class Zones:
    """The zones of a calendar's `vevents`, by their TZIDs; `vtimezones` are its definitions.

    Raises InvalidInputError where looking at them would never end.
    """

    def __init__(
        self, vtimezones: Iterable[Component], vevents: Iterable[Component], steps: Steps
    ) -> None:
        self._defined: dict[str, list[Component]] = defaultdict(list)
        for each in vtimezones:
            self._defined[_name_of(each)].append(each)
        self._steps = steps
        self._uses: dict[str, list[Use]] = defaultdict(list)
        for event in vevents:
            for tzid, use in _find_uses(event):
                self._uses[tzid].append(use)
        if len(self._uses) > _MOST_ZONES:
            raise InvalidInputError(f"the file has more than {_MOST_ZONES} time zones (TZID)")
        self._known: dict[str, Known] = {}

    def find(self, tzid: str) -> Known:
        """What a TZID stands for at all times that are beside it."""
        name = _clean(tzid)
        if name not in self._known:
            self._known[name] = self._identify(name, self._uses[name])
        return self._known[name]

    def find_for(self, tzid: str, series: Iterable[Component]) -> ZoneInfo | None:
        """The zone that a TZID stands for in one series, where there is none for all events."""
        name, rules = _clean(tzid), self.find(tzid).rules
        uses = [use for each in series for tzid, use in _find_uses(each) if tzid == name]
        if rules is None or not uses:
            return None
        return self._fixed(rules, uses) or self._same(rules, uses, all_year=False)

    def remarks(self) -> Iterator[tuple[str, str]]:
        """The TZIDs that are not what they seem, and how each is read."""
        for name, known in self._known.items():
            if known.zone is not None and known.why:
                yield name, known.why

    def _identify(self, name: str, uses: Sequence[Use]) -> Known:
        components, offset = self._defined.get(name, []), find_offset(name)
        locations = (find_iana_zone(_location(each)) for each in components)
        place = find_iana_zone(name) or next(filter(None, locations), None)
        named = place or find_windows_zone(name)
        why = "is no time zone that is known"
        if components:
            try:
                rules = self._read(components, uses)
            except ValueError as error:
                why = f"is defined in a way that cannot be used, as {error}"
            else:
                return self._agree(rules, uses, place if place and is_place(place) else None, named)
        if named is None and offset is not None:
            return self._agree(Rules((), (offset,)), uses, None, fixed_zone(offset))
        if named is not None and components:
            return Known(named, None, f"{why}; {named.key} is used")
        return Known(named, None, "" if named else why)

    def _agree(
        self, rules: Rules, uses: Sequence[Use], place: ZoneInfo | None, named: ZoneInfo | None
    ) -> Known:
        """What agrees with the rules; `place` is what the TZID says by itself, `named` suggests."""
        if named is not None and self._meet(rules, named, uses) is None:
            return Known(named)
        if place is not None and (met := self._meet(rules, place, uses)):
            why = f"is defined otherwise than it is, as at {met:%Y-%m-%d %H:%M}"
            return Known(place, rules, f"{why}; {place.key} is used")
        if zone := self._same(rules, uses):
            return Known(zone, rules, f"is taken for {zone.key}, which has the same rules")
        if zone := self._fixed(rules, uses):
            return Known(zone, rules, f"has rules that no place has; its times are in {zone.key}")
        return Known(None, rules, "has rules that no time zone has")

    def _read(self, components: Sequence[Component], uses: Sequence[Use]) -> Rules:
        """The rules of all definitions of a TZID; ValueError where there are several."""
        years = [*(use.wall.year for use in uses), *(use.last.year for use in uses)] or [2000]
        rules, *others = [read_rules(each, min(years), max(years)) for each in components]
        self._steps.take(len(rules.walls) * len(components))
        if any(each != rules for each in others):
            raise ValueError("there are several definitions, with different rules")
        return rules

    def _same(self, rules: Rules, uses: Sequence[Use], *, all_year: bool = True) -> ZoneInfo | None:
        """The most populous zone that agrees: at all times of the uses, or `all_year` beside."""
        first, last = _span(uses)
        if all_year:
            first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
        walls = [use.wall for use in uses[:20]]
        if all_year:  # what differs in a month of the first or the last year need not be looked at
            walls += [
                datetime(day.year, month, 1, 12)  # noqa: DTZ001 (a wall time)
                for day in (first, last)
                for month in range(1, 13)
            ]
        for key in zones_by_population():
            zone = ZoneInfo(key)
            if any(rules.offset(wall) != wall.replace(tzinfo=zone).utcoffset() for wall in walls):
                continue
            spans = find_differences(rules, zone, first, last)
            long = any(end - start > _LONGEST_DIFFERENCE for start, end in spans)
            if not (all_year and long) and self._meet(rules, zone, uses) is None:
                return zone
        return None

    def _fixed(self, rules: Rules, uses: Sequence[Use]) -> ZoneInfo | None:
        """The zone that never changes its clocks and agrees at all times of the uses."""
        zone = fixed_zone(rules.offset(uses[0].wall)) if uses else None
        return zone if zone and self._meet(rules, zone, uses) is None else None

    def _meet(self, rules: Rules, zone: ZoneInfo, uses: Sequence[Use]) -> datetime | None:
        """The first wall time of a use at which a zone differs from the rules."""
        if not uses:
            return None
        spans = find_differences(rules, zone, *_span(uses))
        ends = [end for _, end in spans]
        for use in uses if spans else ():
            for wall in self._walls(use, spans):
                place = bisect_right(ends, wall)
                if place < len(spans) and spans[place][0] <= wall:
                    return wall
        return None

    def _walls(self, use: Use, spans: Sequence[tuple[datetime, datetime]]) -> list[datetime]:
        """The wall times of a use, as far as the last span that lies in its time."""
        within = [end for start, end in spans if start <= use.last and use.wall < end]
        if use.rule is None or not within:
            return [use.wall]
        walls = use.rule.starts(min(use.last, within[-1]))
        self._steps.take(len(walls))
        return walls


def _span(uses: Sequence[Use]) -> tuple[datetime, datetime]:
    return min(use.wall for use in uses), max(use.last for use in uses)


def _find_uses(event: Component) -> Iterator[tuple[str, Use]]:
    """The wall times of an event that stand beside TZIDs, with the rules they come again by."""
    for prop in event.properties:
        if prop.name not in _DATED or "TZID" not in prop.params:
            continue
        name = _clean(prop.params["TZID"])
        for text in prop.value.split(","):
            found = _WALL.match(text.strip().upper())
            try:
                wall = datetime.fromisoformat(found[0]) if found else None
            except ValueError:
                continue
            if wall is None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
                continue
            yield name, Use(wall)
            if prop.name == "DTSTART":
                for rule in event.all("RRULE"):
                    text = normal_rule(rule.value, wall, ZoneInfo("UTC"), Losses().of(""))
                    if read := parse_any_rule(text, wall):
                        yield name, Use(wall, read)


def _name_of(vtimezone: Component) -> str:
    tzid = vtimezone.first("TZID")
    return _clean(tzid.text) if tzid else ""


def _location(vtimezone: Component) -> str:
    location = vtimezone.first("X-LIC-LOCATION")
    return location.text.strip() if location else ""


def _clean(tzid: str) -> str:
    return tzid.replace("\\", "").strip(' "/')
