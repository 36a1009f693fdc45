"""What may be written in a definition file: its maps, their keys, and how each value reads.

These models know nothing of the calendar around them; `settle` makes values of them. Their field
descriptions are what an editor shows (see `schema`).
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from calfeed.definitions.formats.scalars import (
    SCALAR,
    SPAN_SCHEMA,
    URL_SCHEMA,
    Clock,
    Day,
    Degrees,
    Email,
    Label,
    Moment,
    Name,
    Priority,
    Span,
    Truth,
    Url,
    Zone,
    lowered,
    name_shape,
    scalar,
)
from calfeed.model.colors import COLORS, check_color
from calfeed.model.details import Classification, Format
from calfeed.model.events import ALL_HISTORY, Kind, Status, Visibility
from calfeed.model.texts import (
    PLAIN,
    SLUG_PATTERN,
    check_language,
    check_line,
    check_slug,
    check_text,
)

MOST_REMINDERS = 20
MOST_EXCEPTIONS = 10_000
MOST_LISTED = 50
"""Categories, and sources, of one event."""


def _by_language(value: object) -> object:
    if isinstance(value, str):
        return {PLAIN: value}
    if not isinstance(value, dict):
        raise ValueError(
            f"must be a text, or a map of languages such as {{en: ..., ur: ...}}, "
            f"not {name_shape(value)}"
        )
    if not value:
        raise ValueError("must not be empty; write a text, or leave the key away")
    if len({key.lower() for key in value}) < len(value):
        raise ValueError("has the same language twice; keep one")
    return value


_TEXT_SCHEMA = {
    "anyOf": [SCALAR, {"type": "object", "minProperties": 1, "additionalProperties": SCALAR}]
}
_Status = Annotated[Status, BeforeValidator(lowered)]
_Kind = Annotated[Kind, BeforeValidator(lowered)]
_Format = Annotated[Format, BeforeValidator(lowered)]
_Classification = Annotated[Classification, BeforeValidator(lowered)]
_Visibility = Annotated[Visibility, BeforeValidator(lowered)]
_Language = Annotated[str, AfterValidator(check_language)]

Line = Annotated[
    dict[_Language, Annotated[str, scalar(check_line)]],
    BeforeValidator(_by_language),
    WithJsonSchema(_TEXT_SCHEMA),
]
"""A text of one line by language; a plain string stands under `PLAIN`."""
Lines = Annotated[
    dict[_Language, Annotated[str, scalar(check_text)]],
    BeforeValidator(_by_language),
    WithJsonSchema(_TEXT_SCHEMA),
]
"""A text of any number of lines by language; a plain string stands under `PLAIN`."""


class Entry(BaseModel):
    """A map of a definition file; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class SourceEntry(Entry):
    """Where a date is known from."""

    title: Label = Field(description="What the source is called")
    url: Url | None = Field(None, description="Where it can be read (http or https)")
    date: Day | None = Field(None, description="When it was published, as 2024-08-14")


class ConferenceEntry(Entry):
    """Where people meet online; a URL alone is short for {url: ...}."""

    url: Url = Field(description="Where one joins (http or https)")
    label: Label | None = Field(None, description="What stands on the link, such as: Join on Jitsi")

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [URL_SCHEMA, handler.resolve_ref_schema(handler(core_schema))]}


class OrganizerEntry(Entry):
    """Who holds an event."""

    name: Name = Field(description="What the person or body is called")
    email: Email = Field(description="The address that everybody may write to")


