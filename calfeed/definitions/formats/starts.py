"""The `start` of an event: a moment, an uncertain date, or a date counted from another event's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeAlias

from calfeed.definitions.formats.dates import MONTH, check_day, month_number, normalize
from calfeed.definitions.formats.times import ParsedMoment, parse_moment
from calfeed.definitions.hints.starts import explain_start
from calfeed.errors import InvalidValueError
from calfeed.model.dates.durations import parse_duration
from calfeed.model.dates.offsets import WEEKDAYS, Offset
from calfeed.model.dates.uncertainty import (
    PARTS,
    SEASONS,
    Precision,
    Span,
    make_half,
    make_month,
    make_part,
    make_quarter,
    make_range,
    make_season,
    make_year,
)
from calfeed.model.dates.working_days import MAX_WORKING_DAYS
from calfeed.model.texts import shortened


@dataclass(frozen=True)
class UncertainDate:
    """A date of which only a span is known."""

    text: str
    span: Span


@dataclass(frozen=True)
class PostponedDate:
    """A date that is no longer valid, without a new one; `was` is the former date, if given."""

    text: str
    was: ParsedMoment | UncertainDate | None = None


@dataclass(frozen=True)
class RelativeDate:
    """A date counted from the event `cause`, written `event` or `calendar/event`."""

    text: str
    offset: Offset
    cause: str


Start: TypeAlias = ParsedMoment | UncertainDate | PostponedDate | RelativeDate

_YEAR = r"(?P<year>\d{4})"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_ORDINAL = r"(?P<ordinal>[1-4](?:st|nd|rd|th)?|first|second|third|fourth)"
_SEASON = r"(?P<season>spring|summer|autumn|fall|winter)"
_OF = r"(?: of)?(?: the year)?"


def _number(found: re.Match[str]) -> int:
    text = found["ordinal"]
    return _ORDINALS.get(text) or int(text[0])


_SPANS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Span]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (_YEAR, lambda found: make_year(int(found["year"]))),
        (
            rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])",
            lambda found: make_month(int(found["year"]), int(found["month"])),
        ),
        (
            rf"(?P<month>{MONTH})\.?(?: of)?,? {_YEAR}|(?P<year1>\d{{4}}) (?P<month1>{MONTH})",
            lambda found: make_month(
                int(found["year"] or found["year1"]),
                month_number(found["month"] or found["month1"]),
            ),
        ),
        (
            rf"(?P<part>{'|'.join(PARTS)})[ -](?P<month>{MONTH})\.?,? {_YEAR}",
            lambda found: make_part(
                int(found["year"]), month_number(found["month"]), found["part"]
            ),
        ),
        (
            rf"{_YEAR}[- ]?q(?P<ordinal>[1-4])",
            lambda found: make_quarter(int(found["year"]), _number(found)),
        ),
        (
            rf"(?:q(?P<q>[1-4])|(?:the )?{_ORDINAL} quarter){_OF},? {_YEAR}",
            lambda found: make_quarter(int(found["year"]), int(found["q"] or _number(found))),
        ),
        (
            rf"{_YEAR}[- ]?h(?P<ordinal>[12])",
            lambda found: make_half(int(found["year"]), _number(found)),
        ),
        (
            rf"(?:h(?P<h>[12])|(?:the )?(?P<ordinal>first|second|1st|2nd) half){_OF},? {_YEAR}",
            lambda found: make_half(int(found["year"]), int(found["h"] or _number(found))),
        ),
        (
            rf"{_SEASON}(?: of)? {_YEAR}",
            lambda found: make_season(
                int(found["year"]), found["season"].replace("fall", "autumn")
            ),
        ),
        (
            rf"{_YEAR}-2(?P<season>[1-4])",
            lambda found: make_season(int(found["year"]), SEASONS[int(found["season"]) - 1]),
        ),
    )
)

_DAY_OR_TIME = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?", re.ASCII)
_TIME_OPEN = re.compile(
    r"(?P<day>.*?)[,;]? ?\(?(?:time|hour) (?:to be (?:confirmed|announced|decided|determined)"
    r"|t\.?b\.?[acd]\.?|open|not yet known|unknown)\)?"
)
_POSTPONED = re.compile(r"postponed(?:,? from (?P<was>.+))?")
_RELATIVE = re.compile(r"(?P<distance>.+?) (?P<side>after|before)(?: the)? (?P<cause>\S+)")
_CAUSE = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)?")
_WORKING = re.compile(r"(?P<count>\d{1,5}) (?P<clear>clear )?(?:working|business) days?")
_CLEAR = re.compile(r"(?P<count>\d{1,5}) clear (?:calendar )?days?")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class _UnfitError(InvalidValueError):
    """A start in a known form, but with an impossible value, so that no other form is suggested."""


def parse_start(text: str, today: date | None = None) -> Start:
    """Parse a start. Raises ValueError, as `parse_moment` does; examples are later than `today`."""
    plain = normalize(text).lower()
    try:
        return _parse_start(text, plain, today)
    except _UnfitError:
        raise
    except ValueError as error:
        hint = explain_start(plain, today)
        # Do not suggest the text itself, which is in the right form but too large.
        if hint and plain not in hint:
            raise InvalidValueError(shortened(text.strip()), hint) from error
        raise


def _parse_start(text: str, plain: str, today: date | None) -> Start:
    if _DAY_OR_TIME.fullmatch(
        plain
    ):  # Most starts have this form, so nothing else has to be tried.
        return parse_moment(text, today)
    if re.search(r"\b(?:after|before)\b", plain):
        return _parse_relative(text, plain)
    if found := _POSTPONED.fullmatch(plain):
        was = parse_literal(found["was"], today) if found["was"] else None
        return PostponedDate(text, was)
    return parse_literal(text, today)


def parse_literal(text: str, today: date | None = None) -> ParsedMoment | UncertainDate:
    """Parse a moment or an uncertain date. Raises ValueError, as `parse_moment` does."""
    plain = normalize(text).lower()
    if span := _parse_span(text, plain, today):
        return UncertainDate(text, span)
    return parse_moment(text, today)


def _parse_span(text: str, plain: str, today: date | None) -> Span | None:
    for pattern, make in _SPANS:
        if found := pattern.fullmatch(plain):
            year = int(found["year"] or found["year1"])
            try:
                check_day(year, 1, 1)
            except ValueError as error:
                raise _UnfitError(text, f"is not a date ({error})") from error
            return make(found)
    if ".." in plain:
        return _parse_range(text, plain, today)
    if (found := _TIME_OPEN.fullmatch(plain)) and found["day"]:
        day = parse_moment(found["day"], today)
        if day.clock is not None:
            raise _UnfitError(
                shortened(text),
                f"has a time that is to be confirmed; write {day.day} and the words",
            )
        return Span(day.day, day.day, Precision.TIME)
    return None


def _parse_range(text: str, plain: str, today: date | None) -> Span:
    ends = [part.strip() for part in plain.split("..")]
    if len(ends) != 2 or not all(ends):
        raise _UnfitError(
            shortened(text), "is not a range; write its first and last day: 2030-06-03..2030-06-07"
        )
    days = []
    for number, end in enumerate(ends):
        parsed = _parse_span(text, end, today) or parse_moment(end, today)
        if isinstance(parsed, Span):
            days.append(parsed.latest if number else parsed.earliest)
        elif parsed.clock is None:
            days.append(parsed.day)
        else:
            raise _UnfitError(
                shortened(text), "is a range of times; a range for a date has days only"
            )
    first, last = days
    if last < first:
        raise _UnfitError(shortened(text), "is a range that ends before it begins")
    if first == last:
        raise _UnfitError(shortened(text), f"is a range of one day; write {first}")
    return make_range(first, last)


def _parse_relative(text: str, plain: str) -> RelativeDate:
    found = _RELATIVE.fullmatch(plain)
    if found is None:
        raise InvalidValueError(
            shortened(text),
            "is not counted from an event; write it like 14 days after ruling, 3 working days "
            "before hearing, or monday before court/hearing",
        )
    if not _CAUSE.fullmatch(found["cause"]):
        raise InvalidValueError(
            shortened(text),
            f'counts from "{shortened(found["cause"])}", which is not an event; after "after" or '
            '"before" write its name in this calendar, or calendar/event',
        )
    offset = _parse_offset(found["distance"], 1 if found["side"] == "after" else -1)
    return RelativeDate(text, offset, found["cause"])


@lru_cache(maxsize=1024)
def _parse_offset(distance: str, direction: int) -> Offset:
    """Parse a distance; cached, because many events of a calendar have the same distance."""
    written = distance
    side: dict[str, int] = {"direction": direction}
    weekday = distance.removeprefix("the ")
    if weekday in WEEKDAYS:
        return Offset(**side, weekday=WEEKDAYS.index(weekday))
    words = [
        str(_NUMBERS.index(word) + 1) if word in _NUMBERS else word for word in distance.split()
    ]
    distance = " ".join(words)
    if found := _WORKING.fullmatch(distance):
        count = int(found["count"])
        if not 1 <= count <= MAX_WORKING_DAYS:
            raise _UnfitError(
                shortened(written),
                f"counts {count} working days; a count goes from 1 to {MAX_WORKING_DAYS}",
            )
        return Offset(**side, working=count, clear=bool(found["clear"]))
    if found := _CLEAR.fullmatch(distance):
        return Offset(**side, days=parse_duration(f"{found['count']} days").days, clear=True)
    span = parse_duration(distance.replace("calendar days", "days"))
    if not span.on_calendar:
        raise _UnfitError(
            shortened(written),
            "counts hours or minutes; a date is counted in days, weeks or months",
        )
    return Offset(**side, months=span.months, days=span.days)
