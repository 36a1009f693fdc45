"""Format dates, moves and descriptions for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from html import escape

from calfeed.ical.words import words_in
from calfeed.model.details import Format
from calfeed.model.events import Event, Source, Text, text_in
from calfeed.model.revision import Move

# strftime's %B depends on the process's locale.
_MONTH_NAMES = [
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


def format_day(day: date, language: str = "en") -> str:
    """Format a day, such as "30 June 2025", in a language (BCP 47 tag)."""
    if language.split("-")[0] != "en":
        return _format_with_babel(day, language)
    return f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"


def format_when(start: date | datetime, end: date | datetime | None, language: str = "en") -> str:
    """Format "24 to 28 September 2024" or "27 September 2024, 10:30 to 11:00 EDT".

    `end` is exclusive. Datetimes are formatted in their own zone, with its abbreviation.
    """
    if not isinstance(start, datetime):
        last = (end or start + timedelta(days=1)) - timedelta(days=1)
        return format_day(start, language) if last <= start else _format_days(start, last, language)
    to = _range_separator(language)
    begin = f"{format_day(start, language)}, {start:%H:%M}"
    if not isinstance(end, datetime) or end == start:
        return f"{begin} {start:%Z}"
    if end.date() == start.date():
        return f"{begin}{to}{end:%H:%M %Z}"
    return f"{begin}{to}{format_day(end, language)}, {end:%H:%M %Z}"


def _format_days(first: date, last: date, language: str) -> str:
    if language.split("-")[0] == "en" and first.year == last.year:
        month = "" if first.month == last.month else f" {_MONTH_NAMES[first.month - 1]}"
        return f"{first.day}{month} to {format_day(last)}"
    return f"{format_day(first, language)}{_range_separator(language)}{format_day(last, language)}"


def _range_separator(language: str) -> str:
    return " to " if language.split("-")[0] == "en" else " – "


def _format_with_babel(day: date, language: str) -> str:
    # Imported late: Babel loads slowly.
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_date

    try:
        locale = Locale.parse(language.split("-")[0])
    except (UnknownLocaleError, ValueError):
        return day.isoformat()
    return format_date(day, "d MMMM y", locale)


def format_move(move: Move, *languages: str) -> str:
    """Format a move: "Was 31 March 2025; moved on 12 July 2024: the stay was extended"."""
    first = languages[0]
    when, day = format_when(move.start, move.end, first), format_day(move.on, first)
    note = f": {text_in(move.note, *languages)}" if move.note else ""
    return words_in(first).moved.format(when=when, day=day) + note


def _format_cancelling(note: Text, *languages: str) -> str:
    return f"{words_in(languages[0]).cancelled}: {text_in(note, *languages)}"


def format_source(source: Source, language: str) -> str:
    """Format a source in one line: title, day, URL."""
    day = format_day(source.date, language) if source.date else ""
    parts = ", ".join(part for part in (source.title, day, source.url) if part)
    return f"{words_in(language).source}: {parts}"


def describe(
    event: Event, history: Sequence[Move], *languages: str, cancel_note: Text | None = None
) -> str:
    """Return an event's description for calendar apps.

    It consists of the reason for a cancellation, the text, the conference, which few apps show
    otherwise, the moves and the sources. Each text is in the first available of `languages`.
    """
    blocks = []
    if cancel_note:
        blocks.append(_format_cancelling(cancel_note, *languages))
    if event.description:
        blocks.append(plain_description(event, *languages))
    if event.conference:
        label = event.conference.label
        blocks.append(f"{label}: {event.conference.url}" if label else event.conference.url)
    if history:
        blocks.append("\n".join(format_move(move, *languages) for move in reversed(history)))
    if event.sources:
        blocks.append("\n".join(format_source(source, languages[0]) for source in event.sources))
    return "\n\n".join(blocks)


def plain_description(event: Event, *languages: str) -> str:
    """Return an event's description without markup, "" if it has none."""
    text = text_in(event.description, *languages) if event.description else ""
    if event.format is Format.PLAIN or not text:
        return text
    from calfeed.ical.markdown import to_text

    return to_text(text)


def html_description(event: Event, *languages: str) -> str | None:
    """Return a Markdown description as safe HTML, None if it is not Markdown."""
    if event.format is Format.PLAIN or not event.description:
        return None
    from calfeed.ical.markdown import to_html

    return to_html(text_in(event.description, *languages))


def describe_as_html(
    event: Event, history: Sequence[Move], *languages: str, cancel_note: Text | None = None
) -> str | None:
    """Return the output of `describe` as an HTML document, None for a plain description."""
    text = html_description(event, *languages)
    if text is None:
        return None
    blocks = [text]
    if cancel_note:
        blocks.insert(0, f"<p>{escape(_format_cancelling(cancel_note, *languages))}</p>")
    if event.conference:
        blocks.append(f"<p>{_anchor(event.conference.url, event.conference.label)}</p>")
    if history:
        lines = (escape(format_move(move, *languages)) for move in reversed(history))
        blocks.append(f"<p>{'<br>'.join(lines)}</p>")
    if event.sources:
        sources = (_source_as_html(source, languages[0]) for source in event.sources)
        blocks.append(f"<p>{'<br>'.join(sources)}</p>")
    return f"<html><body>{''.join(blocks)}</body></html>"


def _source_as_html(source: Source, language: str) -> str:
    title = _anchor(source.url, source.title) if source.url else escape(source.title)
    day = f", {format_day(source.date, language)}" if source.date else ""
    return f"{words_in(language).source}: {title}{day}"


def _anchor(url: str, label: str | None) -> str:
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(label or url)}</a>'
