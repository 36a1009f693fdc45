"""Recurrence rules that calendar apps misread or read differently.

They were found by expanding thousands of rules with the libraries that apps use; tests verify
them. calfeed itself follows RFC 5545, 3.3.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from calfeed.definitions.recurrence.rules import read_rule
from calfeed.model.recurrences import Rule

_ICAL_JS = "Thunderbird and Nextcloud (ical.js)"
_LIBICAL = "GNOME's calendar (libical)"
_SABRE = "the servers of Nextcloud and Baïkal (sabre/vobject)"
_NODE_ICAL = "programs that use node-ical"
_OUTLOOK = "Outlook"

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The minimum number of days of each month, by its number."""

_CLOCK = {"BYHOUR", "BYMINUTE", "BYSECOND"}
_ORDER = (
    *("FREQ", "INTERVAL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"),
    *("BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS", "COUNT", "UNTIL", "WKST"),
)
_BY_DATE = {"BYMONTH", "BYMONTHDAY"}


def accept_rule(text: str, start: date | datetime) -> Rule:
    """Read the rule of an event that begins at `start`, if apps agree on its meaning.

    Raises ValueError for what `read_rule` rejects, and for rules that apps read differently, with
    the rule to write.
    """
    rule = read_rule(text, start)
    by = _by(rule)
    if rule.frequency == "YEARLY" and "BYMONTHDAY" in by and not by & {"BYMONTH", "BYYEARDAY"}:
        yearly = _write(rule, BYMONTH=str(rule.start.month))
        monthly = _write(rule, FREQ="MONTHLY")
        again = f", {monthly} for every month" if _is_plain(rule) else ""
        raise ValueError(
            "BYMONTHDAY without BYMONTH is once a year for some apps and every month for others; "
            f"write {yearly} for once a year{again}"
        )
    if rule.frequency == "DAILY" and _counts_back(rule):
        hint = f"write {_write(rule, FREQ='MONTHLY')}" if _is_plain(rule) else "use FREQ=MONTHLY"
        raise ValueError(
            "BYMONTHDAY from the end with FREQ=DAILY gives nothing in some apps, and others hang "
            f"on it; {hint}"
        )
    for name in ("BYYEARDAY", "BYWEEKNO"):
        others = sorted(by & (_BY_DATE | {"BYWEEKNO", "BYYEARDAY"}) - {name})
        if name in by and others:
            raise ValueError(
                f"{name} cannot be combined with {' and '.join(others)}: some apps reject such an "
                "event; keep one of them"
            )
    return rule


