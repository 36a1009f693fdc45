"""An endpoint's values as people write them: the rules that commands, API, console and the file
of the channels have in common. Each problem comes with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from calfeed.definitions.formats.zone_names import check_zone
from calfeed.errors import Fault, InvalidInputError
from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.reminders.option_texts import parse_digest, parse_quiet
from calfeed.reminders.options import MAX_RATE, Options

MAX_LINE = 200
"""Characters of a description, and of an entry of a filter."""

MAX_ENTRIES = 100
"""Entries of a list of a filter."""

FILTER_LISTS = ("calendars", "categories", "events", "types")
"""The lists of a filter that people choose from."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_line(text: str) -> str:
    """Return a text of one line, or raise InvalidInputError."""
    if len(text) > MAX_LINE:
        raise InvalidInputError(f"it has {len(text):,} characters; at most {MAX_LINE} are allowed")
    if _CONTROL.search(text):
        raise InvalidInputError("it has to be one line, without control characters")
    return text


def list_faults(filters: Filters) -> Iterator[Fault]:
    """What is wrong with a filter by itself: long lists, long lines, no type of message."""
    for name in FILTER_LISTS:
        entries = getattr(filters, name)
        if len(entries) > MAX_ENTRIES:
            words = f"there are {len(entries):,} {name}; at most {MAX_ENTRIES} are allowed"
            yield Fault(f"filters/{name}", words)
        for number, entry in enumerate(entries):
            place = f"filters/{name}/{number}"
            try:
                check_line(entry)
            except InvalidInputError as error:
                yield Fault(place, str(error))
            if name == "types" and entry not in MESSAGE_TYPES:
                known = ", ".join(MESSAGE_TYPES)
                yield Fault(place, f'"{entry}" is not a message type; there are {known}')


def read_options(options: Options, given: Mapping[str, Any], faults: list[Fault]) -> Options:
    """Return options with what is given in their place; None takes an option back.

    Quiet hours and digests are given as text. What is wrong is added to `faults`, and stays as it
    is.
    """
    changed = options.model_dump()
    for name, value in given.items():
        try:
            changed[name] = None if value is None else _READERS[name](value)
        except (InvalidInputError, ValueError) as error:
            faults.append(Fault(f"options/{name}", str(error)))
    return Options.model_validate(changed)


def read_rate(given: int | str) -> int:
    """Read how many posts a minute an endpoint takes at most, or raise InvalidInputError."""
    text = str(given)
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= MAX_RATE):
        raise InvalidInputError(f"posts a minute are a number from 1 to {MAX_RATE:,}")
    return int(text)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "rate": read_rate,
    "time_zone": check_zone,
    "quiet": parse_quiet,
    "digest": parse_digest,
}
