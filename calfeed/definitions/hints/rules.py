"""Convert recurrence rules in words to RFC 5545."""

from __future__ import annotations

import re

from calfeed.definitions.formats.dates import MONTH, month_number, normalize
from calfeed.definitions.hints.moments import suggest_moment

_MAX_LENGTH = 100
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)(?:s?day|nesday|rsday|urday|s|rs)?s?"
_DAY_LIST = rf"{_DAY}(?:(?:, ?(?:and )?| and | & |/| ){_DAY})*"
_NTH = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "fifth": 5,
    "5th": 5,
    "last": -1,
    "second last": -2,
    "second to last": -2,
}
_ORDINAL = "|".join(sorted(_NTH, key=len, reverse=True))
_UNITS = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY", "hour": "HOURLY"}
_ADVERBS = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "hourly": "HOURLY",
    "yearly": "YEARLY",
    "annually": "YEARLY",
    "annual": "YEARLY",
    "every day": "DAILY",
    "fortnightly": "WEEKLY;INTERVAL=2",
    "quarterly": "MONTHLY;INTERVAL=3",
    "half-yearly": "MONTHLY;INTERVAL=6",
    "twice a year": "MONTHLY;INTERVAL=6",
}
_NUMBERS = {"other": 2, "two": 2, "second": 2, "three": 3, "third": 3, "four": 4, "six": 6}


def suggest_rule(text: str) -> str | None:
    """Convert words ("last Thursday of the month") to a rule; None if they are not understood."""
    if len(text) > _MAX_LENGTH:
        return None
    words = normalize(text).lower().strip(" .")
    ending = ""
    if found := re.search(r",? (?:until|till|up to|to) (.+)$", words):
        day = suggest_moment(found[1])
        if day is None:
            return None
        words, ending = words[: found.start()], f";UNTIL={day[:10].replace('-', '')}"
    elif found := re.search(r",? (?:for )?(\d{1,4}) (?:times|occurrences)$", words):
        words, ending = words[: found.start()], f";COUNT={int(found[1])}"
    rule = _find_frequency(words) or _find_weekdays(words) or _find_month_days(words)
    return f"FREQ={rule}{ending}" if rule else None


def explain_rule(text: str) -> str:
    """Explain why a text is not a recurrence rule, and suggest one."""
    rule = suggest_rule(text)
    example = f'rule: "{rule}"' if rule else 'a rule such as "FREQ=MONTHLY;BYDAY=-1TH"'
    return f"is not a recurrence rule (RFC 5545); write {example}"


def _find_frequency(words: str) -> str | None:
    if words in _ADVERBS:
        return _ADVERBS[words]
    if re.fullmatch(r"(?:every |on )?(?:weekdays?|(?:working|work|business) ?days?)", words):
        return "WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    number = rf"(\d{{1,3}}|{'|'.join(_NUMBERS)})"
    unit = rf"(?: {number})? ({'|'.join(_UNITS)})s?"
    found = re.fullmatch(rf"(?:once )?(?:every|each|per|an?){unit}", words)
    if found is None:
        return None
    count = _NUMBERS.get(found[1] or "", 0) or int(found[1] or 1)
    return _UNITS[found[2]] + (f";INTERVAL={count}" if count > 1 else "")


def _find_weekdays(words: str) -> str | None:
    """Parse "Mondays", "every Tuesday and Thursday", "weekly on Friday", "every other Monday"."""
    how = r"weekly|every week|fortnightly|every (?:other|second|two weeks?)|every|each"
    found = re.fullmatch(rf"(?:({how})\b,? ?)?(?:on )?({_DAY_LIST})", words)
    if found is None or not (found[1] or re.search("s$|,| ", found[2])):
        return None
    interval = ";INTERVAL=2" if re.search("other|second|two|fort", found[1] or "") else ""
    return f"WEEKLY{interval};BYDAY={_by_day(found[2])}"


def _find_month_days(words: str) -> str | None:
    """Parse "last Thursday of the month", "15th of each month", "first Monday of September"."""
    often = r"(?:monthly|(?:every|each) month)"
    monthly = re.match(often, words)
    words = re.sub(rf"^(?:{often},? )?(?:on )?(?:every |each )?(?:the )?", "", words)
    month = rf"(?: (?:of|in) (?:(?:the|each|every|a) )?(?:(month)|({MONTH})))?"
    of = rf"{month}(?: (?:each|every) year)?"
    if found := re.fullmatch(rf"({_ORDINAL}) ({_DAY}){of}", words):
        day = f"BYDAY={_NTH[found[1]]}{_by_day(found[2])}"
    elif found := re.fullmatch(rf"(last) (day){of}", words):
        day = "BYMONTHDAY=-1"
    elif found := re.fullmatch(rf"(\d{{1,2}})(st|nd|rd|th)?(?: day)?{of}", words):
        day = f"BYMONTHDAY={int(found[1])}"
    else:
        return None
    if found[4]:
        return f"YEARLY;BYMONTH={month_number(found[4])};{day}"
    return f"MONTHLY;{day}" if monthly or found[3] else None


def _by_day(words: str) -> str:
    found = dict.fromkeys(day[:3] for day in re.findall(_DAY, words))
    return ",".join(day[:2].upper() for day in sorted(found, key=_DAYS.index))
