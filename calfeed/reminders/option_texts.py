"""An endpoint's options as people write and read them: quiet hours, digests, rates."""

from __future__ import annotations

from calfeed.definitions.formats.times import parse_clock
from calfeed.errors import InvalidInputError
from calfeed.model.texts import nearest, shortened
from calfeed.reminders.options import WEEKDAYS, Digest, Options, QuietHours

_DAYS = ("daily", *WEEKDAYS)


def parse_quiet(text: str) -> QuietHours:
    """Read quiet hours, `22:00-07:00`; raise InvalidInputError for anything else."""
    begin, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError("there is no - in it")
        first, last = parse_clock(begin), parse_clock(end)
        if first == last:
            raise ValueError("they end when they begin")
    except ValueError as error:
        raise InvalidInputError(
            f'"{shortened(text)}" are no quiet hours ({error}); write when they begin and when '
            "they end, as 22:00-07:00"
        ) from error
    return QuietHours(begin=first, end=last)


def parse_digest(text: str) -> Digest:
    """Read when digests are sent, `daily@09:00` or `monday@09:00`.

    Raises InvalidInputError for anything else.
    """
    day, sign, clock = text.strip().lower().partition("@")
    try:
        if not sign:
            raise ValueError("there is no @ in it")
        if day not in _DAYS:
            near = nearest(day, _DAYS)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(_DAYS)}"
            raise ValueError(f'"{shortened(day)}" is no day; {hint}')
        at = parse_clock(clock)
    except ValueError as error:
        raise InvalidInputError(
            f'"{shortened(text)}" does not say when digests are sent ({error}); write daily@09:00 '
            "or monday@09:00"
        ) from error
    return Digest(at=at, weekday=None if day == "daily" else WEEKDAYS.index(day))


def show_quiet(quiet: QuietHours) -> str:
    """Write quiet hours as `parse_quiet` reads them."""
    return f"{quiet.begin:%H:%M}-{quiet.end:%H:%M}"


def show_digest(digest: Digest) -> str:
    """Write when digests are sent as `parse_digest` reads it."""
    day = "daily" if digest.weekday is None else WEEKDAYS[digest.weekday]
    return f"{day}@{digest.at:%H:%M}"


def describe_options(options: Options) -> list[tuple[str, str]]:
    """What an endpoint asks for, each with its name, for people; nothing for what it does not."""
    zone = options.time_zone
    found = [
        ("rate", f"at most {options.rate} posts a minute" if options.rate else ""),
        ("quiet", f"{show_quiet(options.quiet)} ({zone})" if options.quiet else ""),
        ("digest", f"{show_digest(options.digest)} ({zone})" if options.digest else ""),
    ]
    return [(name, text) for name, text in found if text]
