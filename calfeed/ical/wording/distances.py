"""Format distances in time: "in 7 days", "3 hours"."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.ical.occurrences import Moment
from calfeed.ical.wording.words import Plural, words_in

_MINUTE = timedelta(minutes=1)


def format_distance(start: Moment, zone: ZoneInfo, moment: datetime, language: str = "en") -> str:
    """Format the time from a moment to `start`, in `zone`: "in 7 days", "today", "now"."""
    words = words_in(language)
    if isinstance(start, datetime):
        left = start - moment
        units = (words.in_days, words.in_hours, words.in_minutes)
        return _in_largest_unit(left, units, language) if left >= _MINUTE else words.now
    days = (start - moment.astimezone(zone).date()).days
    named = {0: words.today, 1: words.tomorrow}
    return named[days] if days in named else words.plural(words.in_days, days)


def format_span(span: timedelta, language: str = "en") -> str:
    """Format a duration in its largest unit: "3 days", "1 hour"."""
    words = words_in(language)
    if abs(span) < _MINUTE:
        return words.under_a_minute
    return _in_largest_unit(abs(span), (words.days, words.hours, words.minutes), language)


def _in_largest_unit(span: timedelta, units: tuple[Plural, Plural, Plural], language: str) -> str:
    """Format a span of at least a minute; `units` are those of days, hours and minutes."""
    minutes = int(span.total_seconds()) // 60
    for forms, size in zip(units, (1440, 60, 1), strict=True):
        if minutes >= size:
            return words_in(language).plural(forms, minutes // size)
    raise ValueError(f"the span is below a minute: {span}")
