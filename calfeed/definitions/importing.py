"""An iCalendar file (RFC 5545) as a definition that publishes to an equivalent feed.

Pure: bytes in, YAML text out, and with it everything that is not kept, each with its reason.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.definitions.colors import COLORS, check_color
from calfeed.definitions.components import (
    Component,
    Loss,
    Report,
    name_event,
    printable,
    read_components,
)
from calfeed.definitions.dates import FIRST_YEAR, LAST_YEAR
from calfeed.definitions.keys import EventEntry
from calfeed.definitions.pruning import day_of, first_text, write_accepted
from calfeed.definitions.recurring import Series, import_series
from calfeed.definitions.slugs import name_events
from calfeed.definitions.stamps import Clock, after, length_between, write_end, write_moment
from calfeed.definitions.texts import check_language
from calfeed.definitions.tzids import Zones
from calfeed.definitions.vevents import Draft, import_event, read_text
from calfeed.errors import InvalidInputError

_CALENDAR = "the calendar"
_NAMES, _DESCRIPTIONS = ("NAME", "X-WR-CALNAME"), ("DESCRIPTION", "X-WR-CALDESC")
MOST_BYTES = 20 * 1024 * 1024
"""How much iCalendar text is read; a definition holds far less."""

_MOST_SHOWN = 10
_ORDER = [info.alias or name for name, info in EventEntry.model_fields.items()]
# Kept under other names, or said by calfeed itself in every feed.
_KNOWN = {
    *(*_NAMES, *_DESCRIPTIONS, "COLOR", "X-APPLE-CALENDAR-COLOR", "X-WR-TIMEZONE"),
    *("PRODID", "VERSION", "CALSCALE", "METHOD", "UID", "LAST-MODIFIED"),
    *("SOURCE", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"),
}


@dataclass(frozen=True)
class Imported:
    """A definition made of an iCalendar file: its YAML text, how many events, what is not kept."""

    definition: bytes
    events: int
    losses: tuple[Loss, ...]


def import_calendar(data: bytes, slug: str, source: str) -> Imported:
    """Make a definition of iCalendar text, for the calendar that will be called `slug`.

    `source` says where it is from, in the first line of the definition; a calendar without a name
    is called by it. The result passes `read_definitions`. Raises InvalidInputError for what is
    not iCalendar, has no events, or is more than a definition can hold.
    """
    # A dict, as the same thing can be found wrong by several readers of one property.
    losses: dict[Loss, None] = {}

    def reporter(whose: str) -> Report:
        def report(name: str, reason: str) -> None:
            losses.setdefault(Loss(printable(whose), printable(name), printable(reason)), None)

        return report

    calendars = read_components(data, reporter(_CALENDAR))
    vevents = [each for calendar in calendars for each in calendar.within("VEVENT")]
    if not vevents:
        raise InvalidInputError("the calendar has no events (VEVENT); there is nothing to import")
    vtimezones = [each for calendar in calendars for each in calendar.within("VTIMEZONE")]
    zones = Zones(vtimezones, _years_of(vevents))
    clock = Clock(zones, _find_home(calendars, vevents, zones))
    language = _find_language(vevents)
    head = _import_head(calendars, clock, language, source, reporter(_CALENDAR))
    entries: list[dict[str, Any]] = []
    for group in _group(vevents):
        entries += _import_group(group, clock, language, reporter)
    for remark in zones.remarks():
        reporter(_CALENDAR)("TZID", remark)
    _report_others(calendars, reporter)
    names = name_events(map(_identity, entries))
    named = sorted(
        zip(names, entries, strict=True), key=lambda item: (*_identity(item[1])[1:], item[0])
    )
    definition = {**head, "events": dict(named)}
    text = write_accepted(definition, slug, f"Imported from {source}", reporter)
    if not definition["events"]:
        reasons = "\n".join(str(loss) for loss in list(losses)[:_MOST_SHOWN])
        raise InvalidInputError(f"none of the events can be kept:\n{reasons}")
    return Imported(text, len(definition["events"]), tuple(losses))


def _identity(entry: dict[str, Any]) -> tuple[str, date, str]:
    """The title, first day and UID of an event."""
    return first_text(entry["summary"]), day_of(entry["start"]), entry.get("uid", "")


def _years_of(vevents: Iterable[Component]) -> tuple[int, int]:
    """The first and last year in which an event begins."""
    starts = (each.value("DTSTART")[:4] for each in vevents)
    years = [int(year) for year in starts if year.isascii() and year.isdigit()]
    years = [year for year in years if FIRST_YEAR <= year <= LAST_YEAR] or [2000]
    return min(years), max(years)


def _find_home(calendars: list[Component], vevents: list[Component], zones: Zones) -> ZoneInfo:
    """The calendar's zone: the one it names, else the one that most of its events are in."""
    named = [prop.text for each in calendars for prop in each.all("X-WR-TIMEZONE")]
    starts = (each.first("DTSTART") for each in vevents)
    used = Counter(start.params["TZID"] for start in starts if start and "TZID" in start.params)
    likely = sorted(used, key=lambda tzid: (-used[tzid], tzid))
    found = (zones.find(tzid) for tzid in (*named, *likely))
    return next((zone for zone in found if zone), ZoneInfo("UTC"))


