"""Values that calendars and events are made of: texts, moments, durations."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from calfeed.model.dates.durations import Duration, parse_duration

Text = dict[str, str]
"""A text by language (BCP 47 tag to string), in at least one language."""


def text_in(text: Text, *languages: str) -> str:
    """Return the text in the first of `languages` that it has, else in its own first language.

    A tag falls back to its base language (`fa-AF` to `fa`) before the next tag is tried.
    """
    return text[language_of(text, *languages)]


def language_of(text: Text, *languages: str) -> str:
    """Return the language that `text_in` chooses."""
    for language in languages:
        if language in text:
            return language
        base = language.split("-")[0]
        if base in text:
            return base
    return next(iter(text))


def _to_moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "T" not in value:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value)


Moment = Annotated[
    date | datetime,
    BeforeValidator(_to_moment),
    PlainSerializer(lambda value: value.isoformat(), return_type=str),
]
"""A date (all day) or an aware datetime in the event's own zone."""

Span = Annotated[
    Duration,
    BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value),
    PlainSerializer(str, return_type=str),
]


Day = date  # a field called `date` hides the type of that name


class Value(BaseModel):
    """A frozen value; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def in_utc(moment: date | datetime) -> date | datetime:
    """Convert a datetime to UTC, for comparisons and as a key; return a date unchanged.

    Python compares datetimes of one zone by their wall times: where the clocks go back, the first
    and the second 02:30 would be equal, and the second 02:15 earlier than the first 02:45.
    """
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def start_of(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """Convert a moment to an aware datetime in `zone`; a date is midnight there."""
    if isinstance(moment, datetime):
        return moment.astimezone(zone)
    return datetime.combine(moment, time(), zone)
