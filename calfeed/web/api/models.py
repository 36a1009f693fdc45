"""The response models of the API for calendars."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from calfeed.reminders.contract import data
from calfeed.reminders.contract.dates import OnHold, SkippedDay, Times, When

Texts = dict[str, str]


class View(BaseModel):
    """A response model."""

    model_config = ConfigDict(populate_by_name=True)


class Calendar(View):
    """A calendar."""

    slug: str = Field(description="The name of the calendar in URLs.")
    name: str
    description: str | None
    texts: dict[str, Texts] = Field(description="Name and description in all languages.")
    time_zone: str
    language: str = Field(description="The language (BCP 47) of all texts outside `texts`.")
    color: str | None = Field(description="A CSS3 name.")
    private: bool = Field(description="Visible only with a token for this calendar.")
    events: int = Field(description="The number of its events.")
    modified: datetime = Field(description="When it last changed.")
    page: str | None = Field(description="Its page; null for a private calendar.")
    feed: str | None = Field(description="The iCalendar feed; null for a private calendar.")


class Move(View):
    """An earlier time of an event, and the day on which this time was changed."""

    occurrence: str | None = Field(
        None,
        description="The id of the one occurrence that moved; null for the event as a whole.",
    )
    start: str
    end: str | None
    moved_on: str
    note: str | None
    precision: str | None = Field(
        None, description="How precisely this time was known; null if it was certain."
    )
    on_hold: str | None = Field(
        None, description="Why the event had no date then; null if it had one."
    )
    corrected: bool = Field(default=False, description="Whether this time was never right.")


class ChangedCause(View):
    """Why a counted date changed without an edit: its cause, or the holidays, changed."""

    text: str = Field(description="The reason for people to read, in the event's language.")
    calendar: str | None = None
    event: str | None = None
    uid: str | None = None
    summary: str | None = None
    earliest: str | None = None
    latest: str | None = None
    when: str | None = None
    previous: dict[str, str | None] | None = Field(
        None, description="The earlier days of the cause."
    )
    holidays: str | None = Field(None, description="The release of the holiday data.")
    added: list[SkippedDay] | None = Field(None, description="Days that are no longer counted.")
    removed: list[SkippedDay] | None = Field(None, description="Days that are counted again.")


class Event(data.Event, View):
    """An event as in webhook messages, with all translations and past moves."""

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
    id: str = Field(description="The id within the event; empty if the event does not recur.")
    summary: str
    location: str | None
    status: str
    kind: str


class Change(Times):
    """A change that was announced."""

    at: datetime = Field(description="When it was announced.")
    kind: str = Field(
        description="added, moved, corrected (the earlier date was wrong), changed, cancelled or "
        "withdrawn."
    )
    change: str | None = Field(
        None, description="The kind of a move: firmed, loosened, moved or postponed."
    )
    cause: ChangedCause | None = Field(
        None, description="Why a counted date changed, if its definition did not."
    )
    when: When | None = Field(None, description="The possible days of an uncertain date.")
    on_hold: OnHold | None = Field(None, description="Present if the event has no date for now.")
    calendar: str
    event: str
    uid: str
    sequence: int
    summary: str
    status: str
    previous: Move | None = Field(description="The earlier time of a moved or corrected event.")
    occurrences: list[data.ChangedOccurrence] = Field(
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
        description="The endpoints that receive this reminder; null without the scope `endpoints`."
    )
