"""The response models of the API for calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Texts = dict[str, str]


class View(BaseModel):
    """A response model."""

    model_config = ConfigDict(populate_by_name=True)


class Calendar(View):
    """A calendar."""

    slug: str = Field(description="Its name in URLs.")
    name: str
    description: str | None
    texts: dict[str, Texts] = Field(description="Name and description in all languages.")
    time_zone: str
    language: str = Field(description="The language (BCP 47) of texts that are not `texts`.")
    color: str | None = Field(description="A CSS3 name.")
    private: bool = Field(description="Visible only with a token for it.")
    events: int = Field(description="The number of its events.")
    modified: datetime = Field(description="When it last changed.")
    page: str | None = Field(description="Its page; null for a private calendar.")
    feed: str | None = Field(description="The iCalendar feed; null for a private calendar.")


class Source(View):
    """A source of a date."""

    title: str
    url: str | None = None
    date: str | None = None


class Move(View):
    """An earlier time of an event, and the day on which it changed."""

    occurrence: str | None = Field(
        None,
        description="The id of the one occurrence that moved; null for the event as a whole.",
    )
    start: str
    end: str | None
    moved_on: str
    note: str | None
    precision: str | None = Field(
        None, description="How well it was known; null for a certain one."
    )
    on_hold: str | None = Field(
        None, description="Why there was no date at that time; null if there was one."
    )
    corrected: bool = Field(default=False, description="Whether it was never right.")


class Times(View):
    """A time: dates, or wall times with their offset; `end` is exclusive."""

    start: str
    end: str
    all_day: bool
    time_zone: str


class When(View):
    """The days on which an uncertain date may fall."""

    earliest: str = Field(description="The earliest possible day.")
    latest: str = Field(description="The latest possible day.")
    precision: str = Field(
        description="time (only the time is open), range, part (of a month), month, quarter, half, "
        "season or year."
    )
    edtf: str = Field(description="In the Extended Date/Time Format (ISO 8601-2).")
    text: str = Field(description="For people, in the event's language.")


class Cause(View):
    """An event that another date is counted from, with its days; null if it has no date."""

    calendar: str
    event: str
    uid: str
    summary: str
    earliest: str | None
    latest: str | None
    when: str | None = Field(None, description="Its date for people.")


class OnHold(View):
    """Why an event has no date for now; its `start` and `end` are the former date."""

    why: str = Field(description="postponed, or waiting for an event that has no date.")
    for_: Cause | None = Field(None, alias="for", description="The event that it waits for.")


class SkippedDay(View):
    """A day that was not counted."""

    date: str
    name: str = Field(description="The holiday or closure, or weekend.")
    estimated: bool = Field(description="It may be proclaimed for another day.")


class Sum(View):
    """One counting; an uncertain cause has two, from its earliest and its latest day."""

    begin: str = Field(description="The day that it is counted from.")
    day: str = Field(description="The result.")
    not_counted: list[SkippedDay]
    rolled_from: str | None = Field(
        description="The counted day, if it is not a working day and the date was moved from it."
    )


class Counted(View):
    """How a date was counted from another event's."""

    rule: str = Field(description="Such as 3 working days before court/hearing.")
    from_: Cause = Field(alias="from", description="The event that it is counted from.")
    sums: list[Sum]
    provisional: bool = Field(description="An estimated holiday was counted.")
    text: str = Field(description="For people, in the event's language.")


class Done(View):
    """What became of an event."""

    as_: str = Field(alias="as", description="met or waived.")
    date: str | None = Field(description="Since when, if known.")


class ChangedCause(View):
    """Why a counted date changed without an edit: its cause, or the holidays, changed."""

    text: str = Field(description="For people, in the event's language.")
    calendar: str | None = None
    event: str | None = None
    uid: str | None = None
    summary: str | None = None
    earliest: str | None = None
    latest: str | None = None
    when: str | None = None
    previous: dict[str, str | None] | None = Field(None, description="Its earlier days.")
    holidays: str | None = Field(None, description="The release of the holiday data.")
    added: list[SkippedDay] | None = Field(None, description="New days without work.")
    removed: list[SkippedDay] | None = Field(None, description="Days that are none any more.")


class Event(Times):
    """An event as in webhook messages, with all translations and past moves."""

    calendar: str
    slug: str
    uid: str
    sequence: int = Field(description="The number of its changes.")
    summary: str
    description: str | None = None
    location: str | None = None
    status: str = Field(description="tentative, confirmed or cancelled.")
    kind: str = Field(description="event or deadline.")
    categories: list[str]
    recurrence: str | None = Field(None, description="An RRULE (RFC 5545).")
    url: str | None = None
    page: str | None = None
    sources: list[Source]
    image: str | None = None
    conference: dict[str, Any] | None = None
    geo: dict[str, Any] | None = None
    organizer: dict[str, Any] | None = None
    contact: str | None = None
    classification: str | None = Field(None, alias="class")
    priority: int | None = None
    busy: bool | None = Field(None, description="Present if not the default of its kind.")
    when: When | None = Field(None, description="The possible days of an uncertain date.")
    on_hold: OnHold | None = Field(None, description="Present if it has no date for now.")
    counted: Counted | None = Field(None, description="How it is counted from another event.")
    done: Done | None = Field(None, description="Present if it was met or waived.")
    texts: dict[str, Texts] = Field(
        description="Summary, description and location in all languages."
    )
    modified: datetime
    history: list[Move] = Field(description="Its earlier times, oldest first.")


class Occurrence(Times):
    """One time at which an event takes place."""

    calendar: str
    event: str
    uid: str
    id: str = Field(description="Its id within the event; empty if that does not recur.")
    summary: str
    location: str | None
    status: str
    kind: str


class ChangedOccurrence(Times):
    """An occurrence of a recurring event that changed."""

    id: str = Field(description="Its id within the event.")
    summary: str | None = Field(None, description="Its title, if it has its own.")
    status: str
    previous: Times | None = Field(None, description="Its earlier time, if any.")


class Change(Times):
    """A change that was announced."""

    at: datetime = Field(description="When it was announced.")
    kind: str = Field(
        description="added, moved, corrected (the earlier date was wrong), changed, cancelled or "
        "withdrawn."
    )
    change: str | None = Field(
        None, description="What a move did: firmed, loosened, moved or postponed."
    )
    cause: ChangedCause | None = Field(
        None, description="Why a counted date changed, if its definition did not."
    )
    when: When | None = Field(None, description="The possible days of an uncertain date.")
    on_hold: OnHold | None = Field(None, description="Present if it has no date for now.")
    calendar: str
    event: str
    uid: str
    sequence: int
    summary: str
    status: str
    previous: Move | None = Field(description="The earlier time of a moved or corrected event.")
    occurrences: list[ChangedOccurrence] = Field(
        description="The changed occurrences of a recurring event, if not all."
    )
    note: str | None = Field(description="The reason of the change, if given.")


class Changes(View):
    """Changes, oldest first."""

    items: list[Change]
    next: str | None = Field(
        description="The cursor of later changes: store it, and use it in the next request. "
        "Null only if nothing was ever published."
    )


class Reminder(View):
    """A moment before an occurrence at which endpoints receive a message."""

    key: str
    calendar: str
    event: str
    summary: str
    rule: str
    due: str = Field(description="The due time, in the event's zone.")
    occurrence: str = Field(description="The occurrence's id within the event.")
    start: str
    time_zone: str
    endpoints: list[str] | None = Field(
        description="The endpoints that receive it; null without the scope `endpoints`."
    )
