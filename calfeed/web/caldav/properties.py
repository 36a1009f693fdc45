"""The properties of CalDAV resources, in one table for each kind of resource.

A new property is a line in a table: its name, and a function from the resource to the XML of its
value, or to None if the resource does not have the property.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from calfeed.ical.feed import join_object
from calfeed.ical.zones.vtimezones import canonical_zone, is_utc, render_vtimezone
from calfeed.model.colors import COLORS
from calfeed.model.values import text_in
from calfeed.reminders.pushing import topic_of
from calfeed.web.caldav.collections import OBJECT_TYPE
from calfeed.web.caldav.resources import (
    CalendarResource,
    EventResource,
    Home,
    Principal,
    Resource,
    Root,
)
from calfeed.web.caldav.xml.multistatus import Table, write_element, write_href
from calfeed.web.caldav.xml.requests import CALDAV, DAV, PUSH

CALENDAR_SERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"

CALENDAR_DATA = f"{CALDAV}calendar-data"

ORDINARY = tuple(
    DAV + name
    for name in (
        "displayname",
        "resourcetype",
        "getcontenttype",
        "getcontentlength",
        "getetag",
        "getlastmodified",
    )
)
"""The properties for a request for all properties, without those of CalDAV (RFC 4791, 5.2)."""

REPORTS = {
    "calendar-query": CALDAV,
    "calendar-multiget": CALDAV,
    "sync-collection": DAV,
}

_PRIVILEGES = "".join(
    write_element(f"{DAV}privilege", write_element(DAV + name))
    for name in ("read", "read-current-user-privilege-set")
)
_REPORT_SET = "".join(
    write_element(
        f"{DAV}supported-report", write_element(f"{DAV}report", write_element(uri + name))
    )
    for name, uri in REPORTS.items()
)


def _always(value: str) -> Callable[[Any], str]:
    return lambda resource: value


def _type(*names: str) -> Callable[[Any], str]:
    return _always("".join(write_element(name) for name in names))


def _principal(resource: Resource) -> str:
    return write_href(resource.view.principal)


def _home(resource: Resource) -> str:
    return write_href(resource.view.home)


_COMMON: Table = {
    f"{DAV}current-user-principal": _principal,
    f"{DAV}current-user-privilege-set": _always(_PRIVILEGES),
    f"{DAV}principal-collection-set": lambda resource: write_href(resource.view.root),
    f"{DAV}owner": _principal,
}

_ABOVE: Table = {
    **_COMMON,
    f"{DAV}displayname": _always("Calendars"),
    f"{DAV}principal-URL": _principal,
    f"{DAV}supported-report-set": _always(""),
    f"{CALDAV}calendar-home-set": _home,
}
"""The properties of the resources above the calendars.

All of them have the calendar home, because clients look for it in different ones.
"""

ROOT: Table = {**_ABOVE, f"{DAV}resourcetype": _type(f"{DAV}collection")}

PRINCIPAL: Table = {
    **_ABOVE,
    f"{DAV}resourcetype": _type(f"{DAV}collection", f"{DAV}principal"),
    # Apple's calendar requires an address. Nobody can be invited here, so it is the principal's
    # URL.
    f"{CALDAV}calendar-user-address-set": _principal,
}

HOME: Table = {**_ABOVE, f"{DAV}resourcetype": _type(f"{DAV}collection")}


def _name(resource: CalendarResource) -> str:
    calendar = resource.collection.calendar.calendar
    return escape(text_in(calendar.name, calendar.language))


def _description(resource: CalendarResource) -> str | None:
    calendar = resource.collection.calendar.calendar
    if not calendar.description:
        return None
    return escape(text_in(calendar.description, calendar.language))


def _color(resource: CalendarResource) -> str | None:
    color = resource.collection.calendar.calendar.color
    return COLORS[color] if color else None


def _zone_name(resource: CalendarResource) -> str:
    zone = resource.collection.calendar.calendar.time_zone
    return "UTC" if is_utc(zone) else canonical_zone(zone)


def _zone(resource: CalendarResource) -> str | None:
    """The zone for dates and floating times, as an iCalendar object (RFC 4791, 5.2.2)."""
    name = _zone_name(resource)
    if name == "UTC":
        return None
    vtimezone = render_vtimezone(name, resource.collection.year, None)
    return escape(join_object(None, vtimezone).decode())


def _token(resource: CalendarResource) -> str:
    return escape(str(resource.sync_token))


def _transports(resource: CalendarResource) -> str | None:
    key = resource.view.push_key
    if not key:
        return None
    vapid = f'<P:vapid-public-key type="p256ecdsa">{key}</P:vapid-public-key>'
    return write_element(f"{PUSH}web-push", vapid)


def _topic(resource: CalendarResource) -> str | None:
    if not resource.view.push_key:
        return None
    return topic_of(resource.collection.calendar.calendar.slug)


def _triggers(resource: CalendarResource) -> str | None:
    if not resource.view.push_key:
        return None
    return write_element(f"{PUSH}content-update", write_element(f"{DAV}depth", "1"))


CALENDAR: Table = {
    **_COMMON,
    f"{DAV}resourcetype": _type(f"{DAV}collection", f"{CALDAV}calendar"),
    f"{DAV}displayname": _name,
    f"{DAV}supported-report-set": _always(_REPORT_SET),
    f"{DAV}sync-token": _token,
    f"{DAV}getlastmodified": lambda resource: _stamp(resource.collection.calendar),
    f"{CALENDAR_SERVER}getctag": _token,
    f"{CALDAV}supported-calendar-component-set": _always('<C:comp name="VEVENT"/>'),
    f"{CALDAV}supported-calendar-data": _always(
        '<C:calendar-data content-type="text/calendar" version="2.0"/>'
    ),
    f"{CALDAV}supported-collation-set": _always(
        "<C:supported-collation>i;ascii-casemap</C:supported-collation>"
        "<C:supported-collation>i;octet</C:supported-collation>"
    ),
    f"{CALDAV}calendar-description": _description,
    f"{CALDAV}calendar-timezone": _zone,
    f"{CALDAV}calendar-timezone-id": _zone_name,
    f"{APPLE}calendar-color": _color,
    f"{PUSH}transports": _transports,
    f"{PUSH}topic": _topic,
    f"{PUSH}supported-triggers": _triggers,
}

EVENT: Table = {
    **_COMMON,
    f"{DAV}resourcetype": _always(""),
    f"{DAV}getetag": lambda resource: escape(resource.member.etag),
    f"{DAV}getcontenttype": _always(OBJECT_TYPE),
    f"{DAV}getcontentlength": lambda resource: str(len(resource.member.body)),
    f"{DAV}getlastmodified": lambda resource: _stamp(resource.member),
    CALENDAR_DATA: lambda resource: escape(resource.member.body.decode()),
}


def _stamp(dated: Any) -> str:
    return format_datetime(dated.modified, usegmt=True)


_TABLES: dict[type[Resource], Table] = {
    Root: ROOT,
    Principal: PRINCIPAL,
    Home: HOME,
    CalendarResource: CALENDAR,
    EventResource: EVENT,
}


def table_of(resource: Resource) -> Table:
    return _TABLES[type(resource)]
