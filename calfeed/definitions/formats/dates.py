"""Dates and times in other forms than `2030-06-14 17:00`.

`rewrite_moment` accepts unambiguous texts; `find_readings` lists all readings of a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from calfeed.definitions.hints.months import MONTHS
from calfeed.model.dates.years import FIRST_YEAR, LAST_YEAR

_MAX_LENGTH = 100

MONTH = "|".join(sorted({*MONTHS, *(name[:3] for name in MONTHS), "sept"}, key=len, reverse=True))
"""A pattern for an English month name, full or abbreviated."""
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
"""A pattern for the day next to a month name."""
CLOCK = re.compile(
    # 5 pm, 5:00 p.m.
    r"(?<![\d:])(?P<hour>\d{1,2})(?:\s?[:.h]\s?(?P<minute>\d\d)(?::(?P<second>\d\d))?)?"
    r"\s?(?P<half>[ap])\.?\s?m\b\.?"
    # 17:00, 17.00, 17h00, 17:00:00.000, 17:00 hrs
    r"|(?<![\d:])(?P<hour24>\d{1,2})\s?[:.h]\s?(?P<minute24>\d\d)"
    r"(?:[:.](?P<second24>\d\d)(?:[.,]\d+)?)?(?![\d:])(?:\s?(?:h|hrs?|hours)\b)?"
    # 17h, 1700, 170000, 1700 hrs
    r"|(?<![\d:])(?P<hour_alone>\d{1,2})\s?h\b"
    r"|(?<![\d:])(?P<joined>[012]\d[0-5]\d)(?:[0-5]\d)?(?:\s?(?:h|hrs?|hours)\b|(?=z\b|$))"
    r"|\b(?P<word>noon|midnight)\b"
)

_YEAR = r"(?P<year>\d{4})(?![\d:])"
_NAMED = (
    re.compile(rf"\b{DAY}[\s.-]*(?:of\s)?(?P<month>{MONTH})\b[.,]?[\s-]*{_YEAR}"),
    re.compile(rf"\b(?P<month>{MONTH})\b[.,]?[\s-]*{DAY}\b,?\s*{_YEAR}"),
    re.compile(rf"\b{_YEAR}[,\s-]*(?P<month>{MONTH})\b[.,]?[\s-]*{DAY}\b"),
)
_NUMBERS = re.compile(
    r"(?<![\d:])(\d{4}|\d{1,2})(?:([-/._])| )(\d{1,2})(?(2)\2| )(\d{4}|\d{1,2})(?![\d:])"
)
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAY = r"\b(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?"
"""A pattern for an English weekday, full or abbreviated."""
_FILLER_WORDS = re.compile(r"\b(?:at|on|the|of|t)\b|[,;@]")
_OFFSET = re.compile(r"(?:utc|gmt)?\s?([+-])\s?(\d{1,2})(?::?(\d\d))?")


@dataclass(frozen=True)
class Reading:
    """One reading of a text in canonical form; `label` distinguishes it from other readings."""

    text: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.label})" if self.label else self.text


def normalize(text: str) -> str:
    """Return the text with ASCII digits, spaces and hyphens, without invisible characters.

    Texts longer than any date are truncated.
    """
    text = text[:_MAX_LENGTH]
    if text.isascii():
        return re.sub(r"\s+", " ", text).strip()
    plain = []
    for character in text:
        kind = unicodedata.category(character)
        if kind == "Nd":
            plain.append(str(unicodedata.digit(character)))
        elif kind == "Pd" or character == "\N{MINUS SIGN}":
            plain.append("-")
        elif character.isspace():
            plain.append(" ")
        elif kind != "Cf":
            plain.append(unicodedata.normalize("NFKC", character))
    return re.sub(" +", " ", "".join(plain)).strip()


def rewrite_moment(text: str) -> str:
    """Return an unambiguous text as `2030-06-14 17:00`, any other as `normalize` returns it.

    Dates with an English month name and a year, and times with am or pm, are unambiguous.
    """
    plain = normalize(text)
    lower = plain.lower()
    if not any(pattern.search(lower) for pattern in _NAMED) and not re.match(
        r"\d{4}-\d\d-\d\d \d.*[ap]\.?\s?m\b", lower
    ):
        return plain
    try:
        readings, rest = find_readings(lower)
    except ValueError:
        return plain
    return readings[0].text if len(readings) == 1 and not rest else plain


def rewrite_clock(text: str) -> str:
    """Return a time of day with am or pm as `17:00`, any other text as `normalize` returns it."""
    plain = normalize(text)
    found = CLOCK.fullmatch(plain.lower())
    readings = find_clock_readings(found) if found and found["half"] else []
    return readings[0][1].text if len(readings) == 1 else plain


def find_readings(text: str) -> tuple[list[Reading], str]:
    """Return the readings of a lower-case text, and the rest of the text.

    Raises ValueError for a day that does not exist.
    """
    text = text.strip(" .,;")
    weekday = re.search(WEEKDAY, text)
    if weekday is not None:
        text = text[: weekday.start()] + text[weekday.end() :]
    days, rest = _find_days(text)
    if weekday is not None and days:
        matching = [
            each for each in days if _WEEKDAYS[each[0].weekday()].startswith(weekday[1][:3])
        ]
        if not matching:
            raise ValueError(f"{days[0][0]} is a {_WEEKDAYS[days[0][0].weekday()].title()}")
        days = matching
    clocks = [(0, Reading(""))]
    suffix = ""
    if found := CLOCK.search(rest):
        clocks = find_clock_readings(found)
        rest = rest[: found.start()] + " " + rest[found.end() :]
    rest = re.sub(" +", " ", _FILLER_WORDS.sub(" ", rest)).strip(" .()[]")
    if clocks and clocks[0][1].text:
        suffix, rest = _take_offset(rest)
    readings = []
    for (day, label), (shift, clock) in product(days, clocks):
        moment = f"{day + timedelta(days=shift)} {clock.text}".rstrip() + suffix
        readings.append(Reading(moment, ", ".join(filter(None, (label, clock.label)))))
    return readings, rest


def find_clock_readings(found: re.Match[str]) -> list[tuple[int, Reading]]:
    """Return the readings of a match of `CLOCK`, each with an offset in days."""
    return list(_read_clock(found))


def _read_clock(found: re.Match[str]) -> Iterator[tuple[int, Reading]]:
    joined, half, word = found["joined"], found["half"], found["word"]
    hours = found["hour"] or found["hour24"] or found["hour_alone"] or 0
    hour = int(joined[:2] if joined else hours)
    minute = int(joined[2:] if joined else found["minute"] or found["minute24"] or 0)
    second = int(found["second"] or found["second24"] or 0)
    if word == "midnight":
        yield 0, Reading("00:00", "the day begins")
        yield 1, Reading("00:00", "the day ends")
    elif half and (hour, minute) == (12, 0):
        # 12 am and 12 pm are both used for noon and for midnight.
        yield 0, Reading("12:00", "noon")
        yield 0, Reading("00:00", "midnight")
    elif word == "noon":
        yield 0, Reading("12:00")
    elif (hour, minute, second) == (24, 0, 0):
        yield 1, Reading("00:00")
    elif minute < 60 and second < 60 and (1 <= hour <= 12 if half else hour < 24):
        hour = hour % 12 + (12 if half == "p" else 0) if half else hour
        yield 0, Reading(f"{hour:02}:{minute:02}" + (f":{second:02}" if second else ""))


def _take_offset(rest: str) -> tuple[str, str]:
    """Return the UTC offset in `rest`, in canonical form, and the remaining text."""
    if rest in ("z", "utc", "gmt"):
        return "Z", ""
    if found := _OFFSET.fullmatch(rest):
        return f"{found[1]}{int(found[2]):02}:{found[3] or '00'}", ""
    return "", rest


def _find_days(text: str) -> tuple[list[tuple[date, str]], str]:
    """Return the possible days in a text, each with its label, and the rest of the text."""
    days = []
    if found := next(filter(None, (pattern.search(text) for pattern in _NAMED)), None):
        month = month_number(found["month"])
        days = [(check_day(int(found["year"]), month, int(found["day"])), "")]
    elif found := _NUMBERS.search(text):
        days = list(_read_numbers(found[1], int(found[3]), found[4]))
    elif found := _COMPACT.search(text):
        days = [(check_day(*map(int, found.groups())), "")]
    return days, text[: found.start()] + " " + text[found.end() :] if found else text


def _read_numbers(first: str, second: int, third: str) -> Iterator[tuple[date, str]]:
    number1, number3 = int(first), int(third)
    if len(first) == 4:
        # The month follows the year, unless that number cannot be a month.
        month, day = (second, number3) if second <= 12 or number3 > 12 else (number3, second)
        yield check_day(number1, month, day), ""
        return
    year = number3 if len(third) == 4 else 2000 + number3
    orders = [(year, second, number1, "the day first"), (year, number1, second, "the month first")]
    if len(third) < 3:
        orders.append((2000 + number1, second, number3, "the year first"))
    possible = [order for order in orders if order[1] in range(1, 13) and order[2] in range(1, 32)]
    seen: set[date] = set()
    for year, month, day, label in possible:
        if len(possible) > 1 and day > length_of_month(year, month):
            continue
        found = check_day(year, month, day)
        if found not in seen:  # 6/6/2030 has the same meaning in both orders
            seen.add(found)
            yield found, label


def month_number(name: str) -> int:
    """Return the number of a month, from 1, by its lower-case English name."""
    return [month[:3] for month in MONTHS].index(name[:3]) + 1


def length_of_month(year: int, month: int) -> int:
    """Return the number of days in a month."""
    return ((date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def check_day(year: int, month: int, day: int) -> date:
    """Return the date; raise ValueError, with the reason, if it does not exist."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(
            f"the year must be from {FIRST_YEAR} to {LAST_YEAR}, in the Gregorian calendar"
        )
    if not 1 <= month <= 12:
        raise ValueError("the month comes second, from 01 to 12")
    if not 1 <= day <= length_of_month(year, month):
        name = MONTHS[month - 1].title() + (f" {year}" if month == 2 else "")
        raise ValueError(f"{name} has {length_of_month(year, month)} days")
    return date(year, month, day)
