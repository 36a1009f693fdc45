"""What a definition means once it is read: calendars and events, complete and checked.

Everything inherited from the calendar (zone, language, reminders) is settled here, so an `Event`
can be rendered, planned and compared by itself. The values are frozen; their JSON form is what
the store keeps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    model_validator,
)

from calfeed.model import properties
from calfeed.model.details import Classification, Conference, Format, Organizer, Position
from calfeed.model.durations import Duration, parse_duration
from calfeed.model.properties import Property
from calfeed.model.wall_clock import WallClock

Text = dict[str, str]
"""A text by language (BCP 47 tag to string); at least one language."""

DEFAULT_REMINDER_TIME = time(9, 0)
"""When an all-day event's reminder goes out, on the wall clock, unless `at:` says otherwise."""


def text_in(text: Text, *languages: str) -> str:
    """The text in the first of `languages` it has, else in the first it has, by tag.

    A tag falls back to its base language (`fa-AF` to `fa`) before the next one is tried.
    """
    return text[language_of(text, *languages)]


def language_of(text: Text, *languages: str) -> str:
    """The language that `text_in` would choose."""
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


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Status(StrEnum):
    """RFC 5545, 3.8.1.11."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """An event takes time; a deadline is shown as due and blocks none (RFC 5545, 3.8.2.7)."""

    EVENT = "event"
    DEADLINE = "deadline"


class Visibility(StrEnum):
    """Whether anybody may see a calendar, or only who has a token."""

    PUBLIC = "public"
    PRIVATE = "private"


ALL_HISTORY = 10_000
"""As `history`: more years than there are, so all of them."""


class Source(_Value):
    """Where a date is known from."""

    title: str
    url: str | None = None
    date: Day | None = None


class ReminderRule(_Value):
    """How long before an occurrence people are told, and at what time of day.

    `at` is a wall time in the event's zone; it goes only with spans counted on the calendar.
    """

    before: Span
    at: time | None = None

    def __str__(self) -> str:
        words = "at the time" if self.before == Duration() else f"{self.before} before"
        return words if self.at is None else f"{words} at {self.at:%H:%M}"

    def due(self, start: date | datetime, zone: ZoneInfo) -> datetime:
        """When the reminder of an occurrence that starts at `start` is due, aware in `zone`.

        An all-day event reminds at `at`, or at 09:00; spans with hours or minutes count back from
        the midnight that begins it.
        """
        due = self.before.before(start_of(start, zone))
        at = self.at
        if at is None and self.before.on_calendar and not isinstance(start, datetime):
            at = DEFAULT_REMINDER_TIME
        if at is None:
            return due
        # By way of UTC, so that a wall time the clocks skip becomes one that exists.
        return datetime.combine(due.date(), at, zone).astimezone(UTC).astimezone(zone)

    @property
    def key(self) -> str:
        """The rule's identity: the same for "1 week" and "7 days"."""
        span = f"P{self.before.months}M{self.before.days}DT{self.before.minutes}M"
        return span if self.at is None else f"{span}@{self.at:%H:%M}"


class Change(_Value):
    """What is different about one occurrence of a recurring event.

    `original` is the start that the rule gives it (RECURRENCE-ID, RFC 5545, 3.8.4.4); what is
    None stays as in the event. `end` is exclusive.
    """

    original: Moment
    start: Moment | None = None
    end: Moment | None = None
    summary: Text | None = None
    description: Text | None = None
    location: Text | None = None
    status: Status | None = None
    url: str | None = None


class Repeat(_Value):
    """A recurrence set: RRULE, EXDATE, RDATE and overrides (RFC 5545, 3.8.5)."""

    rule: str | None = None
    exclude: tuple[Moment, ...] = ()
    also: tuple[Moment, ...] = ()
    changes: tuple[Change, ...] = ()


