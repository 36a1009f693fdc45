"""What all pages of the console share: their dependencies, and reading of form fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask import request

from calfeed.errors import InvalidInputError
from calfeed.settings import Settings
from calfeed.store.database import Database

LONGEST_WINDOW = timedelta(days=400)
"""The longest window of time that a page shows."""

_YEARS = range(1970, 3000)


@dataclass(frozen=True)
class Desk:
    """What every page needs; `clock` gives the time, in UTC."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]


def read_day(text: str) -> datetime:
    """Read a day of a form as its midnight, UTC. Raises InvalidInputError for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(f'"{text}" is no day; write it as 2027-06-30') from None
    if day.year not in _YEARS:
        raise InvalidInputError(f"the year has to be from {_YEARS[0]} to {_YEARS[-1]}")
    return datetime.combine(day, time(), UTC)


def read_window(
    begin: str, end: str, otherwise: tuple[datetime, datetime]
) -> tuple[tuple[datetime, datetime], dict[str, str]]:
    """Read a form's first and last day as a window (UTC), the last day within it.

    Without a first day it is as in `otherwise`, without a last one as long as that. Returns what
    is wrong as well, by field (`from`, `to`); the window is then `otherwise`.
    """
    errors: dict[str, str] = {}
    first, last = otherwise
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
    elif not errors and last - first > LONGEST_WINDOW:
        errors["to"] = f"a window has {LONGEST_WINDOW.days} days at the most"
    return (otherwise if errors else (first, last)), errors


def asked(name: str) -> str:
    """What a form has in a field, without the blanks around it."""
    return request.values.get(name, "").strip()


def read_number(text: str) -> int | None:
    """A number as the store counts its rows; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
