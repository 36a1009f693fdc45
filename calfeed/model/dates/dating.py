"""How an event's date was counted, and whether the event is on hold, done or corrected."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from calfeed.model.dates.offsets import Offset, Roll
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.dates.working_days import Count
from calfeed.model.values import Day, Moment, Text, Value


class Cause(Value):
    """An event that another event's date is counted from, with its date at the time of counting.

    `earliest` and `latest` are the first and the last possible day, in local time, and None if
    there is no date. `precision` is set if the date is uncertain.
    """

    calendar: str
    slug: str
    uid: str
    summary: Text
    earliest: Day | None = None
    latest: Day | None = None
    precision: Precision | None = None


class Sum(Value):
    """One calculation of a counted date.

    `begin` is the day that is counted from, `count` the result of counting. `rolled` is the move of
    that result to a working day, None if it was not moved.
    """

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
    """How a date was counted: from which cause, by which offset, and the calculations (`sums`).

    There is one calculation, or two if the date of the cause is uncertain: from its first and from
    its last possible day.
    """

    cause: Cause
    offset: Offset
    roll: Roll | None = None
    sums: tuple[Sum, ...]

    @property
    def provisional(self) -> bool:
        """Whether the date may still move, because a holiday in the counted period is estimated."""
        return any(each.estimated for each in self.sums)


class Hold(StrEnum):
    """Why an event has no date for now: it was postponed, or waits for its cause."""

    POSTPONED = "postponed"
    WAITING = "waiting"


class OnHold(Value):
    """Why an event has no date for now; its `start` and `end` are its former date.

    If the event waits, `cause` is the event that it waits for, and `offset` how its date is counted
    from that event. Both are None if the event was postponed.
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
    """The wrong date that was published, according to the definition.

    `was` is its start. If the wrong date was uncertain, `was` and `latest` are its first and its
    last possible day. A correction takes effect only if this date is the one announced last.
    """

    was: Moment
    latest: Day | None = None
    precision: Precision | None = None
