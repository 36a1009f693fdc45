"""Rules of reminders: how long before an occurrence, or its end, people are notified."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calfeed.model.dates.durations import Duration
from calfeed.model.dates.working_days import WorkingDays
from calfeed.model.values import Span, Value, start_of

DEFAULT_REMINDER_TIME = time(9, 0)
"""The local time of an all-day event's reminder, unless `at` is given."""


class ReminderRule(Value):
    """How long before an occurrence a reminder is sent, and optionally at what time of day.

    `working` is a number of working days, which replaces `before`. `at` is a wall time in the
    event's zone; it requires a rule in whole days. With `of_end` the rule counts back from the end
    of the occurrence, which for a deadline is the moment when it is due.
    """

    before: Span = Duration()
    at: time | None = None
    working: int = 0
    of_end: bool = False

    @property
    def on_calendar(self) -> bool:
        """Whether the rule counts whole days, so that a time of day can be chosen."""
        return self.before.on_calendar

    def __str__(self) -> str:
        if self.working:
            words = f"{self.working} working {'day' if self.working == 1 else 'days'} before"
        elif self.before == Duration():
            words = "when it ends" if self.of_end else "at the time"
        else:
            words = f"{self.before} before" + (" the end" if self.of_end else "")
        return words if self.at is None else f"{words} at {self.at:%H:%M}"

    def due(
        self,
        start: date | datetime,
        zone: ZoneInfo,
        end: date | datetime | None = None,
        working_days: WorkingDays | None = None,
    ) -> datetime:
        """Return when the reminder for an occurrence is due, as an aware datetime in `zone`.

        `end` is exclusive. The reminder of an all-day event is due at `at` (default 09:00); hours
        and minutes count back from midnight at its start. `working_days` are needed only by rules
        that count them.
        """
        timed = isinstance(start, datetime)
        if self.of_end:
            after = end if end is not None else start if timed else start + timedelta(days=1)
            return self._choose_time(self.before.before(start_of(after, zone)), None, zone)
        default = None if timed else DEFAULT_REMINDER_TIME
        if self.working:
            if working_days is None:
                raise ValueError("the rule counts working days, and the event has none")
            begins = start_of(start, zone)
            day = working_days.count(begins.date(), -self.working).day
            return self._choose_time(begins, self.at or default or begins.time(), zone, day)
        due = self.before.before(start_of(start, zone))
        return self._choose_time(due, self.at or (default if self.on_calendar else None), zone)

    @staticmethod
    def _choose_time(
        due: datetime, at: time | None, zone: ZoneInfo, day: date | None = None
    ) -> datetime:
        if at is None:
            return due
        # The round trip through UTC turns a wall time in a gap into one that exists.
        return datetime.combine(day or due.date(), at, zone).astimezone(UTC).astimezone(zone)

    @property
    def key(self) -> str:
        """A text that identifies the rule: "1 week" and "7 days" have the same."""
        span = f"P{self.before.months}M{self.before.days}DT{self.before.minutes}M"
        if self.working:
            span = f"W{self.working}"
        if self.of_end:
            span += "E"
        return span if self.at is None else f"{span}@{self.at:%H:%M}"
