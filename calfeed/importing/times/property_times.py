"""Read the times of properties: dates, UTC, wall times in a zone (RFC 5545, 3.3.4, 3.3.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from calfeed.errors import InvalidInputError
from calfeed.importing.components import Component, Property, parse_value
from calfeed.importing.losses import LossReporter
from calfeed.importing.times.tzids import ResolvedTzid, TzidResolver
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR
from calfeed.model.recurrences import StepBudget
from calfeed.model.texts import shortened

Moment: TypeAlias = date | datetime

_STEPS_TO_READ = 4
"""The cost, in steps, of reading a property."""

MAX_LISTED_DATES = 50_000
"""The maximum number of dates in one property."""

_REFERENCES = ("EXDATE", "RECURRENCE-ID")
"""The properties that name an occurrence, which may be at a time that the clocks skip."""

_NOMINAL = re.compile(r"[+-]?P(?:(\d+)W)?(?:(\d+)D)?", re.IGNORECASE)


@dataclass(frozen=True)
class TimeValue:
    """A date or an aware datetime; `end` (exclusive) is set for a period."""

    moment: Moment
    end: Moment | None = None


@dataclass(frozen=True)
class TimeReader:
    """Reads the times of a calendar: `zones` resolves TZIDs, `home` is the zone of floating times.

    `home` is also the calendar's zone. Single events in UTC are converted to it unless `keeps_utc`
    is set. It is set for files that calfeed made: they have times in UTC only if the zone is UTC.
    `sure` is False if the file does not name the home zone. `chosen` is the zone that the user
    chose for unknown zones. While a series is read, `series` holds the zones of TZIDs within that
    series. Otherwise it is None, and times with a TZID that is no IANA zone are converted to
    instants if the file defines the offsets of the TZID.
    """

    zones: TzidResolver
    home: ZoneInfo
    steps: StepBudget
    sure: bool = True
    chosen: ZoneInfo | None = None
    series: Mapping[str, ZoneInfo | None] | None = None
    keeps_utc: bool = False

    def for_series(self, components: Sequence[Component]) -> TimeReader:
        """Return a reader for the events of a series."""
        tzids = {
            prop.params["TZID"]: None
            for each in components
            for prop in each.properties
            if "TZID" in prop.params and self.zones.resolve(prop.params["TZID"]).zone is None
        }
        found = {tzid: self.zones.resolve_for_series(tzid, components) for tzid in tzids}
        return replace(self, series=found)

    def zone_of(self, prop: Property) -> ZoneInfo:
        """Return the zone of a property's times."""
        if tzid := prop.params.get("TZID"):
            return self._zone(tzid) or self.home
        return ZoneInfo("UTC") if prop.value.strip().upper().endswith("Z") else self.home

    def _zone(self, tzid: str) -> ZoneInfo | None:
        known = self.zones.resolve(tzid)
        return known.zone or (self.series or {}).get(tzid) or self._choice(known)

    def _choice(self, known: ResolvedTzid) -> ZoneInfo | None:
        """Return the chosen zone, None if times with the TZID can be converted to instants."""
        return self.chosen if known.rules is None or self.series is not None else None

    def read(self, prop: Property, report: LossReporter) -> list[TimeValue]:
        """Return the moments of a property; report invalid values."""
        values = []
        if prop.value.count(",") > MAX_LISTED_DATES:
            raise InvalidInputError(f"{prop.name} lists more than {MAX_LISTED_DATES:,} dates")
        self.steps.spend(_STEPS_TO_READ)
        for text in filter(None, (part.strip() for part in prop.value.split(","))):
            try:
                values.append(self._parse_value(text.upper(), prop, report))
            except (ValueError, TypeError, OverflowError) as error:
                report(prop.name, f"cannot be read ({shortened(str(error))})", shortened(text))
        return values

    def read_first(self, prop: Property | None, report: LossReporter) -> Moment | None:
        """Return the first valid moment of a property, None without one."""
        values = self.read(prop, report) if prop else []
        return values[0].moment if values else None

    def _parse_value(self, text: str, prop: Property, report: LossReporter) -> TimeValue:
        value = parse_value(text)
        first, second = value if isinstance(value, tuple) else (value, None)
        moment = self._moment(first, prop, report)
        if isinstance(second, timedelta):
            return TimeValue(moment, later(moment, text.rpartition("/")[2]))
        return TimeValue(moment, self._moment(second, prop, report) if second else None)

    def _moment(self, value: object, prop: Property, report: LossReporter) -> Moment:
        if not isinstance(value, date):
            raise ValueError("it is not a date or time")
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValueError(f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")
        if not isinstance(value, datetime) or value.tzinfo is not None:
            return value
        tzid = prop.params.get("TZID", "")
        known = self.zones.resolve(tzid) if tzid else ResolvedTzid()
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
        if shown.replace(tzinfo=None) != value and prop.name not in _REFERENCES:
            report(
                prop.name,
                "does not exist, as the clocks skip it, and becomes a later time",
                f"{value:%Y-%m-%d %H:%M} becomes {shown:%H:%M}",
            )
        return shown

    def _explain(
        self, tzid: str, known: ResolvedTzid, zone: ZoneInfo | None, report: LossReporter
    ) -> None:
        """Report a TZID that is not a zone by itself."""
        if known.zone is not None:
            return
        if zone is None:
            again = ", and the event recurs across its clock changes" if known.rules else ""
            report.ask("TZID", f"{known.reason}{again}", tzid)
        elif known.rules is None or zone == self.chosen:
            report("TZID", f"{known.reason}; its times are read on the clocks of {zone.key}", tzid)
        else:
            agrees = "which has the same offsets at all times of the event"
            report("TZID", f"is read as {zone.key}, {agrees}", tzid)


def later(moment: Moment, duration: str) -> Moment:
    """Add a DURATION (RFC 5545, 3.3.6) to a moment: calendar days, then elapsed hours.

    Raises ValueError for an invalid duration.
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
    """Convert a datetime to a zone; return a date unchanged."""
    return moment.astimezone(zone) if isinstance(moment, datetime) else moment


def after(moment: Moment, length: timedelta) -> Moment:
    """Add elapsed time to a moment."""
    if isinstance(moment, datetime):
        return (moment.astimezone(UTC) + length).astimezone(moment.tzinfo)
    return moment + length


def length_between(start: Moment, end: Moment) -> timedelta:
    """Return the elapsed time between two moments of the same type."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return end.astimezone(UTC) - start.astimezone(UTC)
    return date(end.year, end.month, end.day) - date(start.year, start.month, start.day)


def write_moment(moment: Moment) -> date | str:
    """Write a moment for a definition; only an ambiguous wall time has a UTC offset."""
    if not isinstance(moment, datetime):
        return moment
    text = f"{moment:%Y-%m-%d %H:%M}" + (f":{moment:%S}" if moment.second else "")
    if moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset():
        return text + f"{moment.isoformat()[-6:]}"
    return text


def write_end(end: Moment) -> date | str:
    """Convert an exclusive end to the form of a definition: for an all-day event, its last day."""
    return write_moment(end if isinstance(end, datetime) else end - timedelta(days=1))
