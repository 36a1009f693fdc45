"""Suggestions for a start that is uncertain, postponed or counted, but not written as one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import TypeAlias

from calfeed.definitions.formats.dates import MONTH, find_readings, month_number
from calfeed.definitions.hints.moments import UNDECIDED, explain_range
from calfeed.definitions.hints.months import to_english

_WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_NAME = r"(?:the )?(?P<cause>[a-z0-9-]*[a-z][a-z0-9-]*(?:/[a-z0-9-]+)?)"
_LIMIT = r"(?:within|in|at least|at most|no later than|not later than|no less than|by|up to) "
_SIDES = {
    "after": r"after|from|of|since|following|on from|past",
    "before": r"before|prior to|ahead of|in advance of|preceding|until|to",
}
_UNIT = r"(?:day|weekday|workday|week|month|year)s?"
_COUNT = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|\d{1,5})"
_KIND = r"(?:working|business|court|office|bank|clear|calendar|full|whole|consecutive)"
_DISTANCE = rf"(?:(?P<count>{_COUNT}|the|next|last|first) )?(?:{_KIND} )*(?P<unit>{_UNIT})"
_WORKING = ("working", "business", "court", "office", "bank")

_PARTS = {
    **dict.fromkeys(("early", "beginning of", "start of"), "early"),
    **dict.fromkeys(("mid", "middle of"), "mid-"),
    **dict.fromkeys(("late", "end of"), "late"),
}
_PART = rf"(?:the )?(?P<part>{'|'.join(_PARTS)})[ -](?:the )?"
_ABOUT = r"(?:about|around|approximately|approx\.?|roughly|circa|ca?\.|~) ?"
_WRITTEN = "is written as "
_OPEN = r"(?:t\.?b\.?[acd]\.?|to be (?:confirmed|announced|decided|determined)|provisional)"

_Explain: TypeAlias = Callable[[re.Match[str]], str]


def explain_start(text: str, today: date | None) -> str:
    """Explain how to write the probable meaning of a lower-case text; "" if it is unclear.

    Examples are later than `today`.
    """
    if UNDECIDED.fullmatch(text):
        return _explain_undecided(today)
    for pattern, explain in _EXPLAINED:
        if (found := pattern.fullmatch(text)) and (message := explain(found)):
            return message
    if hint := explain_range(text):
        first, last = re.findall(r'(?:start|end): ([^"]+)"', hint)
        if len(first) == len(last) == 10 and first < last:
            return f'{hint}; or, if it is on one of these days, "start: {first}..{last}"'
        return hint
    english = to_english(text)
    if english != text and (found := re.fullmatch(rf" *({MONTH}) +(\d{{4}})", english)):
        return f"is a month; write {found[2]}-{month_number(found[1]):02}"
    return ""


def _explain_undecided(today: date | None) -> str:
    year = today.year + 1 if today else 2030
    return (
        f"is not a date yet; write what is known: a month or a quarter ({year}-06, {year}-Q3), "
        f"a day without its time ({year}-06-14 time to be confirmed), or `postponed` if an "
        "announced date is no longer valid; if nothing is known, leave the event out"
    )


def _explain_counted(found: re.Match[str], side: str) -> str:
    """Explain a distance from an event: "within 14 days of ruling"."""
    groups = found.groupdict()
    count, unit = groups["count"] or "1", groups["unit"]
    count = "1" if count in ("a", "an", "the", "next", "last", "first") else count
    kinds = found["distance"].split()[:-1]
    if unit.startswith(("weekday", "workday")):
        kinds.append("working")
        unit = unit[4:]
    working = "working " if any(kind in _WORKING for kind in kinds) else ""
    clear = "clear " if "clear" in kinds else ""
    if working and not unit.startswith("day"):
        return ""
    unit = unit.removesuffix("s") + ("" if count in ("1", "one") else "s")
    return f"is written as {count} {clear}{working}{unit} {side} {found['cause']}"


def _explain_fortnight(found: re.Match[str]) -> str:
    return f"is written as 2 weeks {found['side']} {found['cause']}"


def _explain_same_day(found: re.Match[str]) -> str:
    return f"is written as 0 days after {found['cause']}"


def _explain_sum(found: re.Match[str]) -> str:
    """Explain an addition: "ruling + 14 days"."""
    side = "after" if found["sign"] == "+" else "before"
    unit = found["unit"].removesuffix("s")
    unit = unit if unit != "d" else "day"
    working = "working " if found["working"] else ""
    plural = "" if found["count"] == "1" else "s"
    return f"is written as {found['count']} {working}{unit}{plural} {side} {found['cause']}"


def _explain_weekday(found: re.Match[str]) -> str:
    side = found["side"].replace("following", "after").replace("preceding", "before")
    return f"is written as {found['day']} {side} {found['cause']}"


def _explain_title(found: re.Match[str]) -> str:
    """Explain that a cause is written by its key, not by its title."""
    if re.search(r"\b(?:19|2[01])\d\d\b", found["title"]):
        return ""  # a date, not an event
    name = re.sub(r"[^a-z0-9]+", "-", found["title"]).strip("-")
    written = explain_start(found.string[: found.start("title")] + name, None)
    example = written.removeprefix(_WRITTEN) if written.startswith(_WRITTEN) else name
    return (
        f'names an event by "{found["title"]}"; write its key under `events`, which is one word: '
        f"{example}, for example"
    )


def _explain_part(found: re.Match[str]) -> str:
    month = month_number(found["month"])
    last = found["part"] == "end of"
    part = _PARTS[found["part"]]
    separator = "" if part.endswith("-") else " "
    name = date(2030, month, 1).strftime("%B")
    year = int(found["year"])
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    also = f", or {day} for the last day" if last else ""
    return f"is written as {part}{separator}{name} {year}{also}"


def _explain_part_of_year(found: re.Match[str]) -> str:
    year = found["year"]
    part = _PARTS[found["part"]]
    if part == "mid-":
        return f"is written as the months that are possible: {year}-05..{year}-08"
    quarter, half = ("Q1", "H1") if part == "early" else ("Q4", "H2")
    return f"is written as a quarter or a half of the year: {year}-{quarter}, {year}-{half}"


def _explain_month(found: re.Match[str]) -> str:
    month = int(found["month"] or found["month2"])
    year = found["year"] or found["year2"]
    return f"is written as {year}-{month:02}" if 1 <= month <= 12 else ""


def _explain_quarter(found: re.Match[str]) -> str:
    number = found["first"] or found["second"] or found["third"]
    return f"is written as {found['year'] or found['year2']}-Q{number}"


def _explain_week(found: re.Match[str]) -> str:
    try:
        monday = date.fromisocalendar(
            int(found["year"] or found["year2"]), int(found["week"] or found["week2"]), 1
        )
    except ValueError:
        return ""
    return f"is a week; write its days: {monday}..{monday + timedelta(days=6)}"


def _explain_week_of(found: re.Match[str]) -> str:
    try:
        readings, rest = find_readings(found["day"])
    except ValueError:
        return ""
    if len(readings) != 1 or rest:
        return ""
    day = date.fromisoformat(readings[0].text[:10])
    monday = day - timedelta(days=day.weekday())
    return f"is a week; write its days: {monday}..{monday + timedelta(days=6)}"


def _explain_about(found: re.Match[str]) -> str:
    return (
        "is about a date; write the days or the month in which it lies: 2030-06-03..2030-06-07, "
        "mid-June 2030, or 2030-06"
    )


def _explain_open(found: re.Match[str]) -> str:
    """Explain a date with "TBC" beside it; it is unclear what is to be confirmed."""
    try:
        readings, rest = find_readings(found["day"])
    except ValueError:
        return ""
    if len(readings) != 1 or rest:
        if re.search(r"\d{4}", found["day"]):
            day = found["day"].title()
            return f"has a remark next to the date; {day} alone says that the day is open"
        return ""
    day = readings[0].text
    if len(day) > 10:
        return f'may change; write "start: {day}" and "status: tentative"'
    return (
        f'does not say what is open: write "{day} time to be confirmed" if the day is certain, '
        f'or "start: {day}" and "status: tentative"'
    )


def _explain_limit(found: re.Match[str]) -> str:
    """Explain a deadline: "by 14 June 2030"."""
    try:
        readings, rest = find_readings(found["day"])
    except ValueError:
        return ""
    if len(readings) != 1 or rest:
        return ""
    if found["word"] == "before":
        return (
            'may or may not include that day; write the last day with "kind: deadline": '
            f"{readings[0].text} includes the whole day"
        )
    return f'is a deadline; write "start: {readings[0].text}" and "kind: deadline"'


def _explain_postponed(found: re.Match[str]) -> str:
    return (
        "is not a date; write `postponed` if there is no new date, or `postponed from` and the "
        "former date; an event that does not take place has its old date and status: cancelled"
    )


_SIDE = "(?P<side>after|before)"
_PATTERNS: tuple[tuple[str, _Explain], ...] = (
    (
        r"(?:now )?(?:on hold|delayed|deferred|suspended|adjourned|rescheduled|put off|"
        r"cancell?ed|called off)(?: .*)?|postponed (?!from ).*",
        _explain_postponed,
    ),
    (rf"(?:(?:on )?(?:the )?(?:same )?day (?:as|of)|on) {_NAME}", _explain_same_day),
    (
        rf"(?:a|one|the)? ?fortnight {_SIDE} {_NAME}",
        _explain_fortnight,
    ),
    *(
        (
            rf"(?:{_LIMIT})?(?:the )?(?P<distance>{_DISTANCE}) (?:{words}) {_NAME}",
            partial(_explain_counted, side=side),
        )
        for side, words in _SIDES.items()
    ),
    (
        rf"{_NAME} ?(?P<sign>[+-]) ?(?P<count>\d{{1,5}}) ?"
        r"(?P<working>(?:working|business) )?(?P<unit>(?:day|week|month|year)s?|d)",
        _explain_sum,
    ),
    (
        rf"(?:the )?(?:first |next |last )?(?P<day>{_WEEKDAYS}) "
        rf"(?P<side>after|before|following|preceding) {_NAME}",
        _explain_weekday,
    ),
    (
        rf"\S+ .*?[a-z] {_SIDE} (?:the )?(?P<title>\S+ .*[a-z].*)",
        _explain_title,
    ),
    (rf"{_PART}(?P<month>{MONTH})\.?,?[ -]?(?P<year>\d{{4}})", _explain_part),
    (rf"{_PART}(?P<year>\d{{4}})", _explain_part_of_year),
    (
        r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})(?:[-/.](?:xx|00|\?\?))?|"
        r"(?P<month2>\d{1,2})[-/. ](?P<year2>\d{4})",
        _explain_month,
    ),
    (
        r"(?:q(?P<first>[1-4])|(?P<second>[1-4])q)[ -/]*(?P<year>\d{4})|"
        r"(?P<year2>\d{4})[ -/]*q(?P<third>[1-4])",
        _explain_quarter,
    ),
    (
        r"(?P<year>\d{4})-?w(?P<week>\d\d?)|(?:week|w|kw|calendar week) ?(?P<week2>\d\d?)"
        r"(?:,| of|/)? ?(?P<year2>\d{4})",
        _explain_week,
    ),
    (
        r"(?:in )?(?:the )?week (?:of|from|beginning|commencing|starting)(?: the)? (?P<day>.+)",
        _explain_week_of,
    ),
    (rf"{_ABOUT}.+|.*\d{{4}}.*[?~%]", _explain_about),
    (rf"(?P<day>.*\d{{4}}.*?)[,;]? ?\(?(?:date |day )?{_OPEN}\)?", _explain_open),
    (
        r"(?P<word>by|before|until|till|no later than|not later than|on or before|due)"
        r"(?: the)? (?P<day>.+)",
        _explain_limit,
    ),
)
_EXPLAINED = tuple((re.compile(pattern), explain) for pattern, explain in _PATTERNS)
