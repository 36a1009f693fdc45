"""The parts of messages about dates, as models.

Here and in `data.py`, a key whose default is None is left out when it has no value. Any other key
is always there; it is null only if its type says so.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from calfeed.model.dates.dating import Hold, Outcome
from calfeed.model.dates.uncertainty import Precision

_DAY = {"type": "string", "format": "date"}
_TIME = {"type": "string", "format": "date-time"}

DayText = Annotated[str, WithJsonSchema(_DAY)]
TimeText = Annotated[str, WithJsonSchema(_TIME)]
MomentText = Annotated[str, WithJsonSchema({"anyOf": [_TIME, _DAY]})]
"""A day for an all-day event, else a time with its offset from UTC."""


class Part(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(populate_by_name=True)


class Times(Part):
    """A time: dates, or wall times with their offset; `end` is exclusive."""

    start: MomentText
    end: MomentText
    all_day: bool = Field(description="Whether `start` and `end` are dates.")
    time_zone: str = Field(description="The IANA time zone of both.")


class When(Part):
    """The days on which an uncertain date may fall."""

    earliest: DayText = Field(description="The earliest possible day.")
    latest: DayText = Field(description="The latest possible day.")
    precision: Precision
    edtf: str = Field(description="In the Extended Date/Time Format (ISO 8601-2).")
    text: str = Field(description="For people, in the language of the texts.")


class CauseDays(Part):
    """The possible days of an event that another date is counted from; null if it has no date."""

    earliest: DayText | None
    latest: DayText | None
    when: str | None = Field(None, description="Its date in words.")


class Cause(CauseDays):
    """An event that another date is counted from, with its days; null if it has no date."""

    calendar: str
    event: str
    uid: str
    summary: str


class OnHold(Part):
    """Why an event has no date for now; its `start` and `end` are the former date."""

    why: Hold
    for_: Cause | None = Field(None, alias="for", description="The event that it waits for.")


class SkippedDay(Part):
    """A day that was not counted."""

    date: DayText
    name: str = Field(description="The holiday, the closed day or the weekend, in words.")
    estimated: bool = Field(description="It may be proclaimed for another day.")


class Sum(Part):
    """One calculation of a counted date.

    If the date of the cause is uncertain, there are two: from its first and its last possible day.
    """

    begin: DayText = Field(description="The day from which the date is counted.")
    day: DayText = Field(description="The result.")
    not_counted: list[SkippedDay]
    rolled_from: DayText | None = Field(
        description="The counted day, if it is not a working day and the date was moved from it."
    )


class Counted(Part):
    """How a date was counted from another event."""

    rule: str = Field(description="Such as 3 working days before court/hearing.")
    from_: Cause = Field(alias="from", description="The event that it is counted from.")
    sums: list[Sum]
    provisional: bool = Field(description="An estimated holiday is in the counted period.")
    text: str = Field(description="For people, in the language of the texts.")


class Done(Part):
    """Whether a deadline was met or waived."""

    as_: Outcome = Field(alias="as")
    date: DayText | None = Field(description="The day, if known.")


class ChangedCause(Cause):
    """Why a counted date changed without an edit: the event that it is counted from changed."""

    text: str = Field(description="For people, in the language of the texts.")
    previous: CauseDays | None = Field(description="Its earlier days.")


class ChangedHolidays(Part):
    """Why a counted date changed without an edit: the holidays changed."""

    text: str = Field(description="For people, in the language of the texts.")
    holidays: str | None = Field(description="The release of the holiday data.")
    added: list[SkippedDay] = Field(description="Days that are no longer counted.")
    removed: list[SkippedDay] = Field(description="Days that are counted again.")