def find_misreadings(rule: Rule) -> Iterator[str]:
    """Yield a warning for each part of an accepted rule that some apps misread."""
    by, frequency = _by(rule), rule.frequency
    counted = any(nth is not None for nth, _ in rule.days)
    hours = "BYHOUR" in rule.numbers
    if frequency == "HOURLY":
        apps = (_ICAL_JS, _LIBICAL, _SABRE) if hours or by else ()
        yield _warning("FREQ=HOURLY", _OUTLOOK, *apps)
    elif hours and frequency in ("YEARLY", "MONTHLY"):
        yield _warning(f"BYHOUR with FREQ={frequency}", _ICAL_JS, _SABRE)
    elif hours and frequency == "WEEKLY" and "BYDAY" not in by:
        day = _WEEKDAYS[rule.start.weekday()]
        yield _warning("BYHOUR without BYDAY", _SABRE, alternative=_write(rule, BYDAY=day))
    if "BYSETPOS" in by and (frequency != "MONTHLY" or by != {"BYSETPOS", "BYDAY"}):
        what = "BYSETPOS, unless FREQ=MONTHLY and only BYDAY selects the days,"
        yield _warning(what, _ICAL_JS, _SABRE)
    if frequency == "WEEKLY" and rule.interval > 1 and rule.week_start and len(rule.days) > 1:
        yield _warning("WKST with INTERVAL and several days", _LIBICAL)
    if "BYYEARDAY" in by:
        yield _warning("BYYEARDAY", _SABRE)
    elif "BYWEEKNO" in by:
        yield _warning("BYWEEKNO", _ICAL_JS, f"{_LIBICAL} around the turn of the year")
    elif frequency == "YEARLY" and by == {"BYDAY"} and not counted:
        weekly = _write(rule, FREQ="WEEKLY") if _is_plain(rule) else ""
        yield _warning("FREQ=YEARLY with weekdays alone", _SABRE, alternative=weekly)
    elif frequency == "YEARLY" and counted and by != {"BYDAY", "BYMONTH"}:
        yield _warning("a number in BYDAY that does not count in BYMONTH", _ICAL_JS, _SABRE)
    if frequency in ("YEARLY", "MONTHLY") and _counts_back(rule):
        months = rule.numbers.get("BYMONTH", ())
        if "BYDAY" in by or (frequency == "YEARLY" and len(months) > 1):
            yield _warning("BYMONTHDAY from the end with BYDAY or several months", _ICAL_JS)
    if frequency == "YEARLY" and by <= _BY_DATE:
        yield from _find_missing_days(rule)
    if "BYMONTH" in by and frequency == "MONTHLY":
        days = {} if by & {"BYDAY", "BYMONTHDAY"} else {"BYMONTHDAY": str(rule.start.day)}
        yearly = _write(rule, FREQ="YEARLY", **days) if _is_plain(rule) else ""
        yield _warning("BYMONTH with FREQ=MONTHLY", _ICAL_JS, _SABRE, alternative=yearly)
    elif "BYMONTH" in by and (
        frequency == "WEEKLY" or (frequency == "DAILY" and not hours and "BYDAY" not in by)
    ):
        yield _warning(f"BYMONTH with FREQ={frequency}", _SABRE)
    if "BYMONTHDAY" in by and frequency == "DAILY":
        monthly = _write(rule, FREQ="MONTHLY") if _is_plain(rule) else ""
        yield _warning("BYMONTHDAY with FREQ=DAILY", _SABRE, alternative=monthly)


def _find_missing_days(rule: Rule) -> Iterator[str]:
    """Warn about days that a month does not have every year, or never has (29 February)."""
    by = _by(rule)
    months = rule.numbers.get("BYMONTH", (rule.start.month,))
    days = rule.numbers.get("BYMONTHDAY", (rule.start.day,))
    named = "BYMONTHDAY" in by and len(months) == len(days) == 1
    if named or not any(day > _DAYS[month] for month in months for day in days):
        return
    apps = (_ICAL_JS, _SABRE) if by == {"BYMONTH"} else (_ICAL_JS,)
    alternative = ""
    if len(months) == len(days) == 1:
        alternative = _write(rule, BYMONTH=str(months[0]), BYMONTHDAY=str(days[0]))
    yield _warning("a day that its month does not always have", *apps, alternative=alternative)


def explain_rdate_support(rule: Rule | None) -> str:
    """Explain how some apps treat additional dates (RDATE) with or without a rule."""
    if rule is None:
        return f"an event with additional dates and no rule is ignored by {_OUTLOOK}"
    return (
        f"additional dates next to a rule are ignored by {_NODE_ICAL}, and {_SABRE} ignore the "
        "rule; to be safe, make each date a separate event"
    )


def _by(rule: Rule) -> set[str]:
    """Return the names of the parts that select days."""
    return {name for name in _parts(rule) if name.startswith("BY")} - _CLOCK


def _parts(rule: Rule) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.text.split(";"))


def _is_plain(rule: Rule) -> bool:
    """Return whether another FREQ can express the rule, because it has no INTERVAL or BYSETPOS."""
    return rule.interval == 1 and "BYSETPOS" not in rule.numbers


def _counts_back(rule: Rule) -> bool:
    return any(day < 0 for day in rule.numbers.get("BYMONTHDAY", ()))


def _write(rule: Rule, **parts: str) -> str:
    """Return the RRULE value with some parts replaced, in conventional order."""
    in_order = sorted((_parts(rule) | parts).items(), key=lambda part: _ORDER.index(part[0]))
    return ";".join(f"{name}={value}" for name, value in in_order)


def _warning(what: str, *apps: str, alternative: str = "") -> str:
    *others, last = apps
    names = f"{', '.join(others)} and {last}" if others else last
    hint = f"; write {alternative}, which all apps read correctly" if alternative else ""
    return f"{what} is misread by {names}{hint}"
