"""Import a VEVENT (RFC 5545, 3.6.1), except for its recurrence."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calfeed.importing.alarms import import_alarms
from calfeed.importing.components import Component, Property, name_event
from calfeed.importing.losses import Losses, LossReporter
from calfeed.importing.times.property_times import Moment, TimeReader, in_zone, later
from calfeed.model.events import PROPERTIES, Status
from calfeed.model.properties import CONFERENCE
from calfeed.model.properties import Property as EventProperty
from calfeed.model.texts import MAX_TEXT_LENGTH, check_language, trim
from calfeed.model.values import in_utc

_RECURRENCE = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_SINGLE_PROPERTIES = (
    *("UID", "DTSTART", "DTEND", "DURATION", "STATUS", "TRANSP", "URL", "RECURRENCE-ID"),
    *(detail.name for detail in PROPERTIES.values() if detail is not CONFERENCE),
)
_CONFERENCES = (CONFERENCE.name, "X-GOOGLE-CONFERENCE")
_LISTS = ("CATEGORIES", *_CONFERENCES)
_TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION")
# calfeed manages the revisions of an event from its first publish on.
_MANAGED_BY_CALFEED = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE")
_KNOWN = {*_RECURRENCE, *_SINGLE_PROPERTIES, *_TEXTS, *_MANAGED_BY_CALFEED, *_LISTS}
_REASONS = {
    "ATTENDEE": "calfeed keeps no attendees",
    "ATTACH": "calfeed keeps no attachments; a link can be written as url",
}
_CONTROL_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)


@dataclass
class Draft:
    """A partially imported event.

    `start` and `end` (exclusive, None for no duration) are dates or datetimes in `zone`; `fields`
    holds all other values by their keys in definitions. `report` records losses.
    """

    component: Component
    report: LossReporter
    start: Moment
    end: Moment | None
    zone: ZoneInfo
    fields: dict[str, Any]


def import_event(
    component: Component, reader: TimeReader, language: str, recurs: bool, losses: Losses
) -> Draft | None:
    """Import an event of a calendar in `language`, and report losses.

    Returns None if the event has no valid start.
    """
    report = losses.reporter(name_event(component))
    begin = component.first("DTSTART")
    start = reader.read_first(begin, report)
    if begin is None or start is None:
        report("DTSTART", "cannot be read or is missing, so the event is left out")
        return None
    zone = reader.zone_of(begin) if isinstance(start, datetime) else reader.home
    if zone.key == "UTC" and not recurs and not reader.keeps_utc:
        zone = reader.home  # the instant stays the same
    start = in_zone(start, zone)
    end = _read_end(component, replace(reader, home=zone), start, report)
    fields = _read_texts(component, language, report)
    fields |= _read_other_fields(component, isinstance(start, datetime), report)
    if alarms := import_alarms(component, start, end, zone, recurs, report):
        fields["reminders"] = alarms
    _report_unsupported(component, report)
    return Draft(component, report, start, end, zone, fields)


def _read_end(
    component: Component, reader: TimeReader, start: Moment, report: LossReporter
) -> Moment | None:
    prop = component.first("DTEND") or component.first("DURATION")
    one_day = None if isinstance(start, datetime) else start + timedelta(days=1)
    if prop is None:
        return one_day
    try:
        if prop.name == "DTEND":
            end = reader.read_first(prop, report)
            if end is None:
                return one_day
        else:
            end = later(start, prop.value)
        if isinstance(end, datetime) is not isinstance(start, datetime):
            raise ValueError("the start and the end must both be dates or both have a time")
        if isinstance(end, datetime) and isinstance(start, datetime):
            end = end.astimezone(start.tzinfo)
        if in_utc(end) < in_utc(start) or (end == start and one_day):
            raise ValueError("it is not after the start")
    except (ValueError, TypeError, OverflowError) as error:
        report(prop.name, f"is left out: {error}", prop.value.strip())
        return one_day
    return None if in_utc(end) == in_utc(start) else end


def _read_texts(component: Component, language: str, report: LossReporter) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name.lower(): text
        for name in _TEXTS
        if (text := read_text(component, name, language, report)) is not None
    }
    if "summary" not in fields:
        report("SUMMARY", 'is missing; the title is "Untitled"')
        fields = {"summary": "Untitled"} | fields
    return fields


def read_text(
    component: Component, name: str, language: str, report: LossReporter
) -> str | dict[str, str] | None:
    """Return a text for a definition: a plain string in the calendar's language, else a map."""
    found: dict[str, str] = {}
    for prop in component.all(name):
        text = _tidy(prop, name in ("SUMMARY", "NAME", "X-WR-CALNAME"), report)
        tag = _language_of(prop, report) or language
        if text and tag in found:
            report(name, "is there more than once; the first is kept")
        elif text:
            found[tag] = text
    return found[language] if list(found) == [language] else found or None


