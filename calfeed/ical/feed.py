"""A feed: a header, the VTIMEZONEs in use, stored VEVENT bytes joined, a footer (RFC 7986)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import icalendar

from calfeed.definitions.colors import COLORS
from calfeed.definitions.values import Event
from calfeed.ical.escaping import Escaped
from calfeed.ical.occurrences import last_end
from calfeed.ical.zones import is_utc, render_vtimezone

_REFRESH = timedelta(hours=1)
"""How often a client is asked to poll; most have a mind of their own."""

FOOTER = b"END:VCALENDAR\r\n"


@dataclass(frozen=True)
class Heading:
    """What a feed says of itself, in one language.

    `source` is its own address (RFC 7986, 5.8); None where that is nobody's business.
    """

    name: str
    source: str | None
    description: str | None = None
    color: str | None = None


@dataclass(frozen=True, order=True)
class ZoneUse:
    """A time zone that VEVENTs refer to by TZID, in which years; `last` None: without an end."""

    time_zone: str
    first: int
    last: int | None


def zone_in_use(event: Event) -> ZoneUse | None:
    """The zone that an event's VEVENT refers to: None where all its times are dates or in UTC."""
    if event.all_day or event.repeat is None or is_utc(event.time_zone):
        return None
    starts = [event.start, *event.repeat.also]
    starts += [change.start for change in event.repeat.changes if change.start is not None]
    first = min(start.year for start in starts if isinstance(start, datetime))
    last = last_end(event)
    return ZoneUse(event.time_zone, first, None if last is None else last.year + 1)


def join_feed(heading: Heading, zones: Iterable[ZoneUse], vevents: Iterable[bytes]) -> bytes:
    """The feed's bytes. Equal arguments give equal bytes in every process."""
    return b"".join([render_header(heading), *_vtimezones(zones), *vevents, FOOTER])


def render_header(heading: Heading) -> bytes:
    """VCALENDAR's own properties, without METHOD, which makes a subscription an invitation."""
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//calfeed//calfeed//EN")
    calendar.add("CALSCALE", "GREGORIAN")
    # Clients differ in which of the pairs they read: the standard's or the older one.
    for name in ("NAME", "X-WR-CALNAME"):
        calendar.add(name, Escaped(heading.name))
    if heading.description:
        for name in ("DESCRIPTION", "X-WR-CALDESC"):
            # The type has to be said: icalendar does not escape what it does not know.
            calendar.add(name, Escaped(heading.description))
    if heading.color:
        calendar.add("COLOR", heading.color)
        calendar.add("X-APPLE-CALENDAR-COLOR", COLORS[heading.color])
    if heading.source:
        calendar.add("SOURCE", heading.source, parameters={"VALUE": "URI"})
    calendar.add("REFRESH-INTERVAL", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT1H")
    text: bytes = calendar.to_ical()
    return text.removesuffix(FOOTER)


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
