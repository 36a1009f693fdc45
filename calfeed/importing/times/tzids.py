"""Resolve TZIDs to IANA zones (RFC 5545, 3.2.19, 3.6.5).

A zone is used for a TZID only if it agrees with the calendar's VTIMEZONE at all times of all
events, including recurrences. If several zones agree, their names decide.
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
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR
from calfeed.model.recurrences import Rule, StepBudget

_MAX_ZONES = 100
_WALL = re.compile(r"\d{8}T\d{6}(?!Z)", re.ASCII)
_LONGEST_DIFFERENCE = timedelta(days=1)
_DATED = ("DTSTART", "DTEND", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True)
class TzidUse:
    """A wall time with a TZID, and its recurrence rule."""

    wall: datetime
    rule: Rule | None = None

    @property
    def last(self) -> datetime:
        """A wall time at or after the last occurrence."""
        if self.rule is None:
            return self.wall
        return self.rule.until or datetime(LAST_YEAR, 12, 31)  # noqa: DTZ001 (a wall time)


@dataclass
class ResolvedTzid:
    """The meaning of a TZID: a zone, else the `rules` that the file or the name gives, if any.

    `reason` explains why the TZID is not a zone, or how the zone was found.
    """

    zone: ZoneInfo | None = None
    rules: Rules | None = None
    reason: str = ""


class TzidResolver:
    """Resolves the TZIDs of `vevents` with the calendar's `vtimezones`.

    Raises InvalidInputError if that would take too many steps.
    """

    def __init__(
        self, vtimezones: Iterable[Component], vevents: Iterable[Component], steps: StepBudget
    ) -> None:
        self._defined: dict[str, list[Component]] = defaultdict(list)
        for each in vtimezones:
            self._defined[_name_of(each)].append(each)
        self._steps = steps
        self._uses: dict[str, list[TzidUse]] = defaultdict(list)
        for event in vevents:
            for tzid, use in _find_uses(event):
                self._uses[tzid].append(use)
        if len(self._uses) > _MAX_ZONES:
            raise InvalidInputError(f"the file has more than {_MAX_ZONES} time zones (TZID)")
        self._known: dict[str, ResolvedTzid] = {}

    def resolve(self, tzid: str) -> ResolvedTzid:
        """Return the meaning of a TZID for all its uses."""
        name = _clean(tzid)
        if name not in self._known:
            self._known[name] = self._identify(name, self._uses[name])
        return self._known[name]

    def resolve_for_series(self, tzid: str, series: Iterable[Component]) -> ZoneInfo | None:
        """Return a zone that agrees with a TZID at its uses in one series, None without one."""
        name, rules = _clean(tzid), self.resolve(tzid).rules
        uses = [use for each in series for tzid, use in _find_uses(each) if tzid == name]
        if rules is None or not uses:
            return None
        return self._fixed_zone(rules, uses) or self._matching_zone(rules, uses, all_year=False)

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield the TZIDs that are not read literally, and how they are read."""
        for name, known in self._known.items():
            if known.zone is not None and known.reason:
                yield name, known.reason

    def _identify(self, name: str, uses: Sequence[TzidUse]) -> ResolvedTzid:
        components, offset = self._defined.get(name, []), find_offset(name)
        locations = (find_iana_zone(_location(each)) for each in components)
        place = find_iana_zone(name) or next(filter(None, locations), None)
        named = place or find_windows_zone(name)
        reason = "is not a known time zone"
        if components:
            try:
                rules = self._read(components, uses)
            except ValueError as error:
                reason = f"is defined in a way that cannot be used, as {error}"
            else:
                exact = place if place and is_place(place) else None
                return self._choose_zone(rules, uses, exact, named)
        if named is None and offset is not None:
            return self._choose_zone(Rules((), (offset,)), uses, None, fixed_zone(offset))
        if named is not None and components:
            return ResolvedTzid(named, None, f"{reason}; {named.key} is used")
        return ResolvedTzid(named, None, "" if named else reason)

    def _choose_zone(
        self, rules: Rules, uses: Sequence[TzidUse], place: ZoneInfo | None, named: ZoneInfo | None
    ) -> ResolvedTzid:
        """Choose a zone that agrees with the rules; `place` and `named` come from the TZID."""
        if named is not None and self._first_conflict(rules, named, uses) is None:
            return ResolvedTzid(named)
        if place is not None and (conflict := self._first_conflict(rules, place, uses)):
            reason = (
                f"has a definition that differs from the real zone, as at {conflict:%Y-%m-%d %H:%M}"
            )
            return ResolvedTzid(place, rules, f"{reason}; {place.key} is used")
        if zone := self._matching_zone(rules, uses):
            return ResolvedTzid(zone, rules, f"is read as {zone.key}, which has the same rules")
        if zone := self._fixed_zone(rules, uses):
            return ResolvedTzid(
                zone, rules, f"has rules that no place has; its times are in {zone.key}"
            )
        return ResolvedTzid(None, rules, "has rules that no time zone has")

    def _read(self, components: Sequence[Component], uses: Sequence[TzidUse]) -> Rules:
        """Return the rules of a TZID; raise ValueError if its definitions differ."""
        years = [*(use.wall.year for use in uses), *(use.last.year for use in uses)] or [2000]
        rules, *others = [read_rules(each, min(years), max(years)) for each in components]
        self._steps.spend(len(rules.walls) * len(components))
        if any(each != rules for each in others):
            raise ValueError("there are several definitions, with different rules")
        return rules

    def _matching_zone(
        self, rules: Rules, uses: Sequence[TzidUse], *, all_year: bool = True
    ) -> ZoneInfo | None:
        """Return the most populous zone that agrees with the rules at all uses, None without one.

        With `all_year`, the zone must also agree throughout the years of the uses.
        """
        first, last = _span(uses)
        if all_year:
            first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
        walls = [use.wall for use in uses[:20]]
        if all_year:  # quickly rejects zones that differ in the first or last year
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
            if not (all_year and long) and self._first_conflict(rules, zone, uses) is None:
                return zone
        return None

    def _fixed_zone(self, rules: Rules, uses: Sequence[TzidUse]) -> ZoneInfo | None:
        """Return a zone with a fixed offset that agrees at all uses."""
        zone = fixed_zone(rules.offset(uses[0].wall)) if uses else None
        return zone if zone and self._first_conflict(rules, zone, uses) is None else None

    def _first_conflict(
        self, rules: Rules, zone: ZoneInfo, uses: Sequence[TzidUse]
    ) -> datetime | None:
        """Return the first used wall time at which a zone differs from the rules."""
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

    def _walls(self, use: TzidUse, spans: Sequence[tuple[datetime, datetime]]) -> list[datetime]:
        """Return the wall times of a use up to the last relevant span."""
        within = [end for start, end in spans if start <= use.last and use.wall < end]
        if use.rule is None or not within:
            return [use.wall]
        walls = use.rule.starts(min(use.last, within[-1]))
        self._steps.spend(len(walls))
        return walls


def _span(uses: Sequence[TzidUse]) -> tuple[datetime, datetime]:
    return min(use.wall for use in uses), max(use.last for use in uses)


def _find_uses(event: Component) -> Iterator[tuple[str, TzidUse]]:
    """Yield the TZIDs of an event with their wall times and recurrence rules."""
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
            yield name, TzidUse(wall)
            if prop.name == "DTSTART":
                for rule in event.all("RRULE"):
                    text = normal_rule(rule.value, wall, ZoneInfo("UTC"), Losses().reporter(""))
                    if read := parse_any_rule(text, wall):
                        yield name, TzidUse(wall, read)


def _name_of(vtimezone: Component) -> str:
    tzid = vtimezone.first("TZID")
    return _clean(tzid.text) if tzid else ""


def _location(vtimezone: Component) -> str:
    location = vtimezone.first("X-LIC-LOCATION")
    return location.text.strip() if location else ""


def _clean(tzid: str) -> str:
    return tzid.replace("\\", "").strip(' "/')
