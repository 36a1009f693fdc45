"""The pages: what there is, what comes next, how to subscribe. Right without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, render_template

from calfeed.definitions.values import Status, Text, length_of, text_in
from calfeed.ical.occurrences import Occurrence, expand
from calfeed.ical.text import format_day, format_move, format_when, html_description
from calfeed.store.catalog import EventRow
from calfeed.web.finding import find_calendar, find_event
from calfeed.web.shapes import make_json_ld
from calfeed.web.snapshot import PublishedCalendar, Snapshot, feed_path
from calfeed.web.state import State

_AHEAD = timedelta(days=400)
_MOST = 100


@dataclass(frozen=True)
class Entry:
    """One line of an agenda, as the templates show it."""

    row: EventRow
    occurrence: Occurrence
    summary: str
    language: str
    when: str
    distance: str
    location: str

    @property
    def address(self) -> str:
        event = self.row.revision.event
        return f"/calendars/{event.calendar}/{event.slug}/"

    @property
    def cancelled(self) -> bool:
        return is_cancelled(self.row, self.occurrence)


def make_blueprint(state: State, base_url: str) -> Blueprint:
    """The routes of the pages."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def home() -> str:
        snapshot = state.snapshot
        coming, _ = make_agenda(list(snapshot.rows()), state.clock())
        return render_template(
            "home.html",
            calendars=list_calendars(snapshot),
            coming=coming[:10],
            subscribe=subscribe_links(base_url + "/calendars.ics", "All calendars"),
        )

    @pages.get("/calendars/<slug:slug>/")
    def calendar(slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        coming, past = make_agenda(found.rows, state.clock())
        name = text_in(found.calendar.name, found.calendar.language)
        return render_template(
            "calendar.html",
            calendar=_describe(found),
            coming=coming[:_MOST],
            past=past[:_MOST],
            subscribe=subscribe_links(base_url + feed_path(slug), name),
        )

    @pages.get("/calendars/<slug:slug>/<slug:event_slug>/")
    def event(slug: str, event_slug: str) -> str:
        found = find_calendar(state.snapshot, slug)
        row = find_event(found, event_slug)
        coming, past = make_agenda([row], state.clock())
        revision = row.revision
        event = revision.event
        return render_template(
            "event.html",
            calendar=_describe(found),
            event=event,
            row=row,
            cancelled=is_cancelled(row),
            language=event.language,
            text=lambda value: text_in(value, event.language) if value else "",
            others=[(tag, text) for tag, text in event.summary.items() if tag != event.language],
            direction=text_direction,
            when=format_when(event.start, event.end),
            html=html_description(event, event.language),
            history=[format_move(move, event.language) for move in reversed(revision.history)],
            coming=coming[:10],
            past=past[:10],
            day=format_day,
            download=f"/calendars/{slug}/{event_slug}.ics",
            structured=make_json_ld(row, f"{base_url}/calendars/{slug}/{event_slug}/"),
        )

    return pages


def list_calendars(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The calendars for a list: name, description, address, number of events."""
    return [_describe(calendar) for calendar in snapshot.calendars.values()]


def make_agenda(rows: Any, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """What is coming, soonest first, and what is over, latest first."""
    entries = []
    for row in rows:
        event = row.revision.event
        after = event.instant(event.start) if event.repeat is None else now - timedelta(days=400)
        first = min(after, now) - length_of(event)
        for occurrence in expand(event, first, max(now + _AHEAD, after + timedelta(days=1))):
            entries.append((occurrence, row))
    entries.sort(key=lambda pair: (pair[0].begins, pair[1].uid))
    coming = [_entry(row, one, now) for one, row in entries if not _is_over(one, now)]
    past = [_entry(row, one, now) for one, row in reversed(entries) if _is_over(one, now)]
    return coming, past


def subscribe_links(feed: str, name: str) -> dict[str, str]:
    """The addresses under which calendar apps take a subscription."""
    parts = urlsplit(feed)
    webcal = f"webcal://{parts.netloc}{parts.path}"
    query = f"url={quote(feed, safe='')}&name={quote(name, safe='')}"
    return {
        "feed": feed,
        "webcal": webcal,
        "google": "https://calendar.google.com/calendar/u/0/r?cid=" + quote(webcal, safe=""),
        "outlook": f"https://outlook.live.com/calendar/0/addfromweb/?{query}",
        "office": f"https://outlook.office.com/calendar/0/addfromweb/?{query}",
    }


def is_cancelled(row: EventRow, occurrence: Occurrence | None = None) -> bool:
    """Whether an event, or one occurrence of it, does not take place."""
    status = occurrence.status if occurrence else row.revision.event.status
    return row.revision.withdrawn or status is Status.CANCELLED


def text_direction(language: str) -> str:
    """The direction a language is written in, for HTML's `dir`."""
    return "rtl" if language.split("-")[0] in {"ar", "fa", "he", "ps", "sd", "ug", "ur"} else "ltr"


def _entry(row: EventRow, occurrence: Occurrence, now: datetime) -> Entry:
    event = row.revision.event
    return Entry(
        row=row,
        occurrence=occurrence,
        summary=text_in(occurrence.summary, event.language),
        language=event.language,
        when=format_when(occurrence.start, occurrence.end),
        distance=_distance(row, occurrence, now),
        location=text_in(occurrence.location, event.language) if occurrence.location else "",
    )


def _distance(row: EventRow, occurrence: Occurrence, now: datetime) -> str:
    """How far off an occurrence is, in days of its own zone; empty for one that is over."""
    zone = row.revision.event.zone
    days = (occurrence.begins.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days > 1:
        return f"in {days} days"
    if days == 1:
        return "tomorrow"
    if _is_over(occurrence, now):
        return ""
    return "today" if days == 0 else "now"


def _is_over(occurrence: Occurrence, now: datetime) -> bool:
    return occurrence.ends < now


def _describe(found: PublishedCalendar) -> dict[str, Any]:
    calendar = found.calendar

    def text(value: Text | None) -> str:
        return text_in(value, calendar.language) if value else ""

    return {
        "slug": calendar.slug,
        "name": text(calendar.name),
        "description": text(calendar.description),
        "language": calendar.language,
        "time_zone": calendar.time_zone,
        "color": calendar.color,
        "address": f"/calendars/{calendar.slug}/",
        "events": sum(not is_cancelled(row) for row in found.rows),
        "modified": found.modified,
    }
