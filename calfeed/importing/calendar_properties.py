"""What a foreign calendar says of itself, beside its events, as the head of a definition."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from calfeed import PRODID
from calfeed.importing.components import Component, name_event
from calfeed.importing.losses import CALENDAR, Losses, Report
from calfeed.importing.times.property_times import Clock
from calfeed.importing.times.tzids import Zones
from calfeed.importing.vevents import read_text
from calfeed.model.colors import COLORS, check_color
from calfeed.model.recurrences import Steps
from calfeed.model.texts import check_language

_NAMES, _DESCRIPTIONS = ("NAME", "X-WR-CALNAME"), ("DESCRIPTION", "X-WR-CALDESC")
_MOMENTS = ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID")
# Kept under other names, or said by calfeed itself in every feed.
_KNOWN = {
    *(*_NAMES, *_DESCRIPTIONS, "COLOR", "X-APPLE-CALENDAR-COLOR", "X-WR-TIMEZONE"),
    *("PRODID", "VERSION", "CALSCALE", "METHOD", "UID", "LAST-MODIFIED"),
    *("SOURCE", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"),
}


def find_clock(
    calendars: list[Component],
    vevents: list[Component],
    zones: Zones,
    steps: Steps,
    chosen: ZoneInfo | None,
    report: Report,
) -> Clock:
    """How times are read: on the clocks that people chose, else on those the calendar names.

    Where it names none, its zone is the one that most of its events are in, and its times without
    a zone are a question.
    """
    if chosen is not None:
        return Clock(zones, chosen, steps, chosen=chosen)
    for calendar in calendars:
        for prop in calendar.all("X-WR-TIMEZONE"):
            if zone := zones.find(prop.text).zone:
                return Clock(
                    zones, zone, steps, keeps_utc=calendar.value("PRODID") == PRODID.upper()
                )
            report("X-WR-TIMEZONE", "is no time zone that is known", prop.text)
    starts = (each.first("DTSTART") for each in vevents)
    used = Counter(start.params["TZID"] for start in starts if start and "TZID" in start.params)
    likely = sorted(used, key=lambda tzid: (-used[tzid], tzid))
    found = (zones.find(tzid).zone for tzid in likely)
    return Clock(zones, next(filter(None, found), ZoneInfo("UTC")), steps, sure=False)


def on_own_clocks(calendars: list[Component]) -> list[Component]:
    """The calendars of one file; where they name different zones, their times say in which.

    X-WR-TIMEZONE becomes the TZID of the times that have no zone.
    """
    if len({name for each in calendars if (name := each.value("X-WR-TIMEZONE"))}) < 2:
        return calendars
    return [_on_own_clock(each) for each in calendars]


def _on_own_clock(calendar: Component) -> Component:
    own, zone = calendar.replaced({}), calendar.first("X-WR-TIMEZONE")
    if zone is not None:
        own.components = [
            each.on_clock(zone.text, _MOMENTS) if each.name == "VEVENT" else each
            for each in calendar.components
        ]
    return own


def find_language(vevents: list[Component]) -> str:
    """The language that most texts say they are in."""
    tags: Counter[str] = Counter()
    for event in vevents:
        for name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
            for prop in event.all(name):
                if prop.params.get("LANGUAGE"):
                    with suppress(ValueError):  # it is reported with its text
                        tags[check_language(prop.params["LANGUAGE"])] += 1
    return min(tags, key=lambda tag: (-tags[tag], tag), default="en")


def import_head(
    calendars: list[Component], home: ZoneInfo, language: str, source: str, report: Report
) -> dict[str, Any]:
    """What the definition says of the calendar itself."""
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


def _find_color(calendar: Component, report: Report) -> str | None:
    for name in ("COLOR", "X-APPLE-CALENDAR-COLOR"):
        if value := calendar.value(name).lower():
            same = (color for color, digits in COLORS.items() if digits == value[:7])
            try:
                return next(same, None) or check_color(value)
            except ValueError as error:
                report(name, str(error))
    return None


def report_others(calendars: list[Component], losses: Losses) -> None:
    """Report what stands beside the events."""
    report = losses.of(CALENDAR)
    for calendar in calendars:
        for name in dict.fromkeys(prop.name for prop in calendar.properties):
            if name not in _KNOWN:
                report(name, "calfeed has no such property")
        for line in calendar.broken:
            report(line.strip()[:40], "is no property that can be read")
        for each in calendar.components:
            if each.name not in ("VEVENT", "VTIMEZONE"):
                event = losses.of(name_event(each))
                event(each.name, "is not kept: calfeed's calendars have events")
