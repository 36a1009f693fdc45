"""The options in a feed's query string, parsed into a normal form.

Equal options share one cached feed, in whatever order or spelling the parameters come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from calfeed.errors import InvalidInputError
from calfeed.model.texts import check_language

_MAX_YEARS = 200
_MAX_DIGITS = 20
_MAX_PARAMETERS = 50
_MAX_CACHED_QUERY_LENGTH = 200


@dataclass(frozen=True)
class FeedOptions:
    """Which events a feed contains, and in which form.

    No `categories` means all events; an empty `language`, the calendar's; `past` is the number of
    past years, None means the calendar's setting. Without `open_days` it has no events whose day is
    not known to within a week.
    """

    categories: tuple[str, ...] = ()
    language: str = ""
    alarms: bool = True
    marked: bool = False
    past: int | None = None
    open_days: bool = True

    def query(self) -> str:
        """Return the options as a normalized query string, empty for the default."""
        pairs = [("category", category) for category in self.categories]
        pairs += [("lang", self.language)] if self.language else []
        pairs += [] if self.alarms else [("alarms", "0")]
        pairs += [("cancelled", "mark")] if self.marked else []
        if self.past is not None:
            pairs.append(("past", "all" if self.past > _MAX_YEARS else str(self.past)))
        pairs += [] if self.open_days else [("open", "none")]
        return urlencode(pairs)


DEFAULT_OPTIONS = FeedOptions()


def parse_feed_options(query: str) -> FeedOptions:
    """Parse a query string; unknown parameters are ignored.

    Raises InvalidInputError for an invalid value, with the valid ones.
    """
    return _read_cached(query) if len(query) <= _MAX_CACHED_QUERY_LENGTH else _read_options(query)


def _read_options(query: str) -> FeedOptions:
    categories: set[str] = set()
    language, alarms, marked, past, open_days = "", True, False, None, True
    for name, value in _read_pairs(query):
        if name == "category":
            categories |= {part.strip() for part in value.split(",") if part.strip()}
        elif name == "lang":
            language = _read_language(value)
        elif name == "alarms":
            alarms = _one_of(name, value, {"0": False, "1": True})
        elif name == "cancelled":
            marked = _one_of(name, value, {"mark": True, "keep": False})
        elif name == "past":
            past = _read_past(value)
        elif name == "open":
            open_days = _one_of(name, value, {"none": False, "all": True})
    return FeedOptions(tuple(sorted(categories)), language, alarms, marked, past, open_days)


# Clients send few different query strings.
_read_cached = lru_cache(maxsize=512)(_read_options)


def _read_pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidInputError(
            f"a URL must have at most {_MAX_PARAMETERS} parameters; join several categories: "
            "category=address,deadline"
        ) from error


def _one_of(name: str, value: str, values: dict[str, bool]) -> bool:
    if value not in values:
        raise InvalidInputError(f"{name}={value} is not valid; write {' or '.join(values)}")
    return values[value]


def _read_language(value: str) -> str:
    try:
        return check_language(value) if value else ""
    except ValueError:
        raise InvalidInputError(
            f"lang={value} is not a language tag; write one such as en, ur, ps or fa-AF"
        ) from None


def _read_past(value: str) -> int:
    if value == "all":
        return _MAX_YEARS + 1
    digits = value.isascii() and value.isdigit()
    # Python refuses to parse numbers with thousands of digits.
    if not digits or len(value) > _MAX_DIGITS or int(value) > _MAX_YEARS:
        raise InvalidInputError(
            f"past={value} is not valid; write a number of years up to {_MAX_YEARS}, or all"
        )
    return int(value)
