"""Calendars and events: validated, complete and frozen.

An `Event` already contains everything that it inherits from its calendar (time zone, language,
reminders), so it can be rendered, planned and compared on its own. The store keeps these models
as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    Field,
    ValidationInfo,
    model_validator,
)

from calfeed.model import properties
from calfeed.model.dates.dating import Correction, Derivation, Done, OnHold
from calfeed.model.dates.holiday_library import find_working_days
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.uncertainty import MAX_SHORT_SPAN, Precision
from calfeed.model.dates.uncertainty import Span as DaySpan
from calfeed.model.dates.wall_clock import WallClock
from calfeed.model.dates.working_days import WorkingDayRules
from calfeed.model.details import Classification, Conference, Format, Organizer, Position
from calfeed.model.properties import Property
from calfeed.model.values import Day, Moment, Text, Value, start_of


class Status(StrEnum):
    """Whether an event takes place (RFC 5545, 3.8.1.11)."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    """An event takes time; a deadline is due and blocks no time (RFC 5545, 3.8.2.7)."""

    EVENT = "event"
    DEADLINE = "deadline"


class Visibility(StrEnum):
    """Whether a calendar is visible to everybody or requires a token."""

    PUBLIC = "public"
    PRIVATE = "private"


ALL_HISTORY = 10_000
"""The value of `Calendar.history` that keeps all past years."""


class Source(Value):
    """The source of a date."""

    title: str
    url: str | None = None
    date: Day | None = None


class Change(Value):
    """An override of one occurrence of a recurring event.

    `original` is its start by the rule (RECURRENCE-ID, RFC 5545, 3.8.4.4). Fields that are None
    are inherited from the event. `end` is exclusive.
    """

    original: Moment
    start: Moment | None = None
    end: Moment | None = None
    summary: Text | None = None
    description: Text | None = None
    location: Text | None = None
    status: Status | None = None
    url: str | None = None


class Repeat(Value):
    """A recurrence set: RRULE, EXDATE, RDATE and overrides (RFC 5545, 3.8.5)."""

    rule: str | None = None
    exclude: tuple[Moment, ...] = ()
    also: tuple[Moment, ...] = ()
    changes: tuple[Change, ...] = ()


class Event(Value):
    """An event with all values that it inherits from its calendar.

    `start` is a date (all day) or an aware datetime in `time_zone`. `end` is exclusive and of the
    same type; None means a timed event without a duration. `priority` ranges from 1 (highest) to 9.
    `busy` overrides the default of `blocks_time`. With a `precision` the date is uncertain: `start`
    is its first possible day, and the day before `end` its last. `on_hold` means that `start` and
    `end` are no longer valid. `working_days` are set if a reminder counts them. A field annotated
    with a Property is a detail; feeds, messages, the JSON form and the importer process details
    generically (`details`, `PROPERTIES`).
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
    precision: Precision | None = None
    derivation: Derivation | None = None
    on_hold: OnHold | None = None
    done: Done | None = None
    correction: Correction | None = None
    working_days: WorkingDayRules | None = None

    @model_validator(mode="after")
    def _keep_the_zone(self, info: ValidationInfo) -> Self:
        # JSON stores an offset; wall clock arithmetic needs the zone. By default the published
        # instant is kept; a WallClock keeps the published wall time instead.
        zone = self.zone
        read = info.context.read if isinstance(info.context, WallClock) else datetime.astimezone

        def zoned(moment: date | datetime | None) -> date | datetime | None:
            return read(moment, zone) if isinstance(moment, datetime) else moment

        set_field = object.__setattr__
        set_field(self, "start", zoned(self.start))
        set_field(self, "end", zoned(self.end))
        if self.repeat is not None:
            repeat = self.repeat
            set_field(repeat, "exclude", tuple(zoned(moment) for moment in repeat.exclude))
            set_field(repeat, "also", tuple(zoned(moment) for moment in repeat.also))
            for change in repeat.changes:
                for name in ("original", "start", "end"):
                    set_field(change, name, zoned(getattr(change, name)))
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, datetime)

    @property
    def times(self) -> tuple[Moment, Moment]:
        """The start and end for comparison: instants or, if all-day, days, which have no zone."""
        end = self.end or self.start
        return (self.start, end) if self.all_day else (self.instant(self.start), self.instant(end))

    @property
    def span(self) -> DaySpan | None:
        """The earliest and latest day of an uncertain date, None for a certain one."""
        if self.precision is None or isinstance(self.start, datetime):
            return None
        latest = self.start if self.end is None else self.end - timedelta(days=1)
        return DaySpan(self.start, latest, self.precision)

    @property
    def day_open(self) -> bool:
        """Whether the possible days of an uncertain date span more than a week."""
        span = self.span
        return span is not None and span.days > MAX_SHORT_SPAN

    @property
    def silent(self) -> bool:
        """Whether it has no reminders, because it is cancelled, on hold, done or without a day."""
        if self.status is Status.CANCELLED or self.on_hold is not None:
            return True
        return self.done is not None or self.day_open

    @property
    def blocks_time(self) -> bool:
        """Whether the event marks people as busy.

        By default, timed events do; all-day events and deadlines do not, as in calendar apps. An
        event with an uncertain date never does.
        """
        if self.precision is not None:
            return False
        default = not self.all_day and self.kind is not Kind.DEADLINE
        return default if self.busy is None else self.busy

    @property
    def details(self) -> Iterator[tuple[Property, Any]]:
        """The details that differ from their defaults, each with its property."""
        for name, detail_property in PROPERTIES.items():
            if (value := getattr(self, name)) != _DEFAULTS[name]:
                yield detail_property, value

    def find_due(
        self, rule: ReminderRule, start: date | datetime, end: date | datetime | None
    ) -> datetime:
        """Return when a rule's reminder of an occurrence is due, in the event's zone."""
        working_days = find_working_days(self.working_days) if self.working_days else None
        return rule.due(start, self.zone, end, working_days)

    def instant(self, moment: date | datetime) -> datetime:
        """Convert a moment of this event to UTC; a date is midnight in the event's zone."""
        return start_of(moment, self.zone).astimezone(UTC)


