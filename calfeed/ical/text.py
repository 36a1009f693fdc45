"""Dates and histories as a person reads them, in plain text."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from calfeed.definitions.values import Event, Source, text_in
from calfeed.ical.revision import Move

# The process's locale must not decide what a feed says, so strftime's %B will not do.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def format_day(day: date) -> str:
    """A day such as "30 June 2025"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def format_when(start: date | datetime, end: date | datetime | None) -> str:
    """A time such as "24 to 28 September 2024" or "27 September 2024, 10:30 to 11:00 EDT".

    `end` is exclusive. Datetimes are written on the wall clock of their own zone, which is named.
    """
    if not isinstance(start, datetime):
        last = (end or start + timedelta(days=1)) - timedelta(days=1)
        if last <= start:
            return format_day(start)
        if (start.year, start.month) == (last.year, last.month):
            return f"{start.day} to {format_day(last)}"
        if start.year == last.year:
            return f"{start.day} {_MONTHS[start.month - 1]} to {format_day(last)}"
        return f"{format_day(start)} to {format_day(last)}"
    begin = f"{format_day(start)}, {start:%H:%M}"
    if not isinstance(end, datetime) or end == start:
        return f"{begin} {start:%Z}"
    if end.date() == start.date():
        return f"{begin} to {end:%H:%M %Z}"
    return f"{begin} to {format_day(end)}, {end:%H:%M %Z}"


def format_move(move: Move, language: str) -> str:
    """One line of history: "Was 31 March 2025; moved on 12 July 2024: the stay was extended"."""
    note = f": {text_in(move.note, language)}" if move.note else ""
    return f"Was {format_when(move.start, move.end)}; moved on {format_day(move.on)}{note}"


def format_source(source: Source) -> str:
    """One line: the title, the day, the address."""
    parts = [source.title, format_day(source.date) if source.date else "", source.url or ""]
    return "Source: " + ", ".join(part for part in parts if part)


def describe(event: Event, history: tuple[Move, ...], language: str) -> str:
    """An event's description for calendar apps: its text, the history of its moves, its sources."""
    blocks = []
    if event.description:
        blocks.append(text_in(event.description, language))
    if history:
        blocks.append("\n".join(format_move(move, language) for move in reversed(history)))
    if event.sources:
        blocks.append("\n".join(format_source(source) for source in event.sources))
    return "\n\n".join(blocks)
