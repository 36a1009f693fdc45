"""Validation of endpoint values that people write: in commands, API, console and channels file.

Each fault has its place, such as `filters/types/0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from calfeed.errors import Fault, InvalidInputError
from calfeed.reminders.contract.registry import FILTER_TYPES, MESSAGE_TYPES
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import OPTIONS, Options

MAX_LINE = 200
"""The maximum number of characters of a description, and of an entry of a filter."""

MAX_ENTRIES = 100
"""The maximum number of entries in a list of a filter."""

POLLED = "poll:"
"""The URL of an endpoint that has none: its receiver fetches the messages through the API."""

FILTER_LISTS = ("calendars", "categories", "events", "types")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_line(text: str) -> str:
    """Return the text, or raise InvalidInputError if it is long or not one line."""
    if len(text) > MAX_LINE:
        raise InvalidInputError(f"it has {len(text):,} characters; at most {MAX_LINE} are allowed")
    if _CONTROL.search(text):
        raise InvalidInputError("it must be one line, without control characters")
    return text


def list_faults(filters: Filters) -> Iterator[Fault]:
    """Yield the faults of a filter: long lists, long lines, unknown message types."""
    for name in FILTER_LISTS:
        entries = getattr(filters, name)
        if len(entries) > MAX_ENTRIES:
            message = f"there are {len(entries):,} {name}; at most {MAX_ENTRIES} are allowed"
            yield Fault(f"filters/{name}", message)
        for number, entry in enumerate(entries):
            place = f"filters/{name}/{number}"
            try:
                check_line(entry)
            except InvalidInputError as error:
                yield Fault(place, str(error))
            # Operational messages are about other endpoints: only operators can name their types.
            known_types = MESSAGE_TYPES if filters.public_only else FILTER_TYPES
            if name == "types" and entry not in known_types:
                known = ", ".join(known_types)
                yield Fault(place, f'"{entry}" is not a message type; the types are {known}')


def read_options(options: Options, given: Mapping[str, Any], faults: list[Fault]) -> Options:
    """Return options with the given ones replaced; None removes an option.

    Quiet hours and digests are given as text. An invalid option is added to `faults`, and keeps
    its former value.
    """
    changed = options.model_dump()
    for name, value in given.items():
        try:
            changed[name] = None if value is None else OPTIONS[name].parse(value)
        except (InvalidInputError, ValueError) as error:
            faults.append(Fault(f"options/{name}", str(error)))
    return Options.model_validate(changed)
