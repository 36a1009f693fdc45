"""The origin of an event's date: counted from another event, postponed, corrected, done."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from calfeed.model.dates.offsets import Offset, Roll
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.dates.working_days import Count
from calfeed.model.values import Day, Moment, Text, Value


class Cause(Value):
    """The event that another date is counted from, with the date that it had at that time.

    `earliest` and `latest` are its local days. They differ if the date is uncertain, with
    `precision`; they are None if there is no date.
    """

    calendar: str
    slug: str
    uid: str
    summary: Text
    earliest: Day | None = None
    latest: Day | None = None
    precision: Precision | None = None


class Sum(Value):
    """One calculation: the first day, the resulting day, and the move from a closed day."""

    begin: Day
    count: Count
    rolled: Count | None = None

    @property
    def day(self) -> date:
        return (self.rolled or self.count).day

    @property
    def estimated(self) -> bool:
        return self.count.estimated or (self.rolled is not None and self.rolled.estimated)


class Derivation(Value):
    """How a date was counted: the offset, its cause, and the calculations (`sums`).

    An uncertain cause has two: from its earliest and from its latest day.
    """

    cause: Cause
    offset: Offset
    roll: Roll | None = None
    sums: tuple[Sum, ...]

    @property
    def provisional(self) -> bool:
        """Whether a proclaimed holiday may still move the date."""
        return any(each.estimated for each in self.sums)


class Hold(StrEnum):
    """Why an event has no date for now: it was postponed, or waits for its cause."""

    POSTPONED = "postponed"
    WAITING = "waiting"


class OnHold(Value):
    """An event without a date; its `start` and `end` are its former date.

    `cause` is the event that it waits for.
    """

    why: Hold
    cause: Cause | None = None
    offset: Offset | None = None


class Outcome(StrEnum):
    """Whether a deadline was met or waived."""

    MET = "met"
    WAIVED = "waived"


class Done(Value):
    """A deadline or event that was met or waived, and on which day, if known."""

    as_: Outcome = Outcome.MET
    date: Day | None = None


class Correction(Value):
    """The wrong date that was published: its start, and the precision if it was uncertain.

    It only takes effect when that date is the last announced one.
    """

    was: Moment
    latest: Day | None = None
    precision: Precision | None = None
