"""What most people write: a Flask route that renders the feed for each request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask, Response, request
from icalendar import Calendar, Event

EVENTS = 200
"""As many as make a feed of about 100 KB, here and in `definitions`."""

_FIRST = datetime(2030, 1, 1, 10, tzinfo=UTC)
_TEXT = "The committee meets in the large hall; whoever speaks has ten minutes. " * 3

app = Flask(__name__)


@app.get("/measured.ics")
def measured() -> Response:
    """The feed, or 304 where its ETag is the one that was asked for."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//benchmarks//rendering//EN")
    for number in range(EVENTS):
        event = Event()
        event.add("uid", f"event-{number}@measured.example")
        event.add("dtstamp", _FIRST)
        event.add("summary", f"Session {number} of the committee")
        event.add("description", _TEXT)
        event.add("dtstart", _FIRST + timedelta(days=number))
        event.add("dtend", _FIRST + timedelta(days=number, hours=1))
        calendar.add_component(event)
    response = Response(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    response.add_etag()
    response.make_conditional(request)
    return response


def definitions() -> str:
    """A definition file of the same events, for calfeed."""
    lines = ["name: Measured", "time_zone: UTC", "events:"]
    for number in range(EVENTS):
        start = _FIRST + timedelta(days=number)
        lines += [
            f"  event-{number}:",
            f"    summary: Session {number} of the committee",
            f'    start: "{start:%Y-%m-%d %H:%M}"',
            "    duration: 1 hour",
            f"    description: {_TEXT.strip()}",
        ]
    return "\n".join(lines) + "\n"