def _find_language(vevents: list[Component]) -> str:
    """The language that most texts say they are in."""
    tags: Counter[str] = Counter()
    for event in vevents:
        for prop in event.properties:
            if prop.name in ("SUMMARY", "DESCRIPTION", "LOCATION") and prop.params.get("LANGUAGE"):
                with suppress(ValueError):  # it is reported with its text
                    tags[check_language(prop.params["LANGUAGE"])] += 1
    return min(tags, key=lambda tag: (-tags[tag], tag), default="en")


def _import_head(
    calendars: list[Component], clock: Clock, language: str, source: str, report: Report
) -> dict[str, Any]:
    """What the definition says of the calendar itself."""
    if len(calendars) > 1:
        report("VCALENDAR", f"there are {len(calendars)}; the events of all are put together")
    first = calendars[0]
    head: dict[str, Any] = {}
    for key, names in (("name", _NAMES), ("description", _DESCRIPTIONS)):
        for text in (read_text(first, name, language, report) for name in names):
            if text is not None and head.setdefault(key, text) != text:
                report(names[1], f"is not kept: {names[0]} says otherwise")
    head = {
        "name": head.pop("name", source.removesuffix(".ics")),
        **head,
        "time_zone": clock.home.key,
    }
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


def _report_others(calendars: list[Component], reporter: Callable[[str], Report]) -> None:
    """Report what stands beside the events."""
    for calendar in calendars:
        for name in dict.fromkeys(prop.name for prop in calendar.properties):
            if name not in _KNOWN:
                reporter(_CALENDAR)(name, "calfeed has no such property")
        for line in calendar.broken:
            reporter(_CALENDAR)(line.strip()[:40], "is no property that can be read")
        for each in calendar.components:
            if each.name not in ("VEVENT", "VTIMEZONE"):
                reporter(name_event(each))(
                    each.name, "is not kept: calfeed's calendars have events"
                )


def _group(vevents: list[Component]) -> list[list[Component]]:
    """The events by UID; what has none stands alone."""
    groups: dict[object, list[Component]] = defaultdict(list)
    for number, event in enumerate(vevents):
        groups[_uid_of(event) or number].append(event)
    return list(groups.values())


def _uid_of(event: Component) -> str:
    uid = event.first("UID")
    return uid.text.strip() if uid else ""


def _import_group(
    group: list[Component], clock: Clock, language: str, reporter: Callable[[str], Report]
) -> list[dict[str, Any]]:
    """The entries of what has one UID: an event, and its overrides or further events."""
    recurs = len(group) > 1 or any(group[0].all(name) for name in ("RRULE", "RDATE"))
    drafts = [
        draft
        for each in _newest(group, reporter)
        if (draft := import_event(each, clock, language, recurs, reporter(name_event(each))))
    ]
    masters = [draft for draft in drafts if not draft.component.first("RECURRENCE-ID")]
    overrides = [draft for draft in drafts if draft.component.first("RECURRENCE-ID")]
    entries: list[dict[str, Any]] = []
    if masters:
        series = import_series(masters[0], overrides, clock)
        if series.dates is not None:
            entries.append(_entry(masters[0], clock.home, series))
        overrides = series.apart
    for draft in overrides:
        draft.report("RECURRENCE-ID", "is not kept: the occurrence becomes an event of its own")
        entries.append(_entry(draft, clock.home))
    for draft in masters[1:]:
        draft.report("UID", "is that of another event too; this one gets a new UID")
        further = import_series(draft, [], clock)
        if further.dates is not None:
            entries.append(_entry(draft, clock.home, further))
    if entries and not _uid_of(group[0]):
        drafts[0].report("UID", "is missing; calfeed makes one from the event's name")
    elif entries:
        entries[0]["uid"] = _uid_of(group[0])
    return entries


def _newest(group: list[Component], reporter: Callable[[str], Report]) -> list[Component]:
    """The events of a UID without earlier revisions of the same (RFC 5545, 3.8.7.4)."""
    newest: dict[str, int] = {}
    for event in group:
        newest[event.value("RECURRENCE-ID")] = max(
            newest.get(event.value("RECURRENCE-ID"), 0), _sequence(event)
        )
    kept: list[Component] = []
    for event in group:
        overridden = bool(event.value("RECURRENCE-ID")) and any(
            event.value("RECURRENCE-ID") == each.value("RECURRENCE-ID") for each in kept
        )
        if _sequence(event) < newest[event.value("RECURRENCE-ID")]:
            reporter(name_event(event))("SEQUENCE", "is an earlier one; the later event is kept")
        elif event in kept or overridden:
            reporter(name_event(event))("UID", "is there once more; the first event is kept")
        else:
            kept.append(event)
    return kept


def _sequence(event: Component) -> int:
    value = event.value("SEQUENCE")
    return int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else 0


def _entry(draft: Draft, home: ZoneInfo, series: Series | None = None) -> dict[str, Any]:
    """An event as a definition has it, its keys in their usual order."""
    dates = series.dates if series else None
    start = dates.start if dates else draft.start
    entry = dict(draft.said)
    entry["start"] = write_moment(start)
    if draft.end is not None:
        end = write_end(after(start, length_between(draft.start, draft.end)))
        if end != entry["start"]:
            entry["end"] = end
    if isinstance(start, datetime) and draft.zone != home:
        entry["time_zone"] = draft.zone.key
    if series and (repeat := series.entry()):
        entry["repeat"] = repeat
    return {key: entry[key] for key in _ORDER if key in entry}
