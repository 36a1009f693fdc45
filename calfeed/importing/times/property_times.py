"""The times of iCalendar properties: dates, UTC, wall times in a zone (RFC 5545, 3.3.4, 3.3.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from calfeed.errors import InvalidInputError
from calfeed.importing.components import Component, Property, parse_value
from calfeed.importing.losses import Report
from calfeed.importing.times.tzids import Known, Zones
from calfeed.model.durations import Duration
from calfeed.model.recurrences import Steps
from calfeed.model.texts import shortened
from calfeed.model.years import FIRST_YEAR, LAST_YEAR

Moment: TypeAlias = date | datetime

_STEPS_TO_READ = 4
"""What reading a property counts for, beside walking a date of a rule."""

MOST_LISTED = 50_000
"""How many dates one property may list."""

_NOMINAL = re.compile(r"[+-]?P(?:(\d+)W)?(?:(\d+)D)?", re.IGNORECASE)


@dataclass(frozen=True)
class Stamp:
    """A date or an aware moment; `end`, exclusive, where the value is a period."""

    moment: Moment
    end: Moment | None = None


@dataclass(frozen=True)
class Clock:
    """How the times of a calendar are read: `zones` are its own, `home` is that of floating times.

    `home` is the calendar's zone as well: single events in UTC are shown on its clocks, unless
    `keeps_utc` says that only events whose zone is UTC are written so. `sure` is False where
    nothing names the home zone. `chosen` is the zone that people chose for what the file does not
    say. `series` has, while a series is read, the zones that TZIDs stand for in it alone; otherwise
    a TZID may stand for mere moments.
    """

    zones: Zones
    home: ZoneInfo
    steps: Steps
    sure: bool = True
    chosen: ZoneInfo | None = None
    series: Mapping[str, ZoneInfo | None] | None = None
    keeps_utc: bool = False

    def for_series(self, components: Sequence[Component]) -> Clock:
        """The clock for the events of a series."""
        tzids = {
            prop.params["TZID"]: None
            for each in components
            for prop in each.properties
            if "TZID" in prop.params and self.zones.find(prop.params["TZID"]).zone is None
        }
        found = {tzid: self.zones.find_for(tzid, components) for tzid in tzids}
        return replace(self, series=found)

    def zone_of(self, prop: Property) -> ZoneInfo:
        """The zone whose clocks a property's times are on."""
        if tzid := prop.params.get("TZID"):
            return self._zone(tzid) or self.home
        return ZoneInfo("UTC") if prop.value.strip().upper().endswith("Z") else self.home

    def _zone(self, tzid: str) -> ZoneInfo | None:
        known = self.zones.find(tzid)
        return known.zone or (self.series or {}).get(tzid) or self._choice(known)

    def _choice(self, known: Known) -> ZoneInfo | None:
        """What people chose, where a TZID does not give so much as moments."""
        return self.chosen if known.rules is None or self.series is not None else None

    def read(self, prop: Property, report: Report) -> list[Stamp]:
        """The moments of a property, without what cannot be read, which is reported."""
        stamps = []
        if prop.value.count(",") > MOST_LISTED:
            raise InvalidInputError(f"{prop.name} lists more than {MOST_LISTED:,} dates")
        self.steps.take(_STEPS_TO_READ)
        for text in filter(None, (part.strip() for part in prop.value.split(","))):
            try:
                stamps.append(self._stamp(text.upper(), prop, report))
            except (ValueError, TypeError, OverflowError) as error:
                report(prop.name, f"cannot be read ({shortened(str(error))})", shortened(text))
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
        known = self.zones.find(tzid) if tzid else Known()
        zone = self._zone(tzid) if tzid else self.home
        if zone is None and known.rules is not None and self.series is None:
            return known.rules.instant(value).astimezone(self.home)
        if tzid:
            self._explain(tzid, known, zone, report)
        elif prop.name == "DTSTART" and not self.sure:
            report.ask(prop.name, "has no time zone, nor does the calendar")
        elif prop.name == "DTSTART":
            report(prop.name, f"has no time zone; it is read on the clocks of {self.home.key}")
        moment = value.replace(tzinfo=zone or self.home)
        shown = moment.astimezone(UTC).astimezone(moment.tzinfo)
        if shown.replace(tzinfo=None) != value:
            report(
                prop.name,
                "does not exist, as the clocks skip it, and becomes a later time",
                f"{value:%Y-%m-%d %H:%M} becomes {shown:%H:%M}",
            )
        return shown

    def _explain(self, tzid: str, known: Known, zone: ZoneInfo | None, report: Report) -> None:
        """Report a TZID that stands for no zone by itself."""
        if known.zone is not None:
            return
        if zone is None:
            again = ", and the event comes again across its changes" if known.rules else ""
            report.ask("TZID", f"{known.why}{again}", tzid)
        elif known.rules is None or zone == self.chosen:
            report("TZID", f"{known.why}; its times are read on the clocks of {zone.key}", tzid)
        else:
            report("TZID", f"is taken for {zone.key}, which agrees at all times of the event", tzid)


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
