"""Format dates, times and durations in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache, reduce
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location, parse_pattern

from calfeed.ical.occurrences import Moment
from calfeed.ical.wording.dates_text import format_times
from calfeed.ical.wording.words import words_in
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.values import in_utc
from calfeed.web.pages.reader.locales import Language, capitalize
from calfeed.web.pages.reader.wording import gettext, ngettext


def write_number(number: object, language: Language) -> str:
    """Format a number, or a text with digits, with the digits of a language."""
    return str(number).translate(language.digits)


def write_part(day: date, pattern: str, language: Language) -> str:
    """Format a date by a CLDR pattern, such as `LLLL`.

    Use `EEE` for weekdays: Babel caches `ccc` across languages.
    """
    return write_number(format_date(day, pattern, locale=language.locale), language)


def write_month(day: date, language: Language, *, year: bool = True) -> str:
    """Format the month of a day as a heading: "June 2027", "June"."""
    pattern = language.formats.month if year else "LLLL"
    return capitalize(write_part(day, pattern, language))


def write_year(day: date, language: Language) -> str:
    return write_part(day, language.formats.year, language)


def write_day(day: date, language: Language) -> str:
    """Format a day: "Wednesday, 30 June 2027"."""
    return _write_whole_day(day, language.formats.day, language)


def write_short_day(day: date, language: Language) -> str:
    """Format a day without its weekday: "30 June 2027"."""
    return _write_whole_day(day, language.formats.short_day, language)


def _write_whole_day(day: date, pattern: str, language: Language) -> str:
    if day.day == 1:  # an ordinal number in some languages: "1er juin"
        pattern = pattern.replace("d", words_in(language.tag).first_day, 1)
    return write_part(day, pattern, language)


def write_day_and_time(day: str, clock: str, language: Language) -> str:
    """Join a day and a time of day: "30 June 2027, 10:30"."""
    return language.formats.joined.format(clock, day)


def write_span(first: str, last: str, language: Language) -> str:
    """Join the first and the last of several days or times: "10:30 – 11:00"."""
    return language.formats.span.format(first, last)


def join_phrases(phrases: Iterable[str], language: Language) -> str:
    """Join the phrases that are not empty: "weekly, and 3 more until 1 June 2030"."""
    return language.formats.comma.join(filter(None, phrases))


def write_when(start: Moment, end: Moment | None, language: Language) -> str:
    """Format a time: "Friday, 27 September 2024, 10:30 – 11:00"; `end` is exclusive.

    Datetimes are shown in their own zone, without its name.
    """
    if not isinstance(start, datetime):
        last = last_day(start, end)
        first = write_day(start, language)
        return first if last == start else write_span(first, write_day(last, language), language)
    begin = _write_moment(start, language)
    if not isinstance(end, datetime) or in_utc(end) == in_utc(start):
        return begin
    if end.date() == start.date():
        clocks = write_span(write_clock(start, language), write_clock(end, language), language)
        return write_day_and_time(write_day(start, language), clocks, language)
    return write_span(begin, _write_moment(end, language), language)


def _write_moment(moment: datetime, language: Language) -> str:
    return write_day_and_time(write_day(moment, language), write_clock(moment, language), language)


def write_date(
    start: Moment,
    end: Moment | None,
    precision: Precision | None,
    language: Language,
    zone: ZoneInfo | None = None,
) -> str:
    """Format a date that is certain, or uncertain by its precision: "June 2030".

    Datetimes are shown in `zone`, by default in their own.
    """
    if zone is not None and isinstance(start, datetime):
        start = start.astimezone(zone)
        end = end.astimezone(zone) if isinstance(end, datetime) else end
    if precision is None:
        return write_when(start, end, language)
    return write_number(format_times(start, end, precision, language.tag), language)


def write_uncertain(
    start: Moment, end: Moment | None, precision: Precision, language: Language
) -> str:
    """Format an uncertain date and say so: "June 2030, day not yet known"."""
    text = write_date(start, end, precision, language)
    if precision in (Precision.RANGE, Precision.TIME):
        return text  # it already says that the day or time is uncertain
    return gettext("%(when)s, day not yet known", when=text)


def write_due_day(day: date, zone: str, language: Language, *, short: bool = False) -> str:
    """Format a deadline that is due on a day: "by the end of 30 June 2030 in Karachi"."""
    written = write_short_day(day, language) if short else write_day(day, language)
    city = write_city(zone, language)
    return gettext("by the end of %(day)s in %(zone)s", day=written, zone=city)


def write_clock(moment: datetime | time, language: Language) -> str:
    """Format a time of day: "10:30"."""
    return _write_clock(time(moment.hour, moment.minute), language)


@lru_cache(maxsize=4096)
def _write_clock(clock: time, language: Language) -> str:
    written = parse_pattern(language.formats.clock).apply(clock, language.locale)
    return write_number(written, language)


def last_day(start: date, end: Moment | None) -> date:
    """Return the last day (inclusive) of an all-day occurrence."""
    return max(start, end - timedelta(days=1)) if end is not None else start


def write_zone(zone: str, moment: datetime, language: Language) -> str:
    """Format a zone with its UTC offset at a time: "Karachi (UTC+05:00)"."""
    if zone == "UTC":
        return zone
    offset = moment.astimezone(ZoneInfo(zone)).strftime("%z")
    return f"{write_city(zone, language)} ({_write_offset(offset, language)})"


@lru_cache(maxsize=4096)
def write_city(zone: str, language: Language) -> str:
    """Format a zone by its city, "Karachi"; by its id if it has no city."""
    if "/" not in zone or zone.startswith("Etc/"):
        return zone
    return get_timezone_location(zone, locale=language.locale, return_city=True)


def _write_offset(offset: str, language: Language) -> str:
    text = "UTC" + write_number(f"{offset[:3]}:{offset[3:5]}", language)
    # Isolated, so that the sign precedes the number in right-to-left text (UAX 9).
    return f"\u2066{text}\u2069" if language.direction == "rtl" else text


def describe_days(days: int, language: Language) -> str:
    """Format a relative day: "in 37 days", "today", "3 days ago"."""
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("tomorrow")
    if days == -1:
        return gettext("yesterday")
    count = write_number(abs(days), language)
    if days > 0:
        return ngettext("in %(count)s day", "in %(count)s days", days, count=count)
    return ngettext("%(count)s day ago", "%(count)s days ago", -days, count=count)


def describe_repeat(rule: str, language: Language) -> str:
    """Describe the frequency of a recurrence rule (RFC 5545, 3.3.10): "every 2 months"."""
    parts = dict(part.split("=", 1) for part in rule.upper().split(";"))
    frequency, every = parts["FREQ"], int(parts.get("INTERVAL", "1"))
    if every == 1:
        match frequency:
            case "YEARLY":
                return gettext("yearly")
            case "MONTHLY":
                return gettext("monthly")
            case "WEEKLY":
                return gettext("weekly")
            case "DAILY":
                return gettext("daily")
            case _:
                return gettext("hourly")
    unit = {
        "YEARLY": Duration(months=12),
        "MONTHLY": Duration(months=1),
        "WEEKLY": Duration(days=7),
        "DAILY": Duration(days=1),
        "HOURLY": Duration(minutes=60),
    }[frequency]
    span = Duration(unit.months * every, unit.days * every, unit.minutes * every)
    return gettext("every %(span)s", span=describe_span(span, language))


def describe_rule(rule: ReminderRule, language: Language) -> str:
    """Describe a reminder rule: "1 week before", "1 day before, at 09:00"."""
    span = describe_span(rule.before, language)
    if rule.working:
        count = write_number(rule.working, language)
        words = ngettext(
            "%(count)s working day before",
            "%(count)s working days before",
            rule.working,
            count=count,
        )
    elif rule.of_end:
        words = gettext("%(span)s before the end", span=span) if span else gettext("when it ends")
    elif span:
        words = gettext("%(span)s before", span=span)
    else:
        words = gettext("when it begins") if rule.at is None else gettext("on the day")
    if rule.at is None:
        return words
    return gettext("%(span)s, at %(clock)s", span=words, clock=write_clock(rule.at, language))


def describe_span(span: Duration, language: Language) -> str:
    """Format a duration: "1 year 2 months", "1 day 12 hours"."""
    years, months = divmod(span.months, 12)
    weeks, days = divmod(span.days, 7)
    if days:
        weeks, days = 0, span.days
    hours, minutes = divmod(span.minutes, 60)

    def count(number: int) -> str:
        return write_number(number, language)

    words = [
        ngettext("%(count)s year", "%(count)s years", years, count=count(years)) if years else "",
        ngettext("%(count)s month", "%(count)s months", months, count=count(months))
        if months
        else "",
        ngettext("%(count)s week", "%(count)s weeks", weeks, count=count(weeks)) if weeks else "",
        ngettext("%(count)s day", "%(count)s days", days, count=count(days)) if days else "",
        ngettext("%(count)s hour", "%(count)s hours", hours, count=count(hours)) if hours else "",
        ngettext("%(count)s minute", "%(count)s minutes", minutes, count=count(minutes))
        if minutes
        else "",
    ]
    parts = [word for word in words if word]
    return reduce(language.formats.parts.format, parts) if parts else ""