PROPERTIES: Mapping[str, Property] = {
    name: metadata
    for name, field in Event.model_fields.items()
    for metadata in field.metadata
    if isinstance(metadata, Property)
}
"""The properties of an event's details, by field name."""
_DEFAULTS = {name: Event.model_fields[name].default for name in PROPERTIES}


class Calendar(Value):
    """A calendar that people subscribe to.

    `formerly` lists its earlier slugs, oldest first; UIDs are derived from the oldest. `history` is
    how many past years its feed keeps; None means as many as clients accept. `working_days` is None
    if no working days are defined.
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
    working_days: WorkingDayRules | None = None
    events: tuple[Event, ...] = Field(default=(), repr=False)


def length_of(event: Event) -> timedelta:
    """Return the length of each occurrence: whole days if all-day, else elapsed time."""
    if event.end is None:
        return timedelta()
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        return event.end.astimezone(UTC) - event.start.astimezone(UTC)
    return event.end - event.start


def canonical_json(value: BaseModel | Mapping[str, Any]) -> str:
    """Return the canonical JSON of a value: sorted keys, no white space, no default values."""
    plain = (
        value.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if isinstance(value, BaseModel)
        else value
    )
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fingerprint(event: Event) -> str:
    """Return a hash of an event and its instants.

    The instants are included so that a new time zone rule counts as a change: it moves the instant
    of the same wall time.
    """
    # pydantic's own JSON is fast; each publish computes thousands of fingerprints.
    text = event.model_dump_json(exclude_none=True, exclude_defaults=True)
    instants = [_instant_text(event.start, event.time_zone)]
    if event.end is not None:
        instants.append(_instant_text(event.end, event.time_zone))
    return hashlib.sha256((text + "".join(instants)).encode()).hexdigest()


@lru_cache(maxsize=4096)
def _instant_text(moment: date | datetime, time_zone: str) -> str:
    return start_of(moment, ZoneInfo(time_zone)).astimezone(UTC).isoformat()