class Event(_Value):
    """One event with everything it needs.

    `start` is a date (all day) or an aware datetime in `time_zone`. `end` is exclusive and of the
    same type; None means a timed event without length. Texts are maps of languages. `priority` is
    from 1, the highest, to 9. `busy` says whether it blocks time where that is unusual (see
    `blocks_time`). A field annotated with a Property is a detail: feeds, messages, the JSON form
    and the importer take it from there (`details`, `PROPERTIES`).
    """

    calendar: str
    slug: str
    uid: str
    summary: Text
    start: Moment
    end: Moment | None = None
    time_zone: str
    language: str
    status: Status = Status.CONFIRMED
    kind: Kind = Kind.EVENT
    busy: bool | None = None
    description: Text | None = None
    location: Text | None = None
    url: str | None = None
    categories: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    reminders: tuple[ReminderRule, ...] = ()
    repeat: Repeat | None = None
    note: Text | None = None
    format: Format = Format.PLAIN
    image: Annotated[str | None, properties.IMAGE] = None
    conference: Annotated[Conference | None, properties.CONFERENCE] = None
    geo: Annotated[Position | None, properties.GEO] = None
    organizer: Annotated[Organizer | None, properties.ORGANIZER] = None
    contact: Annotated[str | None, properties.CONTACT] = None
    classification: Annotated[Classification, properties.CLASS] = Classification.PUBLIC
    priority: Annotated[int | None, properties.PRIORITY] = None

    @model_validator(mode="after")
    def _keep_the_zone(self, info: ValidationInfo) -> Self:
        # JSON carries an offset; arithmetic on the wall clock needs the zone back. The instant is
        # what was published; a WallClock keeps the wall time instead.
        zone = self.zone
        read = info.context.read if isinstance(info.context, WallClock) else datetime.astimezone

        def zoned(moment: date | datetime | None) -> date | datetime | None:
            return read(moment, zone) if isinstance(moment, datetime) else moment

        put = object.__setattr__
        put(self, "start", zoned(self.start))
        put(self, "end", zoned(self.end))
        if self.repeat is not None:
            repeat = self.repeat
            put(repeat, "exclude", tuple(zoned(moment) for moment in repeat.exclude))
            put(repeat, "also", tuple(zoned(moment) for moment in repeat.also))
            for change in repeat.changes:
                for name in ("original", "start", "end"):
                    put(change, name, zoned(getattr(change, name)))
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, datetime)

    @property
    def blocks_time(self) -> bool:
        """Whether people are busy then: in an event with a time of day, unless it says otherwise.

        A date without an hour blocks nobody's day, which is also what calendar apps make of one.
        """
        usual = not self.all_day and self.kind is not Kind.DEADLINE
        return usual if self.busy is None else self.busy

    @property
    def details(self) -> Iterator[tuple[Property, Any]]:
        """Its details that are not at their default, each with its property."""
        for name, one in PROPERTIES.items():
            if (value := getattr(self, name)) != _DEFAULTS[name]:
                yield one, value

    def instant(self, moment: date | datetime) -> datetime:
        """A moment of this event as UTC; a date is its midnight in the event's zone."""
        return start_of(moment, self.zone).astimezone(UTC)


PROPERTIES: Mapping[str, Property] = {
    name: one
    for name, field in Event.model_fields.items()
    for one in field.metadata
    if isinstance(one, Property)
}
"""The properties of an event's details, by the names of their fields."""
_DEFAULTS = {name: Event.model_fields[name].default for name in PROPERTIES}


class Calendar(_Value):
    """One calendar: the name under which events are subscribed to.

    `formerly` are slugs it had before, oldest first: the UIDs of its events hang on the oldest.
    `history` is how many past years its feed keeps; None: as many as clients take.
    """

    slug: str
    name: Text
    description: Text | None = None
    time_zone: str
    language: str = "en"
    color: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    formerly: tuple[str, ...] = ()
    history: int | None = None
    events: tuple[Event, ...] = Field(default=(), repr=False)


def start_of(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """A moment as an aware datetime in `zone`: a date is its midnight there."""
    if isinstance(moment, datetime):
        return moment.astimezone(zone)
    return datetime.combine(moment, time(), zone)


def length_of(event: Event) -> timedelta:
    """The length of each occurrence: whole days for an all-day event, else time on the timeline."""
    if event.end is None:
        return timedelta()
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        return event.end.astimezone(UTC) - event.start.astimezone(UTC)
    return event.end - event.start


def canonical_json(value: BaseModel | Mapping[str, Any]) -> str:
    """The one JSON text of a value: sorted keys, no white space, what is unset left out."""
    plain = (
        value.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if isinstance(value, BaseModel)
        else value
    )
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fingerprint(event: Event) -> str:
    """A hash of everything an event says, with its instants.

    The instants are part of it so that a new time zone rule, which moves the instant of the same
    wall time, counts as a change.
    """
    # pydantic's own JSON, in the order of the fields: thousands of these are made at each publish.
    text = event.model_dump_json(exclude_none=True, exclude_defaults=True)
    instants = [_instant_text(event.start, event.time_zone)]
    if event.end is not None:
        instants.append(_instant_text(event.end, event.time_zone))
    return hashlib.sha256((text + "".join(instants)).encode()).hexdigest()


@lru_cache(maxsize=4096)
def _instant_text(moment: date | datetime, time_zone: str) -> str:
    return start_of(moment, ZoneInfo(time_zone)).astimezone(UTC).isoformat()
