"""Format dates, moves and descriptions for people."""

from __future__ import annotations

from datetime import date, datetime, timedelta

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
        return format_babel(day, "d MMMM y", language)
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


def format_babel(day: date, pattern: str, language: str) -> str:
    """Format a day by a CLDR pattern in a language; as ISO 8601 if Babel does not know it."""
    # Imported late: Babel loads slowly.
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_date

    # The country matters: June has another name in Dari, `fa-AF`, than in Persian.
    for tag in (language, language.split("-")[0]):
        try:
            return format_date(day, pattern, Locale.parse(tag, sep="-"))
        except (UnknownLocaleError, ValueError):
            continue
    return day.isoformat()
