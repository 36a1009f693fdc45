"""Calendars in formats other than iCalendar: JSON, CSV, Atom, and JSON-LD for pages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.comparison.changes import Kind as ChangeKind
from calfeed.ical.wording.change_text import describe_change
from calfeed.ical.wording.words import words_in
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Calendar, Event, Kind
from calfeed.model.revision import Move
from calfeed.model.site import PRODUCT
from calfeed.model.values import text_in
from calfeed.reminders.messages import describe_event, describe_time
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.rows import EventRow
from calfeed.web.published.former_dates import list_past_dates

ATOM = "http://www.w3.org/2005/Atom"
"""The namespace of RFC 4287."""

_COLUMNS = (
    "calendar",
    "event",
    "summary",
    "start",
    "end",
    "all_day",
    "time_zone",
    "status",
    "kind",
    "recurrence",
    "location",
    "categories",
    "url",
    "description",
    "sequence",
    "uid",
    "earliest",
    "latest",
    "precision",
    "edtf",
    "on_hold",
)


_TOLD_BY_KIND = (
    *(ChangeKind.ADDED, ChangeKind.CHANGED),
    *(ChangeKind.CANCELLED, ChangeKind.WITHDRAWN),
)
"""The changes whose Atom entries say whether an event or a deadline changed."""


def make_json(calendar: Calendar, rows: Iterable[EventRow], base_url: str) -> bytes:
    """Return a calendar and its events as JSON, with all translations and past moves.

    Each event is on its own line, and has the same keys as in webhook messages; `end` is exclusive.
    """
    described = calendar.model_dump(mode="json", exclude_none=True, exclude={"events", "formerly"})
    pages = f"{base_url}/calendars/{calendar.slug}"
    events = ",\n".join(_to_json(describe_published(row, f"{pages}/{row.slug}/")) for row in rows)
    return f'{{"calendar":{_to_json(described)},"events":[\n{events}\n]}}\n'.encode()


def describe_published(row: EventRow, page: str | None) -> dict[str, Any]:
    """Describe an event as in webhook messages, with all translations and past moves."""
    revision = row.revision
    event = revision.event
    return {
        **describe_event(revision, page),
        "texts": event.model_dump(
            mode="json", include={"summary", "description", "location"}, exclude_none=True
        ),
        "modified": revision.modified.isoformat(),
        "history": [describe_move(move, event.language) for move in row.moves],
    }


def describe_move(move: Move, language: str) -> dict[str, Any]:
    """Describe an earlier time of an event, and the day on which it changed.

    If only one occurrence moved, `occurrence` is its id. `precision` is there if the time was
    uncertain, `on_hold` if there was no date then, `corrected` if the time was never right.
    """
    return {
        **({"occurrence": move.occurrence} if move.occurrence is not None else {}),
        "start": move.start.isoformat(),
        "end": move.end.isoformat() if move.end else None,
        "moved_on": move.on.isoformat(),
        "note": text_in(move.note, language) if move.note else None,
        **({"precision": move.precision.value} if move.precision is not None else {}),
        **({"on_hold": move.held.value} if move.held is not None else {}),
        **({"corrected": True} if move.corrected else {}),
    }


def make_csv(rows: Iterable[EventRow]) -> bytes:
    """Return events as CSV (RFC 4180, UTF-8); `end` is exclusive.

    The columns from `earliest` to `edtf` are empty for a date that is certain. `on_hold` is empty
    for an event that has a date; for an event on hold, the times are those of its former date.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for row in rows:
        described = describe_event(row.revision)
        described |= described.get("when", {})
        described["on_hold"] = described.get("on_hold", {}).get("why", "")
        described["event"] = described["slug"]
        described["categories"] = ", ".join(described["categories"])
        table.writerow([_cell(described.get(name, "")) for name in _COLUMNS])
    return text.getvalue().encode()


