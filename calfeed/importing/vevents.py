"""One VEVENT (RFC 5545, 3.6.1) as what a definition says of it, recurrence left aside."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.importing.alarms import import_alarms
from calfeed.importing.components import Component, Property
from calfeed.importing.losses import Report
from calfeed.importing.times.property_times import Clock, Moment, in_zone, later
from calfeed.model.events import PROPERTIES, Status
from calfeed.model.properties import CONFERENCE
from calfeed.model.properties import Property as EventProperty
from calfeed.model.texts import LONGEST_TEXT, check_language, trim

_RECURRENCE = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_ONCE = (
    *("UID", "DTSTART", "DTEND", "DURATION", "STATUS", "TRANSP", "URL", "RECURRENCE-ID"),
    *(one.name for one in PROPERTIES.values() if one is not CONFERENCE),
)
_CONFERENCES = (CONFERENCE.name, "X-GOOGLE-CONFERENCE")
_LISTS = ("CATEGORIES", *_CONFERENCES)
_TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION")
# The revisions of an event are calfeed's own business from its first publish on.
_OURS = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE")
_KNOWN = {*_RECURRENCE, *_ONCE, *_TEXTS, *_OURS, *_LISTS}
_REASONS = {
    "ATTENDEE": "calfeed keeps no attendees",
    "ATTACH": "calfeed keeps no attachments; a link can be written as url",
}
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass
class Draft:
    """An event on its way to a definition.

    `start` and `end` (exclusive, None for no length) are dates or on the clocks of `zone`;
    `said` holds all that has nothing to do with time, by the keys of a definition. `report` takes
    what is not kept of it.
    """

    component: Component
    report: Report
    start: Moment
    end: Moment | None
    zone: ZoneInfo
    said: dict[str, Any]


def import_event(
    component: Component, clock: Clock, language: str, recurs: bool, report: Report
) -> Draft | None:
    """Read an event in a calendar whose texts are in `language`; None where it has no start.

    What is not kept is reported.
    """
    begin = component.first("DTSTART")
    start = clock.one(begin, report)
    if begin is None or start is None:
        report("DTSTART", "cannot be read or is missing, so the event is left out")
        return None
    zone = clock.zone_of(begin) if isinstance(start, datetime) else clock.home
    if zone.key == "UTC" and not recurs and not clock.keeps_utc:
        zone = clock.home  # a single moment is the same on all clocks
    start = in_zone(start, zone)
    end = _read_end(component, replace(clock, home=zone), start, report)
    said = _read_texts(component, language, report)
    said |= _read_facts(component, isinstance(start, datetime), report)
    if alarms := import_alarms(component, start, end, zone, recurs, report):
        said["reminders"] = alarms
    _report_rest(component, report)
    return Draft(component, report, start, end, zone, said)


def _read_end(component: Component, clock: Clock, start: Moment, report: Report) -> Moment | None:
    prop = component.first("DTEND") or component.first("DURATION")
    one_day = None if isinstance(start, datetime) else start + timedelta(days=1)
    if prop is None:
        return one_day
    try:
        if prop.name == "DTEND":
            end = clock.one(prop, report)
            if end is None:
                return one_day
        else:
            end = later(start, prop.value)
        if isinstance(end, datetime) is not isinstance(start, datetime):
            raise ValueError("the start and the end must both be dates or both have a time")
        if isinstance(end, datetime) and isinstance(start, datetime):
            end = end.astimezone(start.tzinfo)
        if end < start or (end == start and one_day):
            raise ValueError("it is not after the start")
    except (ValueError, TypeError, OverflowError) as error:
        report(prop.name, f"is left out: {error}", prop.value.strip())
        return one_day
    return None if end == start else end


def _read_texts(component: Component, language: str, report: Report) -> dict[str, Any]:
    said: dict[str, Any] = {
        name.lower(): text
        for name in _TEXTS
        if (text := read_text(component, name, language, report)) is not None
    }
    if "summary" not in said:
        report("SUMMARY", 'is missing; the title is "Untitled"')
        said = {"summary": "Untitled"} | said
    return said


def read_text(
    component: Component, name: str, language: str, report: Report
) -> str | dict[str, str] | None:
    """A text as a definition has it: plain in the calendar's language, else by its language."""
    found: dict[str, str] = {}
    for prop in component.all(name):
        text = _tidy(prop, name in ("SUMMARY", "NAME", "X-WR-CALNAME"), report)
        tag = _language_of(prop, report) or language
        if text and tag in found:
            report(name, "is there more than once; the first is kept")
        elif text:
            found[tag] = text
    return found[language] if list(found) == [language] else found or None


