"""How the console's pages write times, URLs and what others sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from calfeed.delivery.transport.guard import show_url
from calfeed.ical.change_text import describe_change
from calfeed.ical.changes import EventChange
from calfeed.ical.text import format_when
from calfeed.model.events import Event, text_in
from calfeed.reminders.messages import format_span
from calfeed.reminders.option_texts import describe_options


def make_filters(clock: Callable[[], datetime]) -> dict[str, Callable[..., Any]]:
    """The filters of the templates."""

    def tell_distance(moment: datetime) -> str:
        """How far off a moment is: "in 3 days", "2 hours ago"."""
        span = moment - clock()
        words = format_span(span)
        return f"in {words}" if span >= timedelta(0) else f"{words} ago"

    return {
        "moment": write_moment,
        "distance": tell_distance,
        "day": lambda moment: f"{moment:%Y-%m-%d}",
        "receiver": show_url,
        "title_of": lambda event: text_in(event.summary, event.language),
        "in_language_of": lambda text, event: text_in(text, event.language),
        "when": write_when,
        "times": write_times,
        "what_happened": tell_what_happened,
        "asks": describe_options,
        "is_past": lambda moment: moment <= clock(),
        "share_of": write_share,
        "paired": lambda values: [(value, value) for value in values],
    }


def write_moment(moment: datetime) -> Markup:
    """A time in UTC, to the second, for people and for machines."""
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), text)


def write_when(event: Event) -> str:
    """When an event is: "27 September 2024, 10:30 to 11:00 EDT"."""
    text = format_when(event.start, event.end)
    return f"{text}, recurring" if event.repeat else text


def tell_what_happened(change: EventChange) -> str:
    """A change in a line: "Moved from 30 June 2025 to 31 August 2025"."""
    told = describe_change(change)
    recurring = ", recurring" if change.after.event.repeat and not change.occurrences else ""
    return told[0].upper() + told[1:] + recurring


def write_times(described: dict[str, Any]) -> str:
    """When an event is, from the JSON that a publish keeps of it."""
    if described["all_day"]:
        return format_when(
            date.fromisoformat(described["start"]), date.fromisoformat(described["end"])
        )
    zone = ZoneInfo(described["time_zone"])
    return format_when(
        datetime.fromisoformat(described["start"]).astimezone(zone),
        datetime.fromisoformat(described["end"]).astimezone(zone),
    )


def write_share(part: int, whole: int) -> str:
    """A share in per cent, which is 0 or 100 only where it is none or all: "<1%", "42%"."""
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1%"
    return ">99%" if 99 < share < 100 else f"{share:.0f}%"
