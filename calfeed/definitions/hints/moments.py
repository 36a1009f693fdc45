"""Error messages for texts that are not valid dates or times, with suggestions."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from calfeed.definitions.formats.dates import (
    CLOCK,
    DAY,
    MONTH,
    WEEKDAY,
    Reading,
    check_day,
    find_clock_readings,
    find_readings,
    length_of_month,
    month_number,
    normalize,
)
from calfeed.definitions.formats.zone_names import find_places, join_places
from calfeed.definitions.hints.months import to_english
from calfeed.model.texts import shortened

_FORMAT = "year-month-day hours:minutes"
_QUOTES = "“”„‟‘’‚‛«»‹›\"'`´"
UNDECIDED = re.compile(
    r"\?*|-*|t\.?b\.?[adc]\.?|n/?a|none|open|unknown|undecided|pending|soon|later|asap|"
    r"(?:date )?(?:to be|not yet) \w+"
)
"""Texts that people write instead of an unknown date."""

_SPREADSHEET_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 (a wall time)
_MONTH_ALONE = re.compile(
    rf"(?:(?:early|mid|late|end of|beginning of)[ -])?(?P<name>{MONTH})\.?,?[ -]?(?P<year>\d{{4}})"
    r"|(?P<year1>\d{4})[-/. ](?P<number>\d{1,2})|(?P<number2>\d{1,2})[-/. ](?P<year2>\d{4})"
)
_QUARTER = re.compile(r"(?:q([1-4])|([1-4])q)[ -/]*(\d{4})|(\d{4})[ -/]*q([1-4])")
_PERIOD = re.compile(
    r"\b(weeks?|quarter|spring|summer|autumn|fall|winter|half|h[12]|w\d\d?|early|mid|late|end of)\b"
)
_NO_YEAR = re.compile(
    rf"{DAY}[ -]?(?:of )?(?:{MONTH})|(?:{MONTH})[ -]?{DAY.replace('?P<day>', '')}|"
    r"\d{1,2}[-/.]\d{1,2}\.?"
)


def explain_moment(text: str, today: date | None) -> str:
    """Explain why a text is not a date or time; examples are later than `today`."""
    plain = normalize(text)
    bare = plain.strip(_QUOTES).strip().lower()
    message = (
        _explain_number(bare)
        or _explain_undecided(bare, today)
        or _explain_relative(bare, today)
        or explain_range(bare)
    )
    if message:
        return message
    try:
        readings, rest = find_readings(to_english(bare))
    except ValueError as error:
        return f"is not a date ({error})"
    if readings:
        quote = plain[0] if plain[0] in _QUOTES else ""
        place = plain.lower().find(rest)
        beside = plain[place : place + len(rest)] if place >= 0 else rest
        return _explain_readings(readings, beside, quote)
    if message := _explain_part(bare, today):
        return message
    day = _example(today)
    return f"is not a date or time; write {day}, or with a time {day} 17:00"


def suggest_moment(text: str) -> str | None:
    """Return a date or time in canonical form, None if it is unclear."""
    try:
        readings, rest = find_readings(to_english(normalize(text).strip(_QUOTES).lower()))
    except ValueError:
        return None
    return readings[0].text if len(readings) == 1 and not rest else None


def explain_clock(text: str) -> str:
    """Explain why a text is not a time of day, and suggest a fix."""
    found = CLOCK.fullmatch(normalize(text).strip(_QUOTES).lower())
    readings = find_clock_readings(found) if found else []
    right = " or ".join(str(reading) for _, reading in readings)
    if not right:
        return "is not a time of day; write hours:minutes, as 09:00"
    return f"is not written as hours:minutes; write {right}"


def _explain_readings(readings: list[Reading], rest: str, quote: str) -> str:
    if len(readings) > 1:
        return f"can be read in {len(readings)} ways; write {' or '.join(map(str, readings))}"
    right, order = readings[0].text, readings[0].label
    if rest.isdigit() and int(rest) < 24 and " " not in right:
        return f'has "{rest}" next to the date; write {right} {int(rest):02}:00 if that is the hour'
    if rest and (places := find_places(rest)):
        also = (
            f'"time_zone: {places[0]}"'
            if len(places) == 1
            else f"time_zone: {join_places(places)},"
        )
        return (
            f'has a time zone in it, "{rest}", which goes under time_zone; write {right}, with '
            f"{also} if that is not the calendar's"
        )
    if re.search(r"\d", rest) and re.search(r"[^\W\d]", rest):
        # The rest may be a time or a zone, which a suggestion must not drop.
        return f'has "{shortened(rest)}" next to the date; write a date and a time as {_FORMAT}'
    if rest:
        zone = " (a time zone goes under time_zone)" if re.fullmatch("[A-Z]{2,5}", rest) else ""
        return f'has "{shortened(rest)}" next to the date{zone}; write {right}'
    if quote:
        return f"has {quote} around it, which is not a quote in YAML; write {right}"
    if order:
        return f"has {order}; write {right}"
    return f"is not written as year-month-day hours:minutes; write {right}"


def _explain_number(text: str) -> str:
    """Explain a date as stored by spreadsheets (days) or a Unix time (seconds)."""
    if re.fullmatch(r"[1-4]\d{9}", text):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text))
        return f"is a Unix time in seconds; write {moment:%Y-%m-%d %H:%M}Z"
    found = re.fullmatch(r"(\d{5})(?:[.,](\d{1,15}))?", text)
    if found is None or not 20_000 <= int(found[1]) < 80_000:
        return ""
    minutes = round(float(f"0.{found[2] or 0}") * 1440)
    moment = _SPREADSHEET_DAY_0 + timedelta(days=int(found[1]), minutes=minutes)
    right = f"{moment:%Y-%m-%d %H:%M}" if found[2] else f"{moment:%Y-%m-%d}"
    return f"is a date as Excel and other spreadsheets store it; write {right}"


def _explain_undecided(text: str, today: date | None) -> str:
    if not text or not UNDECIDED.fullmatch(text):
        return ""
    return (
        "is not a date yet; leave it out until there is one, or write the likeliest day, "
        f"such as {_example(today)}, and status: tentative"
    )


def _explain_relative(text: str, today: date | None) -> str:
    days = {"today": 0, "now": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
    word = text.split(" ")[0]
    if word in days and today:
        return f"is relative to the day it is read; write {today + timedelta(days=days[word])}"
    relative = rf"(next|this|coming|last)\b|in \d+ |{WEEKDAY}( \d|$)"
    if (word in days or re.match(relative, text)) and not re.search(r"\d{4}", text):
        hint = f"write the day itself, such as {_example(today)}"
        return f"is relative to the day it is read; {hint}"
    return ""


def explain_range(text: str) -> str:
    """Explain a start and an end in one value: 14-16 June 2030, 2030-06-14 17:00-19:00."""
    between = r" ?(?:-|to|until|and|&) ?"
    if re.search(rf"\b({MONTH})\b", text) and re.search(rf"\d{between}{DAY}\b(?![:.h])", text):
        begin = re.sub(rf"(?<=\d)(?:st|nd|rd|th)?{between}{DAY}\b", "", text, count=1)
        end = re.sub(rf"\b\d{{1,2}}(?:st|nd|rd|th)?{between}(?=\d)", "", text, count=1)
        if message := _write_range(begin, end):
            return message
    for divider in (" to ", " until ", " till ", " through ", " - ", "...", "..", "/"):
        begin, divides, end = text.partition(divider)
        if divides and (message := _write_range(begin, end)):
            return message
    clocks = list(CLOCK.finditer(text))
    if len(clocks) == 2 and text[clocks[0].end() : clocks[1].start()].strip() in ("-", "to"):
        return _write_range(text[: clocks[0].end()], text[clocks[1].start() :])
    return ""


def _write_range(begin: str, end: str) -> str:
    try:
        first, _ = find_readings(to_english(begin))
        clock = end.strip() if first and CLOCK.fullmatch(end.strip()) else ""
        day = first[0].text[:10] if clock else ""
        last, _ = find_readings(to_english(f"{day} {clock}" if clock else end))
        if clock and last and last[0].text < first[0].text:
            day = str(date.fromisoformat(day) + timedelta(days=1))
            last, _ = find_readings(f"{day} {clock}")
    except (ValueError, OverflowError):
        return ""
    if len(first) != 1 or len(last) != 1:
        return ""
    return f'has a start and an end in it; write "start: {first[0].text}" and "end: {last[0].text}"'


def _explain_part(text: str, today: date | None) -> str:
    """Explain a text that is more than a day (year, quarter, month, week) or incomplete."""
    if found := _MONTH_ALONE.fullmatch(text):
        month = int(found["number"] or found["number2"] or 0) or month_number(found["name"])
        year = int(found["year"] or found["year1"] or found["year2"])
        what, first, last = "a month", month, month
    elif found := _QUARTER.fullmatch(text):
        number, year = int(found[1] or found[2] or found[5]), int(found[3] or found[4])
        what, first, last = "a quarter of a year", 3 * number - 2, 3 * number
    elif re.fullmatch(r"\d{4}", text):
        what, first, last, year = "a year", 1, 12, int(text)
    elif day := _numbered_day(text):
        return f"is not written as year-month-day; write {day}"
    elif _PERIOD.search(text):
        return f"is more than a day; write the day, such as {_example(today)}"
    elif _NO_YEAR.fullmatch(text):
        return f"has no year; write the day with its year, such as {_example(today)}"
    elif CLOCK.fullmatch(text):
        return f"is a time without a day; write both, such as {_example(today)} 17:00"
    else:
        return ""
    try:
        begin = check_day(year, first, 1)
    except ValueError:
        return ""
    end = date(year, last, length_of_month(year, last))
    return (
        f"is {what}, not a day; write the day, such as {end}, or for all of it "
        f'"start: {begin}" and "end: {end}"'
    )


def _numbered_day(text: str) -> str:
    """Return the day of an ISO 8601 week date (2030-W24-5) or ordinal date (2030-165)."""
    for pattern, layout in ((r"\d{4}-?w\d\d-?[1-7]", "%GW%V%u"), (r"\d{4}-\d{3}", "%Y%j")):
        if re.fullmatch(pattern, text, re.ASCII):
            with suppress(ValueError):
                plain = text.upper().replace("-", "")
                return f"{datetime.strptime(plain, layout):%Y-%m-%d}"  # noqa: DTZ007 (a day)
    return ""


def _example(today: date | None) -> str:
    """Return a future day."""
    return f"{today.year + 1}-06-14" if today else "year-month-day"
