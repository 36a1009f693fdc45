"""Offsets: how a date is counted from another one, such as "3 clear working days before"."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from calfeed.model.dates.durations import Duration
from calfeed.model.dates.working_days import Count, WorkingDays

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Roll(StrEnum):
    """Where a date on a closed day is moved: to the next or the previous working day."""

    NEXT = "next"
    PREVIOUS = "previous"


class Offset(BaseModel):
    """A distance in whole days, and its direction: 1 is after, -1 is before.

    Exactly one of the calendar part (`months`, `days`), `working` (working days) and `weekday` (0
    is Monday, strictly after or before) is used. The first day does not count; with `clear`, the
    last day does not count either.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    direction: Literal[1, -1]
    months: int = 0
    days: int = 0
    working: int = 0
    weekday: int | None = None
    clear: bool = False

    @property
    def needs_working_days(self) -> bool:
        return self.working > 0

    def apply(self, day: date, working_days: WorkingDays | None) -> Count:
        """Return the result of counting from a day.

        Raises ValueError if `needs_working_days` and `working_days` is None.
        """
        if self.weekday is not None:
            distance = (self.direction * (self.weekday - day.weekday()) - 1) % 7 + 1
            return Count(day=day + timedelta(days=self.direction * distance))
        if self.working:
            if working_days is None:
                raise ValueError("needs the calendar's working days")
            return working_days.count(day, self.direction * (self.working + self.clear))
        span = Duration(self.months, self.days + self.clear)
        result = span.after_day(day) if self.direction > 0 else span.before_day(day)
        return Count(day=result)

    def __str__(self) -> str:
        side = "after" if self.direction > 0 else "before"
        if self.weekday is not None:
            return f"{WEEKDAYS[self.weekday]} {side}"
        if self.working:
            unit = "working day" if self.working == 1 else "working days"
            return f"{self.working} {'clear ' if self.clear else ''}{unit} {side}"
        if self.clear:
            unit = "day" if self.days == 1 else "days"
            return f"{self.days} clear {unit} {side}"
        return f"{Duration(self.months, self.days)} {side}" if self.months or self.days else "on"
