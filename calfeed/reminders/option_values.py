"""The values of endpoint options: their types, and how they are parsed and shown as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from calfeed.definitions.formats.times import parse_clock
from calfeed.errors import InvalidInputError
from calfeed.model.texts import nearest, shortened


@dataclass(frozen=True)
class Option:
    """How an option is parsed and shown in commands, API, console and the channels file.

    `parse` returns the option's value for a text or a number, or raises InvalidInputError or
    ValueError; `show` is the inverse. If `maximum` is given, the value is a number from 1 to
    `maximum`. The option is explained by `help` in commands, by `description` in the API, and by
    `label` and `hint` in the console. `removal` explains the command's flag that removes the
    option; it is empty if the option has a default. `phrase` is the text for people, with the value
    and `{zone}`; if it is empty, the option is not listed.
    """

    parse: Callable[[Any], Any]
    help: str
    description: str
    label: str
    hint: str = ""
    show: Callable[[Any], Any] = lambda value: value
    phrase: str = ""
    example: str = ""
    metavar: str | None = None
    maximum: int | None = None
    removal: str = ""
    attributes: str = ""
    """Attributes of the console's input field."""


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = ("daily", *WEEKDAYS)


def _check_wall_time(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of day must have no offset; it is in time_zone")
    return value


WallTime = Annotated[time, AfterValidator(_check_wall_time)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietHours(_Value):
    """The hours in which nothing is sent, from `begin` to `end`, which may be on the next day."""

    begin: WallTime
    end: WallTime

    @model_validator(mode="after")
    def _check(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("quiet hours must not begin and end at the same time")
        return self


class Digest(_Value):
    """The time at which gathered reminders are sent, every day or on one day of the week."""

    at: WallTime
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    """0 is Monday; None: every day."""


MAX_RATE = 600_000
"""The highest rate limit, in messages per minute."""


def parse_rate(given: int | str) -> int:
    """Parse a rate limit in messages per minute, or raise InvalidInputError."""
    text = str(given)
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= MAX_RATE):
        raise InvalidInputError(f"a rate must be from 1 to {MAX_RATE:,} messages per minute")
    return int(text)


def parse_quiet(text: str) -> QuietHours:
    """Parse quiet hours, `22:00-07:00`; raise InvalidInputError for anything else."""
    begin, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError("there is no -")
        first, last = parse_clock(begin), parse_clock(end)
        if first == last:
            raise ValueError("the two times are the same")
    except ValueError as error:
        raise InvalidInputError(
            f'"{shortened(text)}" is not a valid quiet-hours range ({error}); write two times of '
            "day, such as 22:00-07:00"
        ) from error
    return QuietHours(begin=first, end=last)


def parse_digest(text: str) -> Digest:
    """Parse a digest schedule, `daily@09:00` or `monday@09:00`.

    Raises InvalidInputError for anything else.
    """
    day, sign, clock = text.strip().lower().partition("@")
    try:
        if not sign:
            raise ValueError("there is no @")
        if day not in _DAYS:
            near = nearest(day, _DAYS)
            hint = f"did you mean {near}?" if near else f"write {', '.join(_DAYS)}"
            raise ValueError(f'"{shortened(day)}" is not a day; {hint}')
        at = parse_clock(clock)
    except ValueError as error:
        raise InvalidInputError(
            f'"{shortened(text)}" is not a valid digest schedule ({error}); write daily@09:00 or '
            "monday@09:00"
        ) from error
    return Digest(at=at, weekday=None if day == "daily" else WEEKDAYS.index(day))


def show_quiet(quiet: QuietHours) -> str:
    """Format quiet hours as `parse_quiet` parses them."""
    return f"{quiet.begin:%H:%M}-{quiet.end:%H:%M}"


def show_digest(digest: Digest) -> str:
    """Format a digest schedule as `parse_digest` parses it."""
    day = "daily" if digest.weekday is None else WEEKDAYS[digest.weekday]
    return f"{day}@{digest.at:%H:%M}"
