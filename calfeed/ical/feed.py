"""Join a feed: header, VTIMEZONEs in use, stored VEVENT bytes, footer (RFC 7986)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from calfeed import PRODID
from calfeed.ical.content_lines import Component
from calfeed.ical.history import ENDLESS
from calfeed.ical.zones.vtimezones import canonical_zone, is_utc, render_vtimezone
from calfeed.model.colors import COLORS
from calfeed.model.events import Event

_REFRESH = "PT1H"
"""The suggested poll interval; most clients use their own."""

_TZID = re.compile(rb"^DTSTART;TZID=([^:]+):", re.MULTILINE)
"""A line with the name of a zone. Texts cannot match: their folded lines begin with a space."""

FOOTER = b"END:VCALENDAR\r\n"


@dataclass(frozen=True)
class Heading:
    """The calendar properties of a feed, in one language.

    `source` is the URL of the feed (RFC 7986, 5.8), None if the feed is private. `time_zone` is the
    zone in which apps may show the feed, None for events of several calendars.
    """

    name: str
    source: str | None
    description: str | None = None
    color: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, order=True)
class ZoneUse:
    """A time zone that VEVENTs use by TZID, and the years; `last` is None for an endless series."""

    time_zone: str
    first: int
    last: int | None


def zone_in_use(event: Event, vevent: bytes, last_year: int) -> ZoneUse | None:
    """Return the zone that a VEVENT uses, None if all its times are dates or in UTC.

    `last_year` is the year (UTC) in which the last occurrence ends, or `ENDLESS`. The name of the
    zone is taken from the stored bytes, because it may have changed since they were rendered.
    """
    tzid = _TZID.search(vevent)
    if tzid is None:
        return None
    starts = [event.start]
    if event.repeat is not None:
        starts += event.repeat.also
        starts += [change.start for change in event.repeat.changes if change.start is not None]
    first = min(start.year for start in starts)
    return ZoneUse(tzid[1].decode(), first, None if last_year == ENDLESS else last_year + 1)


def zone_to_name(time_zone: str, events: Iterable[Event]) -> str | None:
    """Return the zone for X-WR-TIMEZONE: the calendar's, or None if a timed event recurs in UTC.

    Some apps would expand a rule in UTC on the clock of X-WR-TIMEZONE.
    """
    if any(event.repeat and not event.all_day and is_utc(event.time_zone) for event in events):
        return None
    return time_zone


def join_feed(heading: Heading, zones: Iterable[ZoneUse], vevents: Iterable[bytes]) -> bytes:
    """Return the bytes of a feed, which are deterministic in every process."""
    return b"".join([render_header(heading), *_vtimezones(zones), *vevents, FOOTER])


def join_object(zone: ZoneUse | None, vevents: bytes) -> bytes:
    """Return a calendar object resource (RFC 4791, 4.1): one event, with the zone that it uses."""
    calendar = _begin_calendar().to_bytes().removesuffix(FOOTER)
    return b"".join([calendar, *_vtimezones([zone] if zone else []), vevents, FOOTER])


def render_header(heading: Heading) -> bytes:
    """Write the properties of VCALENDAR, without METHOD, which would make it an invitation."""
    calendar = _begin_calendar()
    # Some clients read only the standard property, others only the older X- property.
    for name in ("NAME", "X-WR-CALNAME"):
        calendar.put_text(name, heading.name)
    if heading.description:
        for name in ("DESCRIPTION", "X-WR-CALDESC"):
            calendar.put_text(name, heading.description)
    if heading.color:
        calendar.put("COLOR", heading.color)
        calendar.put("X-APPLE-CALENDAR-COLOR", COLORS[heading.color])
    if heading.time_zone:
        zone = "UTC" if is_utc(heading.time_zone) else canonical_zone(heading.time_zone)
        calendar.put("X-WR-TIMEZONE", zone)
    if heading.source:
        calendar.put("SOURCE", heading.source, {"VALUE": "URI"})
    calendar.put("REFRESH-INTERVAL", _REFRESH, {"VALUE": "DURATION"})
    calendar.put("X-PUBLISHED-TTL", _REFRESH)
    return calendar.to_bytes().removesuffix(FOOTER)


def _begin_calendar() -> Component:
    calendar = Component("VCALENDAR")
    calendar.put("VERSION", "2.0")
    calendar.put("PRODID", PRODID)
    calendar.put("CALSCALE", "GREGORIAN")
    return calendar


def _vtimezones(uses: Iterable[ZoneUse]) -> list[bytes]:
    """Render one VTIMEZONE per zone for all years in use, sorted by name."""
    merged: dict[str, ZoneUse] = {}
    for use in uses:
        other = merged.get(use.time_zone, use)
        endless = use.last is None or other.last is None
        last = None if endless else max(use.last or 0, other.last or 0)
        merged[use.time_zone] = ZoneUse(use.time_zone, min(use.first, other.first), last)
    return [
        render_vtimezone(use.time_zone, use.first, use.last) for _, use in sorted(merged.items())
    ]
