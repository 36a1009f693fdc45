"""The structure of definition files: maps, their keys, and the types of their values.

An entry has only what is written in it, not what it inherits from its calendar; `builder` turns
entries into the types of `calfeed.model`. Editors show the field descriptions (see `schema`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from calfeed.definitions.formats.scalars import (
    SCALAR,
    URL_SCHEMA,
    Boolean,
    Clock,
    Day,
    Degrees,
    Email,
    Label,
    Moment,
    Name,
    Priority,
    Span,
    Start,
    Url,
    Zone,
    scalar,
    to_lowercase,
)
from calfeed.definitions.keys.dates import (
    CorrectionEntry,
    DoneEntry,
    ReminderEntry,
    RollWord,
    WorkingDaysEntry,
)
from calfeed.definitions.keys.entries import Entry, Line, Lines
from calfeed.model.colors import COLORS, check_color
from calfeed.model.details import Classification, Format
from calfeed.model.events import ALL_HISTORY, Kind, Status, Visibility
from calfeed.model.texts import (
    SLUG_PATTERN,
    check_language,
    check_slug,
)

MAX_REMINDERS = 20
MAX_EXCEPTIONS = 10_000
MAX_LIST_ITEMS = 50
"""The most categories or sources of one event."""


_Status = Annotated[Status, BeforeValidator(to_lowercase)]
_Kind = Annotated[Kind, BeforeValidator(to_lowercase)]
_Format = Annotated[Format, BeforeValidator(to_lowercase)]
_Classification = Annotated[Classification, BeforeValidator(to_lowercase)]
_Visibility = Annotated[Visibility, BeforeValidator(to_lowercase)]


class SourceEntry(Entry):
    """The source of a date."""

    title: Label = Field(description="The title of the source")
    url: Url | None = Field(None, description="Its URL (http or https)")
    date: Day | None = Field(None, description="When it was published, as 2024-08-14")


class ConferenceEntry(Entry):
    """An online meeting; a URL alone is short for {url: ...}."""

    url: Url = Field(description="The URL to join (http or https)")
    label: Label | None = Field(None, description="The text of the link, such as: Join on Jitsi")

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
    """The organizer of an event."""

    name: Name = Field(description="The name of the person or organization")
    email: Email = Field(description="The public e-mail address")


class ChangeEntry(Entry):
    """An override of one occurrence; missing keys are inherited from the event."""

    start: Moment | None = Field(None, description="Its new start")
    end: Moment | None = Field(None, description="Its new end; the last day, if it is all day")
    duration: Span | None = Field(None, description="Its new length, instead of an end")
    summary: Line | None = Field(None, description="Its own title")
    description: Lines | None = Field(None, description="Its own description")
    location: Lines | None = Field(None, description="Its own place")
    status: _Status | None = Field(None, description="`cancelled` cancels this occurrence only")
    url: Url | None = Field(None, description="Its own page (http or https)")


class RepeatEntry(Entry):
    """The recurrence of an event (RFC 5545, 3.8.5)."""

    rule: Label | None = Field(
        None,
        description="A recurrence rule, such as FREQ=YEARLY or FREQ=MONTHLY;BYDAY=1MO;COUNT=12",
    )
    except_: list[Moment] | None = Field(
        None,
        alias="except",
        max_length=MAX_EXCEPTIONS,
        description="Starts to exclude from those that the rule gives",
    )
    also: list[Moment] | None = Field(
        None, max_length=MAX_EXCEPTIONS, description="Additional starts"
    )
    changes: dict[Moment, ChangeEntry] | None = Field(
        None,
        max_length=MAX_EXCEPTIONS,
        description="Changed occurrences, each by its original start",
    )


class EventEntry(Entry):
    """One event; its key in `events` is its name in URLs and should never change."""

    summary: Line = Field(description="The title, in one line, or a map of languages")
    start: Start = Field(
        description="YYYY-MM-DD (all day), YYYY-MM-DD HH:MM (in the time zone), an uncertain date "
        "(June 2030, 2030-Q3, 2030-06-03..2030-06-07), `postponed`, or a date counted from another "
        "event (14 days after ruling)"
    )
    at: Clock | None = Field(
        None, description='The time of day of a date counted from another event, as "17:00"'
    )
    roll: RollWord | None = Field(
        None, description="Where to move a counted date that is not a working day: next or previous"
    )
    end: Moment | None = Field(None, description="The end; for an all-day event its last day")
    duration: Span | None = Field(None, description="The length, such as 45 minutes, or an end")
    time_zone: Zone | None = Field(
        None, description="IANA time zone, if it differs from the calendar's"
    )
    status: _Status | None = Field(None, description="The status; confirmed by default")
    kind: _Kind | None = Field(None, description="A deadline is shown as due and blocks no time")
    busy: Boolean | None = Field(
        None, description="Whether it blocks time; by default, timed events do"
    )
    description: Lines | None = Field(None, description="What it is about")
    location: Lines | None = Field(None, description="Where it takes place")
    url: Url | None = Field(None, description="The page about it (http or https)")
    categories: list[Label] | None = Field(
        None, max_length=MAX_LIST_ITEMS, description="Labels to filter by"
    )
    sources: list[SourceEntry] | None = Field(
        None, max_length=MAX_LIST_ITEMS, description="The sources of its date"
    )
    reminders: list[ReminderEntry] | None = Field(
        None,
        max_length=MAX_REMINDERS,
        description="The reminders, instead of the calendar's; [] for none",
    )
    repeat: RepeatEntry | None = Field(None, description="How it recurs")
    note: Lines | None = Field(
        None, description="Why it changed; sent with the message about the change"
    )
    format: _Format | None = Field(
        None, description="The markup of its description: plain (default) or markdown"
    )
    image: Url | None = Field(None, description="The URL of a picture (http or https)")
    conference: ConferenceEntry | None = Field(None, description="The online meeting")
    geo: Degrees | None = Field(
        None, description="Its position in degrees: latitude, longitude, such as 24.8607, 67.0011"
    )
    organizer: OrganizerEntry | None = Field(None, description="The organizer: {name, email}")
    contact: Label | None = Field(None, description="Whom to contact, in one line")
    classification: _Classification | None = Field(
        None, alias="class", description="How apps that share it should treat it; default public"
    )
    priority: Priority | None = Field(None, description="From 1 (highest) to 9")
    embargo: Moment | None = Field(
        None, description="When it becomes public; until then nothing shows it"
    )
    done: DoneEntry | None = Field(
        None, description="Whether it was met or waived; it then has no reminders: {date, as}"
    )
    correction: CorrectionEntry | None = Field(
        None, description="The wrong date that was published: {was}; announced as a correction"
    )
    uid: Label | None = Field(
        None, description="Its existing UID, if any; by default, one is made from its name"
    )


def _read_history(text: str) -> int | None:
    if text.strip() == "all":
        return ALL_HISTORY
    if text.strip().isascii() and text.strip().isdigit() and int(text) <= 200:
        return int(text)
    raise ValueError(f'must be a number of years up to 200, or "all", not "{text}"')


_EVENTS_SCHEMA: dict[str, Any] = {"propertyNames": {"pattern": SLUG_PATTERN}}


class CalendarFile(Entry):
    """A calendar: `events/<calendar>.yaml` or `events/<calendar>/calendar.yaml`."""

    name: Line = Field(description="The calendar's title, in one line, or a map of languages")
    description: Lines | None = Field(None, description="What the calendar is about")
    time_zone: Zone = Field(description="The default IANA time zone of its events")
    language: Annotated[str, scalar(check_language), WithJsonSchema({"type": "string"})] = Field(
        "en", description="The language of texts without a tag (BCP 47)"
    )
    color: (
        Annotated[
            str, scalar(check_color), WithJsonSchema({"type": "string", "enum": sorted(COLORS)})
        ]
        | None
    ) = Field(None, description="A CSS 3 colour name")
    reminders: list[ReminderEntry] | None = Field(
        None,
        max_length=MAX_REMINDERS,
        description="The default reminders of its events",
    )
    working_days: WorkingDaysEntry | None = Field(
        None, description="Which days are working days; default: those of the folder"
    )
    visibility: _Visibility | None = Field(
        None, description="`private`: requires a token and is on no page; default public"
    )
    formerly: list[Annotated[str, scalar(check_slug), WithJsonSchema(SCALAR)]] | None = Field(
        None,
        max_length=MAX_LIST_ITEMS,
        description="Its earlier names, oldest first; their URLs redirect to this calendar",
    )
    history: Annotated[int | None, scalar(_read_history), WithJsonSchema(SCALAR)] = Field(
        None,
        description="How many past years its feed contains, or `all`; default: what clients accept",
    )
    events: dict[str, EventEntry] | None = Field(
        None,
        description="The events, by their names in URLs (a-z, 0-9 and -)",
        json_schema_extra=_EVENTS_SCHEMA,
    )


class WorkingDaysFile(WorkingDaysEntry):
    """`events/working_days.yaml`: the working days of all calendars that define none."""


class EventsFile(Entry):
    """Another file of a calendar that is a folder; it has more events of the calendar."""

    events: dict[str, EventEntry] = Field(
        description="The events, by their names in URLs (a-z, 0-9 and -)",
        json_schema_extra=_EVENTS_SCHEMA,
    )