def make_atom(
    title: str,
    page: str,
    address: str,
    changes: Sequence[AnnouncedChange],
    base_url: str,
    author: str = PRODUCT,
) -> bytes:
    """Return an Atom feed of announced changes, newest first (RFC 4287).

    `page` is the URL of the page that the feed belongs to, `address` its own. `author` is the name
    of the site.
    """
    feed = Element("feed", {"xmlns": ATOM})
    _add_text(feed, "id", address)
    _add_text(feed, "title", title)
    newest = max((row.at for row in changes), default=None)
    _add_text(feed, "updated", _stamp(newest) if newest else "1970-01-01T00:00:00Z")
    SubElement(feed, "link", {"rel": "self", "href": address})
    SubElement(feed, "link", {"rel": "alternate", "href": page})
    SubElement(SubElement(feed, "author"), "name").text = author
    for row in changes:
        event = row.change.after.event
        entry = SubElement(feed, "entry")
        _add_text(entry, "id", f"urn:calfeed:{event.uid}:{row.position.sequence}")
        _add_text(entry, "title", _title(row))
        _add_text(entry, "updated", _stamp(row.at))
        page_of = f"{base_url}/calendars/{event.calendar}/{event.slug}/"
        SubElement(entry, "link", {"rel": "alternate", "href": page_of})
        SubElement(entry, "category", {"term": row.kind})
        _add_text(entry, "content", _describe(row.change))
    text: str = tostring(feed, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def make_json_ld(row: EventRow, page: str, image: str = "") -> dict[str, Any] | None:
    """Describe an event for search engines (schema.org/Event), None if its day is not known.

    Search engines show `startDate` as the date, so the day must be known. A postponed event keeps
    the date that it had. `image` is the URL of its picture, if there is one. Google shows only
    events with a location (https://developers.google.com/search/docs/appearance/structured-data/event).
    """
    event = row.revision.event
    if event.precision not in (None, Precision.TIME):
        return None
    state, previous = "EventScheduled", None
    if row.revision.cancelled:
        state = "EventCancelled"
    elif event.on_hold is not None:
        state = "EventPostponed"
    elif (previous := _find_previous_start(row)) is not None:
        state = "EventRescheduled"
    time = describe_time(event, event.start, event.end)
    location, attendance = _describe_location(event)
    entries = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": text_in(event.summary, event.language),
        "description": _text(event, "description"),
        "startDate": time["start"],
        "endDate": _last_day(event) if event.all_day else time["end"],
        "previousStartDate": previous,
        "eventStatus": f"https://schema.org/{state}",
        "eventAttendanceMode": attendance,
        "location": location,
        "organizer": _describe_organizer(event),
        "image": [image] if image else None,
        "inLanguage": event.language,
        "url": page,
    }
    return {key: value for key, value in entries.items() if value is not None}


def _describe_location(event: Event) -> tuple[Any, str | None]:
    """Return where an event takes place, and how people attend (schema.org); None if unknown."""
    place: dict[str, Any] | None = None
    online: dict[str, Any] | None = None
    if (name := _text(event, "location")) is not None:
        # Google requires an address, which may be a text.
        place = {"@type": "Place", "name": name, "address": name}
        if event.geo is not None:
            geo = {"latitude": event.geo.latitude, "longitude": event.geo.longitude}
            place |= {"geo": {"@type": "GeoCoordinates", **geo}}
    if event.conference is not None:
        online = {"@type": "VirtualLocation", "url": event.conference.url}
    if place and online:
        return [place, online], "https://schema.org/MixedEventAttendanceMode"
    if online:
        return online, "https://schema.org/OnlineEventAttendanceMode"
    return place, "https://schema.org/OfflineEventAttendanceMode" if place else None


def _describe_organizer(event: Event) -> dict[str, str] | None:
    if event.organizer is None:
        return None
    found = event.organizer
    return {"@type": "Organization", "name": found.name, "email": found.email}


def _find_previous_start(row: EventRow) -> str | None:
    """Return the start before the last move; None if there is none, or if it was uncertain.

    Corrections are not moves: the start before a correction was never right.
    """
    if row.announced is None:
        return None
    moved = [past for past in list_past_dates(row.announced) if past.really_moved]
    if not moved or moved[-1].precision not in (None, Precision.TIME):
        return None
    return moved[-1].start.isoformat()


def _title(row: AnnouncedChange) -> str:
    """Return the event's title and the kind of the change; of a move, its exact kind (Shift)."""
    event = row.change.after.event
    words = words_in(event.language)
    name = words.names[row.change.shift or row.kind]
    return words.label(text_in(event.summary, event.language), name)


def _describe(change: EventChange) -> str:
    """Describe a change in a sentence: the change, the present date, and the reason."""
    event = change.after.event
    language = event.language
    noun = "deadline" if event.kind is Kind.DEADLINE else "event"
    name = f"{change.kind}_{noun}" if change.kind in _TOLD_BY_KIND else None
    text = describe_change(change, language, name)
    text = text[0].upper() + text[1:]
    note = change.reason
    return words_in(language).label(text, text_in(note, language)) if note else text


def _text(event: Event, name: str) -> str | None:
    text = getattr(event, name)
    return text_in(text, event.language) if text else None


def _last_day(event: Event) -> str:
    """Return the last day of an all-day event: schema.org's endDate is inclusive."""
    time = describe_time(event, event.start, event.end)
    last = datetime.fromisoformat(time["end"]).toordinal() - 1
    return datetime.fromordinal(last).date().isoformat()


def _cell(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # Spreadsheets would treat these as formulas.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _add_text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _to_json(value: Any) -> str:
    # Indenting would take ten times as long.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