class ReminderEntry(Entry):
    """How long before an event people are told; "1 week" alone is short for {before: 1 week}."""

    before: Span = Field(
        description="How long before the start: years, months, weeks, days, hours, minutes"
    )
    at: Clock | None = Field(
        None, description='At what time of day, in the event\'s time zone, as "09:00"'
    )

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, value: object) -> object:
        return {"before": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_time_of_day(self) -> Self:
        if self.at is not None and not self.before.on_calendar:
            raise ValueError(
                f'"at" goes only with days, weeks, months and years, not with "{self.before}"; '
                'leave "at" away, or write "before: 1 day"'
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [SPAN_SCHEMA, handler.resolve_ref_schema(handler(core_schema))]}


class ChangeEntry(Entry):
    """What is different about one occurrence; what is not written stays as in the event."""

    start: Moment | None = Field(None, description="Its new start")
    end: Moment | None = Field(None, description="Its new end; the last day, if it is all day")
    duration: Span | None = Field(None, description="Its new length, instead of an end")
    summary: Line | None = Field(None, description="Its own title")
    description: Lines | None = Field(None, description="Its own description")
    location: Lines | None = Field(None, description="Its own place")
    status: _Status | None = Field(None, description="`cancelled` cancels this occurrence alone")
    url: Url | None = Field(None, description="Its own page (http or https)")


class RepeatEntry(Entry):
    """When an event comes again (RFC 5545, 3.8.5)."""

    rule: Label | None = Field(
        None, description="A recurrence rule, as FREQ=YEARLY or FREQ=MONTHLY;BYDAY=1MO;COUNT=12"
    )
    except_: list[Moment] | None = Field(
        None,
        alias="except",
        max_length=MOST_EXCEPTIONS,
        description="Starts that the rule gives and that do not take place",
    )
    also: list[Moment] | None = Field(
        None, max_length=MOST_EXCEPTIONS, description="Further starts that no rule gives"
    )
    changes: dict[Moment, ChangeEntry] | None = Field(
        None,
        max_length=MOST_EXCEPTIONS,
        description="By the start that the rule gives: what is different about that occurrence",
    )


class EventEntry(Entry):
    """One event; its key in `events` is its name in addresses and never changes."""

    summary: Line = Field(description="The title, in one line, or a map of languages")
    start: Moment = Field(
        description="YYYY-MM-DD (all day), YYYY-MM-DD HH:MM (in the time zone), or with an offset"
    )
    end: Moment | None = Field(None, description="The end; for an all-day event its last day")
    duration: Span | None = Field(None, description="The length, as 45 minutes, instead of an end")
    time_zone: Zone | None = Field(None, description="IANA time zone, if not the calendar's")
    status: _Status | None = Field(None, description="confirmed, unless it says otherwise")
    kind: _Kind | None = Field(None, description="A deadline is shown as due and blocks no time")
    busy: Truth | None = Field(
        None, description="Whether it blocks time; if not given, what has a time of day does"
    )
    description: Lines | None = Field(None, description="What it is about")
    location: Lines | None = Field(None, description="Where it takes place")
    url: Url | None = Field(None, description="The page about it (http or https)")
    categories: list[Label] | None = Field(
        None, max_length=MOST_LISTED, description="Words to filter by"
    )
    sources: list[SourceEntry] | None = Field(
        None, max_length=MOST_LISTED, description="Where its date is known from"
    )
    reminders: list[ReminderEntry] | None = Field(
        None,
        max_length=MOST_REMINDERS,
        description="When people are told, instead of the calendar's reminders; [] for never",
    )
    repeat: RepeatEntry | None = Field(None, description="When it comes again")
    note: Lines | None = Field(
        None, description="Why it changed; goes out with the message that tells of the change"
    )
    format: _Format | None = Field(
        None, description="How its description is written: plain, unless it says markdown"
    )
    image: Url | None = Field(None, description="A picture for it (http or https)")
    conference: ConferenceEntry | None = Field(None, description="Where people meet online")
    geo: Degrees | None = Field(
        None, description="Where it is, in degrees: latitude, longitude, as 24.8607, 67.0011"
    )
    organizer: OrganizerEntry | None = Field(None, description="Who holds it: {name, email}")
    contact: Label | None = Field(None, description="Whom to ask, in one line")
    classification: _Classification | None = Field(
        None, alias="class", description="How apps that pass it on should treat it; public if not"
    )
    priority: Priority | None = Field(None, description="From 1, the highest, to 9")
    uid: Label | None = Field(
        None, description="The UID it already has elsewhere; otherwise one is made from its name"
    )


def _read_history(text: str) -> int | None:
    if text.strip() == "all":
        return ALL_HISTORY
    if text.strip().isascii() and text.strip().isdigit() and int(text) <= 200:
        return int(text)
    raise ValueError(f'must be a number of years up to 200, or "all", not "{text}"')


_EVENTS_SCHEMA: dict[str, Any] = {"propertyNames": {"pattern": SLUG_PATTERN}}


class CalendarFile(Entry):
    """A calendar: `events/<calendar>.yaml`, or `calendar.yaml` in a folder of its own."""

    name: Line = Field(description="The calendar's title, in one line, or a map of languages")
    description: Lines | None = Field(None, description="What the calendar is about")
    time_zone: Zone = Field(description="IANA time zone of every time that has no other")
    language: Annotated[str, scalar(check_language), WithJsonSchema({"type": "string"})] = Field(
        "en", description="The language of plain texts (BCP 47)"
    )
    color: (
        Annotated[
            str, scalar(check_color), WithJsonSchema({"type": "string", "enum": sorted(COLORS)})
        ]
        | None
    ) = Field(None, description="A CSS 3 colour name")
    reminders: list[ReminderEntry] | None = Field(
        None,
        max_length=MOST_REMINDERS,
        description="When people are told of each event that has no reminders of its own",
    )
    visibility: _Visibility | None = Field(
        None, description="`private`: only with a token, and on no page; public if not given"
    )
    formerly: list[Annotated[str, scalar(check_slug), WithJsonSchema(SCALAR)]] | None = Field(
        None,
        max_length=MOST_LISTED,
        description="Names it had before, oldest first: their addresses lead to this one",
    )
    history: Annotated[int | None, scalar(_read_history), WithJsonSchema(SCALAR)] = Field(
        None,
        description="How many past years its feed keeps, or `all`; if not given, what clients take",
    )
    events: dict[str, EventEntry] | None = Field(
        None,
        description="The events, by the name each has in addresses (a-z, 0-9 and -)",
        json_schema_extra=_EVENTS_SCHEMA,
    )


class EventsFile(Entry):
    """Further events of a calendar that has a folder of its own."""

    events: dict[str, EventEntry] = Field(
        description="The events, by the name each has in addresses (a-z, 0-9 and -)",
        json_schema_extra=_EVENTS_SCHEMA,
    )