def _language_of(prop: Property, report: Report) -> str:
    try:
        return check_language(prop.params["LANGUAGE"]) if prop.params.get("LANGUAGE") else ""
    except ValueError as error:
        report(prop.name, "its LANGUAGE is not kept", error)
        return ""


def _tidy(prop: Property, one_line: bool, report: Report) -> str:
    """The text as a definition can hold it; whatever that changes is reported."""
    text = prop.text.replace("\r\n", "\n").replace("\r", "\n")
    if _REFUSED.search(text):
        report(prop.name, "control characters in it are not kept")
        text = _REFUSED.sub("", text)
    trimmed = trim(text)
    if trimmed != text and trimmed:
        report(prop.name, "white space around it is not kept")
    if one_line and "\n" in trimmed:
        report(prop.name, "has to be one line, so line breaks became spaces")
        trimmed = " ".join(trimmed.split("\n"))
    if len(trimmed) > LONGEST_TEXT:
        length = f"{len(trimmed):,} characters"
        report(prop.name, f"is cut after {LONGEST_TEXT:,} characters", length)
        trimmed = trim(trimmed[:LONGEST_TEXT])
    return trimmed


def _read_facts(component: Component, timed: bool, report: Report) -> dict[str, Any]:
    said: dict[str, Any] = {}
    status = component.value("STATUS").lower()
    if status in list(Status) and status != Status.CONFIRMED:
        said["status"] = status
    elif status and status != Status.CONFIRMED:
        report("STATUS", "is no status of an event", status.upper())
    # What has a time blocks it, and what is all day does not, unless the event says otherwise.
    unusual = "TRANSPARENT" if timed else "OPAQUE"
    if status != Status.CANCELLED and component.value("TRANSP") == unusual:
        said["busy"] = not timed
    if url := component.first("URL"):
        said["url"] = url.value.strip()
    labels = [label for prop in component.all("CATEGORIES") for label in prop.texts]
    labels = [" ".join(_REFUSED.sub(" ", label).split()) for label in labels]
    if kept := list(dict.fromkeys(filter(None, labels))):
        said["categories"] = kept
    return said | _read_details(component, report)


def _read_details(component: Component, report: Report) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for one in PROPERTIES.values():
        names = _CONFERENCES if one is CONFERENCE else (one.name,)
        found = [prop for name in names for prop in component.all(name)]
        if found and (value := _read_detail(one, found[0], report)) is not None:
            said[one.key] = value
        if one is CONFERENCE:
            others = dict.fromkeys(prop.value.strip() for prop in found)
            for url in list(others)[1:]:
                report(one.name, "is not kept: an event has one", url)
    return said


def _read_detail(one: EventProperty, prop: Property, report: Report) -> object:
    """What a definition says of a detail; None for nothing."""
    if one.read is None:
        return _tidy(prop, True, report) or None
    try:
        return one.read(prop.value.strip(), prop.params)
    except ValueError as error:
        report(prop.name, str(error), prop.value.strip())
        return None


def _report_rest(component: Component, report: Report) -> None:
    """Report what no definition holds."""
    for name, count in Counter(prop.name for prop in component.properties).items():
        times = f"{count} times" if count > 1 else ""
        if name in _ONCE and count > 1:
            report(name, "is there more than once; the first is kept", times)
        elif name not in _KNOWN:
            report(name, _REASONS.get(name, "calfeed has no such property"), times)
    for inner in component.components:
        if inner.name != "VALARM":
            report(inner.name, "is not kept")
    for line in component.broken:
        report(line.strip()[:40], "is no property that can be read")
