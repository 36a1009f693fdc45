"""The options in a feed's query string, parsed into a normal form.

Equal options share one cached feed, in whatever order or spelling the parameters come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from calfeed.model.dates.durations import Duration
from calfeed.model.texts import check_language, shortened
from calfeed.web.feeds.query_errors import N_, QueryError

MAX_ALARMS = 5
"""The maximum number of alarms in `own_alarms`; apps such as Google's show no more than five."""

_ALARM = re.compile(r"(\d{1,5})([mhdw])", re.ASCII)
_MAX_ALARM_DAYS = 366
_MAX_YEARS = 200
_MAX_DIGITS = 20
_MAX_PARAMETERS = 50
_MAX_CACHED_QUERY_LENGTH = 200

Value = TypeVar("Value")


@dataclass(frozen=True)
class FeedOptions:
    """Which events a feed contains, and in which form.

    Empty `categories` mean all events, an empty `language` that of the calendar. `past` is the
    number of past years; None means the calendar's setting. Without `open_days`, the feed has no
    events whose day is not known to within a week. `own_alarms` replace the published alarms. With
    `marked`, titles say what is cancelled; with `dropped`, what is cancelled is left out.
    """

    categories: tuple[str, ...] = ()
    language: str = ""
    alarms: bool = True
    marked: bool = False
    past: int | None = None
    open_days: bool = True
    own_alarms: tuple[Duration, ...] = ()
    dropped: bool = False

    def query(self) -> str:
        """Return the options as a normalized query string, empty for the default."""
        return urlencode(self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """Return the options that differ from the default as names and values."""
        pairs = [("category", category) for category in self.categories]
        pairs += [("lang", self.language)] if self.language else []
        if self.own_alarms:
            pairs += [("alarms", ",".join(map(write_alarm, self.own_alarms)))]
        elif not self.alarms:
            pairs += [("alarms", "0")]
        if self.marked or self.dropped:
            pairs += [("cancelled", "drop" if self.dropped else "mark")]
        if self.past is not None:
            pairs.append(("past", "all" if self.past > _MAX_YEARS else str(self.past)))
        pairs += [] if self.open_days else [("open", "none")]
        return pairs


DEFAULT_OPTIONS = FeedOptions()


def parse_feed_options(query: str) -> FeedOptions:
    """Parse a query string; unknown parameters are ignored.

    Raises QueryError for an invalid value; the message says which values are valid.
    """
    return _read_cached(query) if len(query) <= _MAX_CACHED_QUERY_LENGTH else _read_query(query)


def _read_query(query: str) -> FeedOptions:
    return read_options(read_pairs(query, _MAX_PARAMETERS))


def read_options(pairs: Iterable[tuple[str, str]]) -> FeedOptions:
    """Return the options that parameters name. Raises QueryError for an invalid value."""
    categories: set[str] = set()
    own_alarms: set[Duration] = set()
    language, alarms, cancelled, past, open_days = "", True, "keep", None, True
    for name, value in pairs:
        if name == "category":
            categories |= set(split_names(value))
        elif name == "lang":
            language = _read_language(value)
        elif name == "alarms" and value in ("0", "1"):
            alarms = value == "1"
        elif name == "alarms":
            own_alarms |= _read_alarms(value)
        elif name == "cancelled":
            cancelled = _one_of(name, value, {each: each for each in ("mark", "keep", "drop")})
        elif name == "past":
            past = _read_past(value)
        elif name == "open":
            open_days = _one_of(name, value, {"none": False, "all": True})
    if len(own_alarms) > MAX_ALARMS:
        text = N_(
            "alarms= has %(count)s times; write %(most)s at most",
            count=len(own_alarms),
            most=MAX_ALARMS,
        )
        raise QueryError(text)
    return FeedOptions(
        categories=tuple(sorted(categories)),
        language=language,
        alarms=alarms or bool(own_alarms),
        marked=cancelled == "mark",
        past=past,
        open_days=open_days,
        own_alarms=tuple(sorted(own_alarms)),
        dropped=cancelled == "drop",
    )


# Clients send few different query strings.
_read_cached = lru_cache(maxsize=512)(_read_query)


def read_pairs(query: str, most: int) -> list[tuple[str, str]]:
    """Parse a query string. Raises QueryError if it has more than `most` parameters."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        text = N_(
            "a URL must have at most %(most)s parameters; join several categories: "
            "category=address,deadline",
            most=most,
        )
        raise QueryError(text) from error


def split_names(value: str) -> list[str]:
    """Split a list of names at its commas."""
    return [name for part in value.split(",") if (name := part.strip())]


def write_alarm(before: Duration) -> str:
    """Write how long before the start an alarm is, in the largest unit that fits: `1w`, `90m`."""
    if before.days:
        return f"{before.days // 7}w" if before.days % 7 == 0 else f"{before.days}d"
    hours, minutes = divmod(before.minutes, 60)
    return f"{hours}h" if hours and not minutes else f"{before.minutes}m"


def _read_alarms(value: str) -> set[Duration]:
    return {_read_alarm(part.strip()) for part in value.split(",")}


def _read_alarm(text: str) -> Duration:
    written = _ALARM.fullmatch(text)
    if written is None:
        message = N_(
            "alarms=%(value)s is not valid; write 0 for none, 1 for the published ones, "
            "or up to %(most)s times before the start, such as 15m, 1h, 2d or 1w",
            value=shortened(text),
            most=MAX_ALARMS,
        )
        raise QueryError(message)
    count = int(written[1])
    found = {
        "m": Duration(minutes=count),
        "h": Duration(minutes=60 * count),
        "d": Duration(days=count),
        "w": Duration(days=7 * count),
    }[written[2]]
    if found.days > _MAX_ALARM_DAYS or found.minutes > _MAX_ALARM_DAYS * 24 * 60:
        message = N_(
            "alarms=%(value)s is too early; an alarm is at most %(most)s days before",
            value=text,
            most=_MAX_ALARM_DAYS,
        )
        raise QueryError(message)
    return found


def _one_of(name: str, value: str, values: Mapping[str, Value]) -> Value:
    if value not in values:
        text = N_(
            "%(name)s=%(value)s is not valid; write one of: %(values)s",
            name=name,
            value=shortened(value),
            values=" | ".join(values),
        )
        raise QueryError(text)
    return values[value]


def _read_language(value: str) -> str:
    try:
        return check_language(value) if value else ""
    except ValueError:
        text = N_(
            "lang=%(value)s is not a language tag; write one such as en, ur, ps or fa-AF",
            value=shortened(value),
        )
        raise QueryError(text) from None


def _read_past(value: str) -> int:
    if value == "all":
        return _MAX_YEARS + 1
    digits = value.isascii() and value.isdigit()
    # Python refuses to parse numbers with thousands of digits.
    if not digits or len(value) > _MAX_DIGITS or int(value) > _MAX_YEARS:
        text = N_(
            "past=%(value)s is not valid; write a number of years up to %(most)s, or all",
            value=shortened(value),
            most=_MAX_YEARS,
        )
        raise QueryError(text)
    return int(value)
