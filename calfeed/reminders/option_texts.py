"""Endpoint options as text: quiet hours, digest schedules, rate limits."""

from __future__ import annotations

from calfeed.definitions.formats.times import parse_clock
from calfeed.errors import InvalidInputError
from calfeed.model.texts import nearest, shortened
from calfeed.reminders.options import WEEKDAYS, Digest, Options, QuietHours

_DAYS = ("daily", *WEEKDAYS)


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


def describe_options(options: Options) -> list[tuple[str, str]]:
    """Name and text, for people, of each option that is set."""
    zone = options.time_zone
    texts = [
        ("rate", f"at most {options.rate} posts a minute" if options.rate else ""),
        ("quiet", f"{show_quiet(options.quiet)} ({zone})" if options.quiet else ""),
        ("digest", f"{show_digest(options.digest)} ({zone})" if options.digest else ""),
    ]
    return [(name, text) for name, text in texts if text]
