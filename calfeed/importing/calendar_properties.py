"""Import the properties of a calendar as the head of a definition."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from calfeed import PRODID
from calfeed.importing.components import Component, name_event
from calfeed.importing.losses import CALENDAR, Losses, LossReporter
from calfeed.importing.times.property_times import TimeReader
from calfeed.importing.times.tzids import TzidResolver
from calfeed.importing.vevents import read_text
from calfeed.model.colors import COLORS, check_color
from calfeed.model.recurrences import StepBudget
from calfeed.model.texts import check_language

_NAMES, _DESCRIPTIONS = ("NAME", "X-WR-CALNAME"), ("DESCRIPTION", "X-WR-CALDESC")
_MOMENTS = ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID")
# These are imported under other names, or calfeed writes them into every feed.
_KNOWN = {
    *(*_NAMES, *_DESCRIPTIONS, "COLOR", "X-APPLE-CALENDAR-COLOR", "X-WR-TIMEZONE"),
    *("PRODID", "VERSION", "CALSCALE", "METHOD", "UID", "LAST-MODIFIED"),
    *("SOURCE", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"),
}


def make_time_reader(
    calendars: list[Component],
    vevents: list[Component],
    zones: TzidResolver,
    steps: StepBudget,
    chosen: ZoneInfo | None,
    report: LossReporter,
) -> TimeReader:
    """Create the reader of times.

    The calendar's zone is the `chosen` one, else the zone that the calendar names. Without either,
    it is the most common zone of the events, and floating times are ambiguous.
    """
    if chosen is not None:
        return TimeReader(zones, chosen, steps, chosen=chosen)
    own = all(calendar.value("PRODID") == PRODID.upper() for calendar in calendars)
    for calendar in calendars:
        for prop in calendar.all("X-WR-TIMEZONE"):
            if zone := zones.resolve(prop.text).zone:
                return TimeReader(zones, zone, steps, keeps_utc=own)
            report("X-WR-TIMEZONE", "is not a known time zone", prop.text)
    starts = (vevent.first("DTSTART") for vevent in vevents)
    used = Counter(start.params["TZID"] for start in starts if start and "TZID" in start.params)
    likely = sorted(used, key=lambda tzid: (-used[tzid], tzid))
    found = (zones.resolve(tzid).zone for tzid in likely)
    zone = next(filter(None, found), ZoneInfo("UTC"))
    return TimeReader(zones, zone, steps, sure=False, keeps_utc=own)


def apply_calendar_zones(calendars: list[Component]) -> list[Component]:
    """Add X-WR-TIMEZONE as the TZID of floating times, if the calendars name different zones."""
    if len({name for each in calendars if (name := each.value("X-WR-TIMEZONE"))}) < 2:
        return calendars
    return [_apply_calendar_zone(each) for each in calendars]


def _apply_calendar_zone(calendar: Component) -> Component:
    own, zone = calendar.with_values({}), calendar.first("X-WR-TIMEZONE")
    if zone is not None:
        own.components = [
            each.with_tzid(zone.text, _MOMENTS) if each.name == "VEVENT" else each
            for each in calendar.components
        ]
    return own


def find_language(vevents: list[Component]) -> str:
    """Return the most common LANGUAGE of texts."""
    tags: Counter[str] = Counter()
    for event in vevents:
        for name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
            for prop in event.all(name):
                if prop.params.get("LANGUAGE"):
                    with suppress(ValueError):  # reported when the text is read
                        tags[check_language(prop.params["LANGUAGE"])] += 1
    return min(tags, key=lambda tag: (-tags[tag], tag), default="en")


def import_head(
    calendars: list[Component], home: ZoneInfo, language: str, source: str, report: LossReporter
) -> dict[str, Any]:
    """Return the keys of the definition for the calendar itself."""
    if len(calendars) > 1:
        report("VCALENDAR", "the events of all calendars are put together", len(calendars))
    first = calendars[0]
    head: dict[str, Any] = {}
    for key, names in (("name", _NAMES), ("description", _DESCRIPTIONS)):
        for text in (read_text(first, name, language, report) for name in names):
            if text is not None and head.setdefault(key, text) != text:
                report(names[1], f"is not kept: {names[0]} says otherwise")
    head = {"name": head.pop("name", source.removesuffix(".ics")), **head, "time_zone": home.key}
    if language != "en":
        head["language"] = language
    if color := _find_color(first, report):
        head["color"] = color
    if first.value("CALSCALE") not in ("", "GREGORIAN"):
        report("CALSCALE", "is not kept: dates are read as in the Gregorian calendar")
    return head


def _find_color(calendar: Component, report: LossReporter) -> str | None:
    for name in ("COLOR", "X-APPLE-CALENDAR-COLOR"):
        if value := calendar.value(name).lower():
            same = (color for color, digits in COLORS.items() if digits == value[:7])
            try:
                return next(same, None) or check_color(value)
            except ValueError as error:
                report(name, str(error))
    return None


def report_others(calendars: list[Component], losses: Losses) -> None:
    """Report unsupported properties and components of the calendars."""
    report = losses.reporter(CALENDAR)
    for calendar in calendars:
        for name in dict.fromkeys(prop.name for prop in calendar.properties):
            if name not in _KNOWN:
                report(name, "calfeed has no such property")
        for line in calendar.invalid_lines:
            report(line.strip()[:40], "cannot be parsed as a property")
        for each in calendar.components:
            if each.name not in ("VEVENT", "VTIMEZONE"):
                event = losses.reporter(name_event(each))
                event(each.name, "is not kept: calfeed's calendars have only events")
