"""Code that all console pages share: their dependencies, and the parsing of form fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask import request

from calfeed.errors import InvalidInputError
from calfeed.settings import Settings
from calfeed.store.database import Database

MAX_WINDOW = timedelta(days=400)

_YEARS = range(1970, 3000)


@dataclass(frozen=True)
class ConsoleContext:
    """The dependencies of the pages; `clock` returns the time in UTC."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]


def read_day(text: str) -> datetime:
    """Parse a date; return its midnight in UTC. Raises InvalidInputError if it is not valid."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(f'"{text}" is not a valid date; write it as 2027-06-30') from None
    if day.year not in _YEARS:
        raise InvalidInputError(f"the year must be from {_YEARS[0]} to {_YEARS[-1]}")
    return datetime.combine(day, time(), UTC)


def read_window(
    begin: str, end: str, default: tuple[datetime, datetime]
) -> tuple[tuple[datetime, datetime], dict[str, str]]:
    """Parse a form's first and last day (inclusive) as a period in UTC.

    Without a first day, the period begins like `default`; without a last day, it has the same
    length. Return the period, and errors by field (`from`, `to`); if there are errors, the period
    is `default`.
    """
    errors: dict[str, str] = {}
    first, last = default
    span = last - first
    try:
        first = read_day(begin) if begin else first
    except InvalidInputError as error:
        errors["from"] = str(error)
    try:
        last = read_day(end) + timedelta(days=1) if end else first + span
    except InvalidInputError as error:
        errors["to"] = str(error)
    if not errors and last <= first:
        errors["to"] = "the last day is before the first"
    elif not errors and last - first > MAX_WINDOW:
        errors["to"] = f"a period must have at most {MAX_WINDOW.days} days"
    return (default if errors else (first, last)), errors


def form_value(name: str) -> str:
    """Return the value of a form field or query parameter, stripped."""
    return request.values.get(name, "").strip()


def read_number(text: str) -> int | None:
    """Parse a row id; return None if it is not valid."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
