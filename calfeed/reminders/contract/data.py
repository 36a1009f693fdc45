"""The `data` of each type of message, as models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calfeed.ical.comparison.shifts import Shift
from calfeed.model.details import Conference, Organizer, Position
from calfeed.model.events import Kind, Status
from calfeed.reminders.contract.dates import (
    ChangedCause,
    ChangedHolidays,
    Counted,
    DayText,
    Done,
    OnHold,
    Part,
    Times,
    TimeText,
    When,
)


class Source(Part):
    """A source of a date."""

    title: str
    url: str | None
    date: DayText | None


class Event(Times):
    """An event."""

    calendar: str
    slug: str
    uid: str = Field(description="Its UID in the feeds.")
    sequence: int = Field(ge=0, description="The number of its changes; a higher one is newer.")
    summary: str
    description: str | None = None
    location: str | None = None
    status: Status
    kind: Kind
    categories: list[str]
    recurrence: str | None = Field(None, description="An RRULE (RFC 5545).")
    url: str | None = None
    page: str | None = Field(None, description="Its page on this site.")
    sources: list[Source]
    image: str | None = None
    conference: Conference | None = None
    geo: Position | None = None
    organizer: Organizer | None = None
    contact: str | None = None
    classification: Literal["private", "confidential"] | None = Field(None, alias="class")
    priority: int | None = Field(None, ge=1, le=9)
    busy: bool | None = Field(None, description="Present if it differs from its kind's default.")
    when: When | None = Field(None, description="The possible days of an uncertain date.")
    on_hold: OnHold | None = Field(None, description="Present if it has no date for now.")
    counted: Counted | None = Field(None, description="How it is counted from another event.")
    done: Done | None = Field(None, description="Present if it was met or waived.")


class Occurrence(Times):
    """One time at which an event takes place."""

    id: str = Field(description="Its id within the event; empty if the event does not recur.")
    summary: str | None = Field(None, description="Its title, if it has its own.")


class ChangedOccurrence(Times):
    """A changed occurrence of a recurring event."""

    id: str = Field(description="Its id within the event.")
    summary: str | None = Field(None, description="Its title, if it has its own.")
    status: Status
    previous: Times | None = Field(None, description="Its earlier time, if any.")


class Reminder(Part):
    """Why a reminder is sent now."""

    rule: str = Field(description="In words, such as 1 week before.")
    due: TimeText = Field(description="When it was due.")
    late_seconds: int = Field(ge=0, description="How late the message was made; 0 if on time.")


class Previous(Times):
    """The time and the title of an event before a change."""

    when: When | None = None
    on_hold: OnHold | None = None
    summary: str


class Data(Part):
    """What every message has."""

    language: str | None = Field(None, description="The language of its texts, if not English.")
    text: str = Field(description="The message in one line, for people.")


class EndpointTestData(Data):
    """A test of an endpoint."""

    endpoint: str = Field(description="The id of the endpoint.")


class EndpointVerifyData(EndpointTestData):
    """A registered endpoint that has to be confirmed."""

    challenge: str = Field(description="The value that confirms the registration.")


class ReminderData(Data):
    """A reminder of an occurrence."""

    event: Event
    occurrence: Occurrence
    reminder: Reminder


class DigestData(Data):
    """Several reminders, the nearest occurrence first."""

    reminders: list[ReminderData] = Field(min_length=1)


class AddedData(Data):
    """A new event."""

    event: Event


class CancelledData(AddedData):
    """An event before and after a change."""

    previous: Previous
    note: str | None = Field(None, description="The reason of the change, if given.")


class CorrectedData(CancelledData):
    """An event whose announced time was never right."""


class ChangedData(CancelledData):
    """A changed event, or changed occurrences of it."""

    cause: ChangedCause | ChangedHolidays | None = Field(
        None, description="Why a counted date changed, if its definition did not."
    )
    occurrences: list[ChangedOccurrence] | None = Field(
        None, description="The changed occurrences of a recurring event, if not all."
    )


class MovedData(ChangedData):
    """A moved event, or moved occurrences of it."""

    change: Shift | None = Field(None, description="What happened to the date as a whole.")
