"""Format the date of an event for people, why it has none, and how it was counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from calfeed.ical.wording.text import format_babel, format_day, format_month, format_when
from calfeed.ical.wording.words import Words, words_in
from calfeed.model.dates.dating import Cause, Derivation, Hold, Outcome, Sum
from calfeed.model.dates.offsets import Offset, Roll
from calfeed.model.dates.uncertainty import PARTS, SEASONS, Precision, Span, name_part, name_season
from calfeed.model.dates.working_days import SkippedDay
from calfeed.model.events import Event
from calfeed.model.values import text_in


def format_date_of(event: Event, language: str = "en") -> str:
    """Format an event's date: "27 September 2024, 10:30 EDT", "mid-June 2030".

    An event on hold has no date: this formats its former date.
    """
    return format_times(event.start, event.end, event.precision, language)


def format_times(
    start: date | datetime,
    end: date | datetime | None,
    precision: Precision | None,
    language: str = "en",
) -> str:
    """Format a date, which is uncertain if it has a `precision`; `end` is exclusive.

    An uncertain date falls on one of the days from `start` to the day before `end`.
    """
    if precision is None or isinstance(start, datetime):
        return format_when(start, end, language)
    latest = start if end is None else end - timedelta(days=1)
    return format_span(Span(start, latest, precision), language)


def format_span(span: Span, language: str = "en") -> str:
    """Format an uncertain date: "mid-June 2030", "third quarter of 2030"."""
    words, first = words_in(language), span.earliest
    year = str(first.year)
    match span.precision:
        case Precision.YEAR:
            return year
        case Precision.HALF:
            return words.halves[first.month // 7].format(year=year)
        case Precision.QUARTER:
            return words.quarters[first.month // 3].format(year=year)
        case Precision.SEASON:
            return words.seasons[SEASONS.index(name_season(span))].format(year=_season_year(span))
        case Precision.MONTH:
            return format_month(first, language)
        case Precision.PART:
            month = format_month(first, language)
            return words.parts[PARTS.index(name_part(span))].format(month=month)
        case Precision.TIME:
            return words.time_open.format(day=format_day(first, language))
    days = format_when(first, span.latest + timedelta(days=1), language)
    return words.one_of.format(days=days)


def _season_year(span: Span) -> str:
    """Return the year of a season; the winter falls in two years: "2030/31"."""
    first, last = span.earliest.year, span.latest.year
    return str(first) if first == last else f"{first}/{last % 100:02}"


def format_hold(event: Event, *languages: str) -> str:
    """Format why an event has no date: "Postponed", "Waiting for Ruling"; "" if it has a date."""
    on_hold = event.on_hold
    if on_hold is None:
        return ""
    words = words_in(languages[0])
    if on_hold.why is Hold.POSTPONED or on_hold.cause is None:
        return words.postponed
    return words.waiting.format(cause=text_in(on_hold.cause.summary, *languages))


def format_title(event: Event, title: str, *languages: str) -> str:
    """Format a title that says if the event is on hold or done, or if its day is open.

    Calendar apps do not show this otherwise.
    """
    if hold := format_hold(event, *languages):
        return words_in(languages[0]).label(hold, title)
    if event.done is not None:
        return f"✓ {title}"
    if event.day_open:
        when = format_date_of(event, languages[0])
        return words_in(languages[0]).day_open.format(when=when, title=title)
    return title


def format_done(event: Event, language: str) -> str:
    """Format if an event was met or waived: "Done: met, 12 June 2030"; "" if it is not done."""
    if event.done is None:
        return ""
    words = words_in(language)
    text = words.met if event.done.as_ is Outcome.MET else words.waived
    return text + words.comma + format_day(event.done.date, language) if event.done.date else text


def format_rule(offset: Offset, cause: Cause, *languages: str) -> str:
    """Format how a date is counted: "3 working days before Hearing"."""
    words, language = words_in(languages[0]), languages[0]
    pattern = words.after if offset.direction > 0 else words.before
    distance = _format_distance(offset, words, language)
    return pattern.format(distance=distance, cause=text_in(cause.summary, *languages))


def _format_distance(offset: Offset, words: Words, language: str) -> str:
    if offset.weekday is not None:
        monday = date(2024, 1, 1)
        return format_babel(monday + timedelta(days=offset.weekday), "EEEE", language)
    if offset.working:
        forms = words.clear_working_days if offset.clear else words.working_days
        return words.plural(forms, offset.working)
    if offset.clear:
        return words.plural(words.clear_days, offset.days)
    parts = [
        words.plural(forms, count)
        for forms, count in (
            (words.years, offset.months // 12),
            (words.months, offset.months % 12),
            (words.days, offset.days),
        )
        if count
    ]
    return " ".join(parts) or words.plural(words.days, 0)


def format_cause(cause: Cause | None, language: str = "en") -> str:
    """Format the date of a cause; "" if there is no cause, or if it has no date."""
    if cause is None or cause.earliest is None or cause.latest is None:
        return ""
    after = cause.latest + timedelta(days=1)
    return format_times(cause.earliest, after, cause.precision, language)


def format_derivation(derivation: Derivation, *languages: str) -> list[str]:
    """Format how a date was counted, in lines: the rule, the skipped days, what is provisional.

    If the date of the cause is uncertain, there are lines for its first and its last possible day.
    """
    lines = []
    for each in derivation.sums:
        lines += _format_sum(derivation, each, *languages)
    if derivation.provisional:
        lines.append(words_in(languages[0]).provisional)
    return lines


def _format_sum(derivation: Derivation, counted: Sum, *languages: str) -> list[str]:
    words, language = words_in(languages[0]), languages[0]
    day = format_day(counted.count.day, language)
    rule = format_rule(derivation.offset, derivation.cause, *languages)
    lines = [words.counted.format(rule=rule, begin=format_day(counted.begin, language), day=day)]
    if counted.count.skipped:
        days = format_skipped(counted.count.skipped, *languages)
        lines.append(words.not_counted.format(days=days))
    if counted.rolled is not None:
        rolled = words.rolled_next if derivation.roll is Roll.NEXT else words.rolled_previous
        closed = format_skipped(counted.rolled.skipped, *languages)
        moved = format_day(counted.rolled.day, language)
        lines.append(rolled.format(days=closed, moved=moved))
    return lines


def format_skipped(days: Iterable[SkippedDay], *languages: str) -> str:
    """Format days that were not counted, with the names of holidays: "1 June 2030 (Eid)"."""
    return words_in(languages[0]).list_comma.join(
        f"{format_day(each.date, languages[0])} ({name_skipped(each, *languages)})" for each in days
    )


def name_skipped(day: SkippedDay, *languages: str) -> str:
    """Name a day that was not counted: by its holiday or title, else as closed or as weekend."""
    words = words_in(languages[0])
    if day.name:
        return text_in(day.name, *languages, "en")
    return words.closed if day.closed else words.weekend
