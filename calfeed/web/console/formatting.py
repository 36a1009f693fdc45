"""Template filters of the console: times, URLs, changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from calfeed.delivery.transport.guard import show_url
from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.wording.change_text import describe_change
from calfeed.ical.wording.distances import format_span
from calfeed.ical.wording.text import format_when
from calfeed.model.events import Event
from calfeed.model.values import text_in


def make_filters(clock: Callable[[], datetime]) -> dict[str, Callable[..., Any]]:
    def format_distance(moment: datetime) -> str:
        """Format a time relative to now: "in 3 days", "2 hours ago"."""
        span = moment - clock()
        words = format_span(span)
        return f"in {words}" if span >= timedelta(0) else f"{words} ago"

    return {
        "moment": format_time,
        "minute": lambda moment: format_time(moment, "minutes"),
        "distance": format_distance,
        "day": lambda moment: f"{moment:%Y-%m-%d}",
        "receiver": show_url,
        "title_of": lambda event: text_in(event.summary, event.language),
        "in_language_of": lambda text, event: text_in(text, event.language),
        "when": format_event_time,
        "times": format_described_time,
        "what_happened": describe_change_line,
        "is_past": lambda moment: moment <= clock(),
        "share_of": format_share,
        "paired": lambda values: [(value, value) for value in values],
    }


def format_time(moment: datetime, precision: str = "seconds") -> Markup:
    """Format a time in UTC; `precision` is the timespec of datetime.isoformat."""
    text = moment.replace(tzinfo=None).isoformat(" ", precision)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), text)


def format_event_time(event: Event) -> str:
    """Format the time of an event: "27 September 2024, 10:30 to 11:00 EDT"."""
    text = format_when(event.start, event.end)
    return f"{text}, recurring" if event.repeat else text


def describe_change_line(change: EventChange) -> str:
    """Describe a change: "Moved from 30 June 2025 to 31 August 2025"."""
    text = describe_change(change)
    recurring = ", recurring" if change.after.event.repeat and not change.occurrences else ""
    return text[0].upper() + text[1:] + recurring


def format_described_time(described: dict[str, Any]) -> str:
    """Format the time of an event from the JSON that a publish stores."""
    if described["all_day"]:
        return format_when(
            date.fromisoformat(described["start"]), date.fromisoformat(described["end"])
        )
    zone = ZoneInfo(described["time_zone"])
    return format_when(
        datetime.fromisoformat(described["start"]).astimezone(zone),
        datetime.fromisoformat(described["end"]).astimezone(zone),
    )


def format_share(part: int, whole: int) -> str:
    """Format a percentage; one that would be rounded to 0 or 100 becomes "<1%" or ">99%"."""
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1%"
    return ">99%" if 99 < share < 100 else f"{share:.0f}%"
