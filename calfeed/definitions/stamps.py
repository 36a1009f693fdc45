"""The times of iCalendar properties: dates, UTC, wall times in a zone (RFC 5545, 3.3.4, 3.3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from icalendar.prop import vDDDTypes

from calfeed.definitions.components import Property, Report
from calfeed.definitions.dates import FIRST_YEAR, LAST_YEAR
from calfeed.definitions.durations import Duration
from calfeed.definitions.texts import shortened
from calfeed.definitions.tzids import Zones

Moment: TypeAlias = date | datetime

_NOMINAL = re.compile(r"[+-]?P(?:(\d+)W)?(?:(\d+)D)?", re.IGNORECASE)


@dataclass(frozen=True)
class Stamp:
    """A date or an aware moment; `end`, exclusive, where the value is a period."""

    moment: Moment
    end: Moment | None = None


@dataclass(frozen=True)
class Clock:
    """How the times of a calendar are read: `zones` are its own, `home` is that of floating times.

    `home` is the calendar's zone as well: what is in UTC is shown on its clocks.
    """

    zones: Zones
    home: ZoneInfo

    def zone_of(self, prop: Property) -> ZoneInfo:
        """The zone whose clocks a property's times are on."""
        if "TZID" in prop.params:
            return self.zones.find(prop.params["TZID"]) or self.home
        return ZoneInfo("UTC") if prop.value.strip().upper().endswith("Z") else self.home

    def read(self, prop: Property, report: Report) -> list[Stamp]:
        """The moments of a property, without what cannot be read, which is reported."""
        stamps = []
        for text in filter(None, (part.strip() for part in prop.value.split(","))):
            try:
                stamps.append(self._stamp(text.upper(), prop, report))
            except (ValueError, TypeError, OverflowError) as error:
                report(prop.name, f'"{shortened(text)}" cannot be read ({shortened(str(error))})')
        return stamps

    def one(self, prop: Property | None, report: Report) -> Moment | None:
        """The moment of a property that has one; None where there is none to be read."""
        stamps = self.read(prop, report) if prop else []
        return stamps[0].moment if stamps else None

    def _stamp(self, text: str, prop: Property, report: Report) -> Stamp:
        value = parse_value(text)
        first, second = value if isinstance(value, tuple) else (value, None)
        moment = self._moment(first, prop, report)
        if isinstance(second, timedelta):
            return Stamp(moment, later(moment, text.rpartition("/")[2]))
        return Stamp(moment, self._moment(second, prop, report) if second else None)

    def _moment(self, value: object, prop: Property, report: Report) -> Moment:
        if not isinstance(value, date):
            raise ValueError("it is not a date or time")
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValueError(f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")
        if not isinstance(value, datetime) or value.tzinfo is not None:
            return value
        tzid = prop.params.get("TZID", "")
        if prop.name == "DTSTART" and (not tzid or self.zones.find(tzid) is None):
            why = "its TZID is not known" if tzid else "has no time zone"
            report(prop.name, f"{why}; it is read on the clocks of {self.home.key}")
        moment = value.replace(tzinfo=self.zone_of(prop))
        shown = moment.astimezone(UTC).astimezone(moment.tzinfo)
        if shown.replace(tzinfo=None) != value:
            report(prop.name, f"{value} does not exist there, as the clocks skip it; it is {shown}")
        return shown


def parse_value(text: str) -> object:
    """A date, a datetime (naive, or in UTC), a duration or a period; ValueError for the rest."""
    # icalendar leaves this call without types.
    value: object = vDDDTypes.from_ical(text.strip().upper())  # type: ignore[no-untyped-call]
    return value


def later(moment: Moment, duration: str) -> Moment:
    """What is a DURATION after a moment: days as on a calendar, hours as they pass.

    Raises ValueError for what is no duration (RFC 5545, 3.3.6).
    """
    span = parse_value(duration)
    if not isinstance(span, timedelta):
        raise ValueError("it is not a duration")
    if not isinstance(moment, datetime):
        return moment + span
    found = _NOMINAL.match(duration.strip())
    days = int(found[1] or 0) * 7 + int(found[2] or 0) if found and span > timedelta() else 0
    begin = Duration(days=days).after(moment)
    return (begin.astimezone(UTC) + span - timedelta(days=days)).astimezone(moment.tzinfo)


def in_zone(moment: Moment, zone: ZoneInfo) -> Moment:
    """A moment on the clocks of a zone; a date stays."""
    return moment.astimezone(zone) if isinstance(moment, datetime) else moment


def after(moment: Moment, length: timedelta) -> Moment:
    """What is a length of time after a moment, as time passes."""
    if isinstance(moment, datetime):
        return (moment.astimezone(UTC) + length).astimezone(moment.tzinfo)
    return moment + length


def length_between(start: Moment, end: Moment) -> timedelta:
    """The time that passes from one moment to another of the same kind."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return end.astimezone(UTC) - start.astimezone(UTC)
    return date(end.year, end.month, end.day) - date(start.year, start.month, start.day)


def write_moment(moment: Moment) -> date | str:
    """A moment as a definition has it, in its own zone: with its offset only if it comes twice."""
    if not isinstance(moment, datetime):
        return moment
    text = f"{moment:%Y-%m-%d %H:%M}" + (f":{moment:%S}" if moment.second else "")
    if moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset():
        return text + f"{moment.isoformat()[-6:]}"
    return text


def write_end(end: Moment) -> date | str:
    """An exclusive end as a definition has it: for an all-day event its last day."""
    return write_moment(end if isinstance(end, datetime) else end - timedelta(days=1))
