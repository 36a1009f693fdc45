"""The choices of people who follow dates by mail, as filters and options of their endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import time
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_values import Digest, QuietHours
from calfeed.reminders.options import Options

MAX_FOLLOWED = 100
"""How many calendars, categories and events a person can follow."""

_MOVES = ("event.added", "event.moved", "event.corrected", "event.cancelled")
_REMINDERS = "reminder.due"
_WEEKLY = Digest(at=time(8), weekday=0)
"""The time of weekly reminders: Monday at 08:00 in the person's time zone."""


class Reminders(StrEnum):
    """Which reminders a person gets."""

    NONE = "none"
    EACH = "each"
    WEEKLY = "weekly"


class Choices(BaseModel):
    """Which mails a person gets about everything that they follow.

    `moves` are mails about dates that are added, moved or cancelled; `entries` are calendar
    entries in mails. Quiet hours are in `time_zone` (an IANA name). `language` is that of the
    mails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reminders: Reminders = Reminders.EACH
    moves: bool = True
    entries: bool = True
    language: str = "en"
    time_zone: str = "UTC"
    quiet: QuietHours | None = None

    @property
    def wants_something(self) -> bool:
        """Whether these choices include any mail; in filters, an empty list means all types."""
        return self.moves or self.reminders is not Reminders.NONE


class Wish(BaseModel):
    """The wish of a sign-up: names as in `Filters.follows`, and choices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    follows: tuple[str, ...]
    choices: Choices

    def join(self, later: Wish) -> Wish:
        """Combine two wishes; the choices of the later one apply."""
        return Wish(follows=join_follows(self.follows, later.follows), choices=later.choices)

    @property
    def digest(self) -> str:
        """A digest of the wish; different wishes have different digests."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def join_follows(*lists: Iterable[str]) -> tuple[str, ...]:
    """Join names that are followed, without duplicates, up to `MAX_FOLLOWED`."""
    return tuple(dict.fromkeys(name for names in lists for name in names))[:MAX_FOLLOWED]


def filters_of(follows: tuple[str, ...], choices: Choices) -> Filters:
    """Return the filters of a person who follows something.

    Raises InvalidInputError if nothing would be sent.
    """
    if not choices.wants_something or not follows:
        raise InvalidInputError("choose at least one thing to follow and one kind of mail")
    types = _MOVES if choices.moves else ()
    if choices.reminders is not Reminders.NONE:
        types = (*types, _REMINDERS)
    return Filters(public_only=True, follows=follows, types=types)


def options_of(choices: Choices) -> Options:
    """Return the options of a person's endpoint."""
    digest = _WEEKLY if choices.reminders is Reminders.WEEKLY else None
    return Options(time_zone=choices.time_zone, quiet=choices.quiet, digest=digest)


def read_choices(filters: Filters, options: Options, *, language: str, entries: bool) -> Choices:
    """Return the choices that these filters and options represent."""
    reminders = Reminders.NONE
    if _REMINDERS in filters.types:
        reminders = Reminders.EACH if options.digest is None else Reminders.WEEKLY
    return Choices(
        reminders=reminders,
        moves=_MOVES[0] in filters.types,
        entries=entries,
        language=language,
        time_zone=options.time_zone,
        quiet=options.quiet,
    )


def split_name(name: str) -> tuple[str, str, str]:
    """Split a followed name into the slug of its calendar, its event and its category.

    For a whole calendar, event and category are empty; otherwise one of these is.
    """
    calendar, sign, category = name.partition("#")
    if sign:
        return calendar, "", category
    calendar, _, event = name.partition("/")
    return calendar, event, ""
