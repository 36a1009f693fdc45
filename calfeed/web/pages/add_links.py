"""Links that add an event to a web calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from calfeed.ical.occurrences import Moment, format_moment
from calfeed.ical.wording.descriptions import plain_description
from calfeed.model.events import Event
from calfeed.web.pages.reader.languages import Reader

_MAX_DESCRIPTION_LENGTH = 1_000
"""The maximum length of a description in a link, because browsers and servers refuse long URLs."""


def google_link(event: Event, page: str, reader: Reader) -> str:
    """Return a link to Google Calendar's event form; `page` is the URL of the event's page."""
    entries = {
        "action": "TEMPLATE",
        "text": reader.localize(event.summary, event.language).text,
        "dates": f"{format_moment(event.start)}/{format_moment(_end_of(event))}",
        "details": _describe(event, page, reader),
        "location": _locate(event, reader),
        "ctz": event.time_zone,
        "recur": f"RRULE:{event.repeat.rule}" if event.repeat and event.repeat.rule else "",
    }
    return "https://calendar.google.com/calendar/render?" + _encode(entries)


def outlook_link(event: Event, page: str, reader: Reader) -> str:
    """Return a link to Outlook.com's event form, for the first occurrence."""
    entries = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": reader.localize(event.summary, event.language).text,
        "startdt": _stamp(event.start),
        "enddt": _stamp(_end_of(event)),
        "allday": "true" if event.all_day else "",
        "body": _describe(event, page, reader),
        "location": _locate(event, reader),
    }
    return "https://outlook.live.com/calendar/0/action/compose?" + _encode(entries)


def _end_of(event: Event) -> Moment:
    """Return the exclusive end; by default the start, or the day after an all-day start."""
    if event.end is not None:
        return event.end
    return event.start + timedelta(days=1) if event.all_day else event.start


def _encode(entries: dict[str, str]) -> str:
    return urlencode({name: text for name, text in entries.items() if text})


def _describe(event: Event, page: str, reader: Reader) -> str:
    text = plain_description(event, reader.tag, event.language)[:_MAX_DESCRIPTION_LENGTH]
    return f"{text}\n\n{page}".strip()


def _locate(event: Event, reader: Reader) -> str:
    return reader.localize(event.location, event.language).text if event.location else ""


def _stamp(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return str(moment)
