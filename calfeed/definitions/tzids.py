"""The names that calendars give time zones (TZID), as IANA zones (RFC 5545, 3.2.19 and 3.6.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from functools import cache
from io import StringIO
from zoneinfo import ZoneInfo, available_timezones

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calfeed.definitions.components import Component
from calfeed.definitions.zone_names import find_zone

_MOST_YEARS = 30
"""How many years of a zone's rules are compared at the most: the last."""


class Zones:
    """The zones of a calendar, by the TZIDs it uses.

    `vtimezones` are its own definitions of them, `years` the first and last in which its events
    begin: only there, and in the year after, does a zone have to agree with a definition.
    """

    def __init__(self, vtimezones: Iterable[Component], years: tuple[int, int]) -> None:
        self._defined = {_clean(each.first("TZID")): each for each in vtimezones}
        self._walls = list(_samples(*years))
        self._found: dict[str, tuple[ZoneInfo | None, str]] = {}

    def find(self, tzid: str) -> ZoneInfo | None:
        """The IANA zone that a TZID means: by its name, or by the rules it is defined with."""
        return self._look_up(tzid)[0]

    def remarks(self) -> list[str]:
        """What people should know about how the zones were found."""
        return [remark for _, remark in self._found.values() if remark]

    def _look_up(self, tzid: str) -> tuple[ZoneInfo | None, str]:
        name = tzid.strip(' "/')
        if name not in self._found:
            self._found[name] = self._identify(name)
        return self._found[name]

    def _identify(self, name: str) -> tuple[ZoneInfo | None, str]:
        component = self._defined.get(name)
        rules = _rules_of(component)
        zone = next(filter(None, map(_known, _names(name, component))), None)
        if zone is not None:
            if rules is None or self._offsets(rules) == self._offsets(zone):
                return zone, ""
            return zone, f'the file defines "{name}" otherwise than it is; {zone.key} is used'
        if rules is not None:
            offsets = self._offsets(rules)
            same = (key for key in _candidates() if self._offsets(ZoneInfo(key)) == offsets)
            if key := next(same, None):
                return ZoneInfo(key), f'"{name}" is taken for {key}, which has the same rules'
        return None, f'"{name}" is no time zone that is known'

    def _offsets(self, zone: tzinfo) -> list[timedelta | None]:
        return [wall.replace(tzinfo=zone).utcoffset() for wall in self._walls]


def _samples(first: int, last: int) -> Iterator[datetime]:
    """Wall times at noon, a week apart, which no change of the clocks touches."""
    wall = datetime(max(first, last - _MOST_YEARS), 1, 1, 12)  # noqa: DTZ001 (a wall time)
    while wall.year <= last + 1:
        yield wall
        wall += timedelta(days=7)


def _clean(tzid: object) -> str:
    return str(getattr(tzid, "value", "")).strip(' "/')


def _names(name: str, component: Component | None) -> Iterator[str]:
    """What a zone may be known as, the likeliest first."""
    yield name
    yield WINDOWS_TO_OLSON.get(name, "")
    if component is not None:
        yield _clean(component.first("X-LIC-LOCATION"))
    # Some put their own name before it: /example.org/20240101/America/Argentina/Salta.
    parts = name.split("/")
    for place in range(1, len(parts)):
        yield "/".join(parts[place:])


def _known(name: str) -> ZoneInfo | None:
    zone = find_zone(name) if name else None
    return ZoneInfo(zone) if zone else None


def _rules_of(component: Component | None) -> tzinfo | None:
    """The zone that a VTIMEZONE defines, read by dateutil; None where it cannot be read."""
    if component is None:
        return None
    lines = ["BEGIN:VTIMEZONE", "TZID:zone"]
    for part in component.components:
        lines.append(f"BEGIN:{part.name}")
        lines += [
            f"{each.name}:{each.value.strip()}"
            for each in part.properties
            if each.name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE", "TZNAME")
        ]
        lines.append(f"END:{part.name}")
    lines.append("END:VTIMEZONE")
    try:
        rules: tzinfo | None = tzical(StringIO("\n".join(lines))).get()
        datetime(2000, 7, 1, tzinfo=rules).utcoffset()
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return None
    return rules


@cache
def _candidates() -> tuple[str, ...]:
    """The zones that a definition is compared with: the well known ones first."""
    offsets = [f"Etc/GMT{hours:+d}" for hours in range(-14, 13) if hours]
    usual = list(dict.fromkeys(["UTC", *WINDOWS_TO_OLSON.values(), *offsets]))
    rest = sorted(key for key in available_timezones() if "/" in key and _known(key))
    return tuple(dict.fromkeys([*(key for key in usual if _known(key)), *rest]))
