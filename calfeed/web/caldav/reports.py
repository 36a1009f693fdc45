"""The reports of a calendar: calendar-query, calendar-multiget, sync-collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from calfeed.errors import InvalidInputError
from calfeed.web.caldav.filters import UnsupportedFilterError, choose_members
from calfeed.web.caldav.properties import EVENT, ORDINARY
from calfeed.web.caldav.resources import CalendarResource, EventResource, Resource, find_event
from calfeed.web.caldav.responses import RefusedError
from calfeed.web.caldav.sync_tokens import find_changes, parse_token
from calfeed.web.caldav.xml.multistatus import ResponseWriter, write_multistatus, write_status
from calfeed.web.caldav.xml.requests import CALDAV, DAV, parse_body, read_wanted


def make_report(resource: Resource, body: bytes) -> bytes:
    """Make the multistatus for a REPORT.

    Raises InvalidInputError if the request is not valid, RefusedError if it is not supported.
    """
    request = parse_body(body)
    make = _REPORTS.get(request.tag)
    if make is None or not isinstance(resource, CalendarResource):
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{DAV}supported-report")
    return make(resource, request)


def _query(resource: CalendarResource, request: Element) -> bytes:
    try:
        members = choose_members(resource.collection, request)
    except UnsupportedFilterError as error:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{CALDAV}supported-filter") from error
    except InvalidInputError as error:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"{CALDAV}valid-filter") from error
    events = (EventResource(resource, member) for member in members)
    writer = _writer(request)
    return write_multistatus(writer.write(event.href, event) for event in events)


def _multiget(resource: CalendarResource, request: Element) -> bytes:
    writer = _writer(request)

    def write() -> Iterator[str]:
        hrefs = dict.fromkeys((href.text or "").strip() for href in request.iter(f"{DAV}href"))
        answered = set[str]()
        for href in hrefs:
            event = _find_linked(resource, href)
            if event is None:
                yield write_status(href, HTTPStatus.NOT_FOUND)
            elif event.href not in answered:  # once, however its URL is spelled
                answered.add(event.href)
                yield writer.write(event.href, event)

    return write_multistatus(write())


def _find_linked(resource: CalendarResource, href: str) -> EventResource | None:
    """Find an event of this calendar by a URL or a path."""
    try:
        path = unquote(urlsplit(href).path)
    except ValueError:
        return None
    folder, _, name = path.rpartition("/")
    return find_event(resource, name) if f"{folder}/" == resource.href else None


def _synchronize(resource: CalendarResource, request: Element) -> bytes:
    """Report the changes since a token, or all members without one (RFC 6578, 3.4)."""
    if request.find(f"{DAV}limit") is not None:
        # All changes of a publish have the same number, so no token can identify a part of them.
        raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"{DAV}number-of-matches-within-limits")
    given = (request.findtext(f"{DAV}sync-token") or "").strip()
    changed, removed = list(resource.collection.members), list[str]()
    if given:
        lineage = resource.view.snapshot.lineage
        try:
            changed, removed = find_changes(resource.collection, parse_token(given), lineage)
        except InvalidInputError as error:
            raise RefusedError(HTTPStatus.FORBIDDEN, f"{DAV}valid-sync-token") from error
    writer = _writer(request)

    def write() -> Iterator[str]:
        for member in changed:
            event = EventResource(resource, member)
            yield writer.write(event.href, event)
        for name in removed:
            yield write_status(resource.href + name, HTTPStatus.NOT_FOUND)

    return write_multistatus(write(), str(resource.sync_token))


def _writer(request: Element) -> ResponseWriter:
    return ResponseWriter(EVENT, read_wanted(request), ORDINARY)


_REPORTS: dict[str, Callable[[CalendarResource, Element], bytes]] = {
    f"{CALDAV}calendar-query": _query,
    f"{CALDAV}calendar-multiget": _multiget,
    f"{DAV}sync-collection": _synchronize,
}
