"""What most people write: a Flask route that renders the feed for each request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask, Response, request
from icalendar import Calendar, Event

EVENTS = 200
"""As many as make a feed of about 100 KB, here and in `definitions`."""

_CHANGED = datetime(2029, 1, 1, 10, tzinfo=UTC)
_FIRST = datetime(2030, 1, 1, 10, tzinfo=UTC)
_TEXT = ("The committee meets in the large hall; whoever speaks has ten minutes. " * 3).strip()

app = Flask(__name__)


@app.get("/measured.ics")
def measured() -> Response:
    """The feed, or 304 where its ETag is the one that was asked for.

    Each event says what calfeed's feed says of it, property for property.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//benchmarks//rendering//EN")
    calendar.add("name", "Measured")
    for number in range(EVENTS):
        event = Event()
        event.add("uid", _uid(number))
        event.add("sequence", 0)
        event.add("dtstamp", _CHANGED)
        event.add("created", _CHANGED)
        event.add("last-modified", _CHANGED)
        event.add("summary", _summary(number), parameters={"LANGUAGE": "en"})
        event.add("description", _TEXT)
        event.add("dtstart", _start(number))
        event.add("dtend", _start(number) + timedelta(hours=1))
        event.add("status", "CONFIRMED")
        event.add("transp", "OPAQUE")
        calendar.add_component(event)
    response = Response(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    response.add_etag()
    response.make_conditional(request)
    return response


def definitions() -> str:
    """A definition file of the same events, for calfeed."""
    lines = ["name: Measured", "time_zone: UTC", "events:"]
    for number in range(EVENTS):
        lines += [
            f"  event-{number}:",
            f"    uid: {_uid(number)}",
            f"    summary: {_summary(number)}",
            f'    start: "{_start(number):%Y-%m-%d %H:%M}"',
            "    duration: 1 hour",
            f"    description: {_TEXT}",
        ]
    return "\n".join(lines) + "\n"


def _uid(number: int) -> str:
    return f"event-{number}@measured.example"


def _summary(number: int) -> str:
    return f"Session {number} of the committee"


def _start(number: int) -> datetime:
    return _FIRST + timedelta(days=number)
