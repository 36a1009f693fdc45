"""A feed: a header, the VTIMEZONEs in use, stored VEVENT bytes joined, a footer (RFC 7986)."""

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
"""How often a client is asked to poll; most have a mind of their own."""

_TZID = re.compile(rb"^DTSTART;TZID=([^:]+):", re.MULTILINE)
"""A zone's name. Texts are no danger: a line that goes on begins with a space."""

FOOTER = b"END:VCALENDAR\r\n"


@dataclass(frozen=True)
class Heading:
    """What a feed says of itself, in one language.

    `source` is its own address (RFC 7986, 5.8); None where that is nobody's business.
    `time_zone` is the zone in which apps may show it; None for events of several calendars.
    """

    name: str
    source: str | None
    description: str | None = None
    color: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, order=True)
class ZoneUse:
    """A time zone that VEVENTs refer to by TZID, in which years; `last` None: without an end."""

    time_zone: str
    first: int
    last: int | None


def zone_in_use(event: Event, vevent: bytes, last_year: int) -> ZoneUse | None:
    """The zone that an event's VEVENT refers to: None where all its times are dates or in UTC.

    `last_year` is when (UTC) its last occurrence ends, `ENDLESS` for none. The name is taken from
    the stored bytes: what a zone is called today may not be what it was called then.
    """
    named = _TZID.search(vevent)
    if named is None:
        return None
    starts = [event.start]
    if event.repeat is not None:
        starts += event.repeat.also
        starts += [change.start for change in event.repeat.changes if change.start is not None]
    first = min(start.year for start in starts)
    return ZoneUse(named[1].decode(), first, None if last_year == ENDLESS else last_year + 1)


def zone_to_name(time_zone: str, events: Iterable[Event]) -> str | None:
    """The zone that a feed names as its own (X-WR-TIMEZONE), its calendar's.

    None where an event comes again by the clock of UTC: some apps would take its rule for one on
    the clock of the zone that is named.
    """
    if any(one.repeat is not None and not one.all_day and is_utc(one.time_zone) for one in events):
        return None
    return time_zone


def join_feed(heading: Heading, zones: Iterable[ZoneUse], vevents: Iterable[bytes]) -> bytes:
    """The feed's bytes. Equal arguments give equal bytes in every process."""
    return b"".join([render_header(heading), *_vtimezones(zones), *vevents, FOOTER])


def render_header(heading: Heading) -> bytes:
    """VCALENDAR's own properties, without METHOD, which makes a subscription an invitation."""
    calendar = Component("VCALENDAR")
    calendar.put("VERSION", "2.0")
    calendar.put("PRODID", PRODID)
    calendar.put("CALSCALE", "GREGORIAN")
    # Clients differ in which of the pairs they read: the standard's or the older one.
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


def _vtimezones(uses: Iterable[ZoneUse]) -> list[bytes]:
    """One VTIMEZONE for each zone, for all the years that any event uses, sorted by name."""
    merged: dict[str, ZoneUse] = {}
    for use in uses:
        other = merged.get(use.time_zone, use)
        endless = use.last is None or other.last is None
        last = None if endless else max(use.last or 0, other.last or 0)
        merged[use.time_zone] = ZoneUse(use.time_zone, min(use.first, other.first), last)
    return [
        render_vtimezone(use.time_zone, use.first, use.last) for _, use in sorted(merged.items())
    ]
