"""What a subscriber chooses in a feed's address, brought to one form.

Equal choices share their bytes, whatever the order or spelling of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from calfeed.errors import InvalidInputError
from calfeed.model.texts import check_language

_MOST_YEARS = 200
_MOST_DIGITS = 20
_MOST_FIELDS = 50
_LONGEST_REMEMBERED = 200


@dataclass(frozen=True)
class Choice:
    """Which events, and in which form.

    No `categories` means all events; `language` empty, the calendar's; `past` is how many past
    years, None as many as the calendar says.
    """

    categories: tuple[str, ...] = ()
    language: str = ""
    alarms: bool = True
    marked: bool = False
    past: int | None = None

    def query(self) -> str:
        """The choice as a query string in its one form; empty for the default."""
        pairs = [("category", category) for category in self.categories]
        pairs += [("lang", self.language)] if self.language else []
        pairs += [] if self.alarms else [("alarms", "0")]
        pairs += [("cancelled", "mark")] if self.marked else []
        if self.past is not None:
            pairs.append(("past", "all" if self.past > _MOST_YEARS else str(self.past)))
        return urlencode(pairs)


DEFAULT = Choice()


def parse_choice(query: str) -> Choice:
    """Read a query string; parameters it does not know are ignored.

    Raises InvalidInputError for a value that is not possible, with those that are.
    """
    return _read_often(query) if len(query) <= _LONGEST_REMEMBERED else _read_choice(query)


def _read_choice(query: str) -> Choice:
    categories: set[str] = set()
    language, alarms, marked, past = "", True, False, None
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
    return Choice(tuple(sorted(categories)), language, alarms, marked, past)


# Clients ask with the same few again and again; each is read once.
_read_often = lru_cache(maxsize=512)(_read_choice)


def _read_pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidInputError(
            f"an address has at most {_MOST_FIELDS} parameters; several categories can be one: "
            "category=address,deadline"
        ) from error


def _one_of(name: str, value: str, values: dict[str, bool]) -> bool:
    if value not in values:
        raise InvalidInputError(f"{name}={value} is not possible; it can be {' or '.join(values)}")
    return values[value]


def _read_language(value: str) -> str:
    try:
        return check_language(value) if value else ""
    except ValueError:
        raise InvalidInputError(
            f"lang={value} is not a language; write a tag such as en, ur, ps or fa-AF"
        ) from None


def _read_past(value: str) -> int:
    if value == "all":
        return _MOST_YEARS + 1
    digits = value.isascii() and value.isdigit()
    # Python refuses to read numbers of thousands of digits.
    if not digits or len(value) > _MOST_DIGITS or int(value) > _MOST_YEARS:
        raise InvalidInputError(
            f"past={value} is not possible; it can be a number of years up to {_MOST_YEARS}, or all"
        )
    return int(value)