def _language_of(prop: Property, report: LossReporter) -> str:
    try:
        return check_language(prop.params["LANGUAGE"]) if prop.params.get("LANGUAGE") else ""
    except ValueError as error:
        report(prop.name, "its LANGUAGE is not kept", error)
        return ""


def _tidy(prop: Property, one_line: bool, report: LossReporter) -> str:
    """Convert a text to one that definitions accept; report changes."""
    text = prop.text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL_CHARACTERS.search(text):
        report(prop.name, "control characters in it are not kept")
        text = _CONTROL_CHARACTERS.sub("", text)
    trimmed = trim(text)
    if trimmed != text and trimmed:
        report(prop.name, "white space around it is not kept")
    if one_line and "\n" in trimmed:
        report(prop.name, "has to be one line, so line breaks became spaces")
        trimmed = " ".join(trimmed.split("\n"))
    if len(trimmed) > MAX_TEXT_LENGTH:
        length = f"{len(trimmed):,} characters"
        report(prop.name, f"is cut after {MAX_TEXT_LENGTH:,} characters", length)
        trimmed = trim(trimmed[:MAX_TEXT_LENGTH])
    return trimmed


def _read_other_fields(component: Component, timed: bool, report: LossReporter) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    status = component.value("STATUS").lower()
    if status in list(Status) and status != Status.CONFIRMED:
        fields["status"] = status
    elif status and status != Status.CONFIRMED:
        report("STATUS", "is not a valid status of an event", status.upper())
    # By default, timed events block time and all-day events do not.
    unusual = "TRANSPARENT" if timed else "OPAQUE"
    if status != Status.CANCELLED and component.value("TRANSP") == unusual:
        fields["busy"] = not timed
    if url := component.first("URL"):
        fields["url"] = url.value.strip()
    labels = [label for prop in component.all("CATEGORIES") for label in prop.texts]
    labels = [" ".join(_CONTROL_CHARACTERS.sub(" ", label).split()) for label in labels]
    if kept := list(dict.fromkeys(filter(None, labels))):
        fields["categories"] = kept
    return fields | _read_details(component, report)


def _read_details(component: Component, report: LossReporter) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for detail in PROPERTIES.values():
        names = _CONFERENCES if detail is CONFERENCE else (detail.name,)
        found = [prop for name in names for prop in component.all(name)]
        if found and (value := _read_detail(detail, found[0], report)) is not None:
            fields[detail.key] = value
        if detail is CONFERENCE:
            others = dict.fromkeys(prop.value.strip() for prop in found)
            for url in list(others)[1:]:
                report(detail.name, "is not kept: an event has one", url)
    return fields


def _read_detail(detail: EventProperty, prop: Property, report: LossReporter) -> object:
    """Return the value of a detail for a definition, if any."""
    if detail.read is None:
        return _tidy(prop, True, report) or None
    try:
        return detail.read(prop.value.strip(), prop.params)
    except ValueError as error:
        report(prop.name, str(error), prop.value.strip())
        return None


def _report_unsupported(component: Component, report: LossReporter) -> None:
    """Report unsupported properties and components."""
    for name, count in Counter(prop.name for prop in component.properties).items():
        times = f"{count} times" if count > 1 else ""
        if name in _SINGLE_PROPERTIES and count > 1:
            report(name, "is there more than once; the first is kept", times)
        elif name not in _KNOWN:
            report(name, _REASONS.get(name, "calfeed has no such property"), times)
    for inner in component.components:
        if inner.name != "VALARM":
            report(inner.name, "is not kept")
    for line in component.invalid_lines:
        report(line.strip()[:40], "cannot be parsed as a property")
