"""Format days, times and spans of both for people."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from calfeed.ical.wording.words import words_in
from calfeed.model.values import in_utc

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
    return _format_day(day, words_in(language).day_pattern, language)


def format_when(start: date | datetime, end: date | datetime | None, language: str = "en") -> str:
    """Format "24 to 28 September 2024" or "27 September 2024, 10:30 to 11:00 EDT".

    `end` is exclusive. Datetimes are formatted in their own zone, with its abbreviation, which is
    in Latin letters in every language.
    """
    if not isinstance(start, datetime):
        last = (end or start + timedelta(days=1)) - timedelta(days=1)
        return format_day(start, language) if last <= start else _format_days(start, last, language)
    words = words_in(language)
    begin = words.date_time.format(day=format_day(start, language), time=f"{start:%H:%M}")
    if not isinstance(end, datetime) or in_utc(end) == in_utc(start):
        return f"{begin} {start:%Z}"
    last_time = f"{end:%H:%M %Z}"
    if end <= start:
        # The clocks go back in between, so that the end looks as if it were no later.
        begin = f"{begin} {start:%Z}"
    if end.date() != start.date():
        last_time = words.date_time.format(day=format_day(end, language), time=last_time)
    return words.span_of_times.format(first=begin, last=last_time)


def _format_days(first: date, last: date, language: str) -> str:
    """Format a span of days; the first day leaves out the month or year that both days share."""
    words = words_in(language)
    pattern = words.day_pattern
    if first.year == last.year:
        same_month = first.month == last.month
        pattern = words.day_without_month if same_month else words.day_without_year
    begin = _format_day(first, pattern, language)
    return words.span_of_days.format(first=begin, last=format_day(last, language))


def _format_day(day: date, pattern: str, language: str) -> str:
    if day.day == 1:
        pattern = pattern.replace("d", words_in(language).first_day, 1)
    if language.split("-")[0] != "en":
        return format_babel(day, pattern, language)
    # Without Babel, which loads slowly. The month is replaced last, because its name can have a "d"
    # or a "y".
    text = pattern.replace("d", str(day.day)).replace("y", str(day.year))
    return text.replace("MMMM", _MONTH_NAMES[day.month - 1])


def format_month(day: date, language: str) -> str:
    """Format the month of a day: "June 2030"."""
    return format_babel(day, words_in(language).month_pattern, language)


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
