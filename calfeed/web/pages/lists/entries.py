"""Lines of a list: occurrences in the reader's language and time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from calfeed.ical.occurrences import Occurrence
from calfeed.model.dates.uncertainty import Precision
from calfeed.store.rows import EventRow
from calfeed.web.pages.lists.marks import find_marks
from calfeed.web.pages.reader.dates import (
    describe_days,
    describe_repeat,
    join_phrases,
    write_clock,
    write_date,
    write_day_and_time,
    write_due_day,
    write_month,
    write_number,
    write_short_day,
    write_span,
    write_uncertain,
)
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.former_dates import PastDate, find_former_date
from calfeed.web.published.timeline import EventOccurrence, days_of, list_days_of

_CHANGED = frozenset({"moved", "corrected"})


@dataclass(frozen=True)
class Entry:
    """A line of a list, in the reader's language and time zone.

    An all-day date is the same day everywhere. An uncertain date is listed on its latest day.
    `now` is the time of the request. `distance` is the relative day, such as "in 3 days", empty if
    the occurrence is over. `time` says what the day does not show: times of day, the last day, or
    what is known of an uncertain date. `others` are the days of further occurrences of the series
    that the line includes, in the order of the list; None if each occurrence has its own line.
    """

    row: EventRow
    occurrence: Occurrence
    reader: Reader
    now: datetime
    others: tuple[date, ...] | None = None

    @property
    def address(self) -> str:
        event = self.row.revision.event
        return f"/calendars/{event.calendar}/{event.slug}/"

    @property
    def calendar(self) -> str:
        return self.row.revision.event.calendar

    @cached_property
    def days(self) -> tuple[date, date]:
        found = EventOccurrence(self.row, self.occurrence)
        return list_days_of(found, self.reader.zone)

    @property
    def possible_days(self) -> tuple[date, date]:
        """The first and last day on which it is, or may be."""
        return days_of(self.occurrence, self.reader.zone)

    @property
    def vague(self) -> bool:
        """Whether its day is not known, or was not known when it last had a date."""
        return self.row.revision.event.precision not in (None, Precision.TIME)

    @property
    def day(self) -> date:
        return self.days[0]

    @property
    def until(self) -> date:
        return self.days[1]

    @property
    def summary(self) -> LocalizedText:
        return self.reader.localize(self.occurrence.summary, self.row.revision.event.language)

    @property
    def location(self) -> LocalizedText | None:
        text = self.occurrence.location
        return self.reader.localize(text, self.row.revision.event.language) if text else None

    @property
    def time(self) -> str:
        language, zone = self.reader.language, self.reader.zone
        event, last = self.row.revision.event, write_short_day(self.until, self.reader.language)
        if self.held:
            former = write_date(event.start, event.end, event.precision, language, zone)
            return gettext("it was %(when)s", when=former)
        if not isinstance(self.occurrence.start, datetime):
            if event.precision is not None:
                start, end = self.occurrence.start, self.occurrence.end
                return write_uncertain(start, end, event.precision, language)
            if self.deadline:
                return write_due_day(self.until, event.time_zone, language, short=True)
            return gettext("until %(day)s", day=last) if self.until > self.day else ""
        begins, ends = (
            write_clock(moment.astimezone(zone), language)
            for moment in (self.occurrence.begins, self.occurrence.ends)
        )
        if self.until > self.day:
            return write_span(begins, write_day_and_time(last, ends, language), language)
        if self.occurrence.ends > self.occurrence.begins:
            return write_span(begins, ends, language)
        return begins

    @cached_property
    def former(self) -> PastDate | None:
        """The date that it had before; None if it is over, or if it never had another date."""
        if self.over or self.cancelled or self.done or self.marks.isdisjoint(_CHANGED):
            return None
        return find_former_date(self.row, self.occurrence.id)

    @property
    def former_date(self) -> str:
        """The date that it had before, in words."""
        past, reader = self.former, self.reader
        if past is None:
            return ""
        return write_date(past.start, past.end, past.precision, reader.language, reader.zone)

    @property
    def series(self) -> str:
        """How often it recurs, and how many further occurrences the line includes."""
        language, repeat = self.reader.language, self.row.revision.event.repeat
        if self.others is None:
            return ""
        often = describe_repeat(repeat.rule, language) if repeat and repeat.rule else ""
        return join_phrases([often, self._more], language)

    @property
    def _more(self) -> str:
        if not self.others:
            return ""
        count = write_number(len(self.others), self.reader.language)
        last = write_short_day(self.others[-1], self.reader.language)
        if self.others[-1] < self.day:
            return gettext("and %(count)s more since %(day)s", count=count, day=last)
        return gettext("and %(count)s more until %(day)s", count=count, day=last)

    @property
    def over(self) -> bool:
        """Whether it has ended.

        An all-day date ends with the day in the reader's zone, a deadline with that in its own.
        """
        if self.deadline or isinstance(self.occurrence.start, datetime):
            return self.occurrence.ends < self.now
        return self.until < self.reader.today(self.now)

    @property
    def overdue(self) -> bool:
        """Whether all its possible days are over, and it is not cancelled, on hold or done."""
        return self.vague and self.over and not (self.cancelled or self.held or self.done)

    @property
    def distance(self) -> str:
        event, language = self.row.revision.event, self.reader.language
        if self.overdue:
            return gettext("overdue")
        if self.over or self.held or self.done or event.day_open:
            return ""
        today = self.reader.today(self.now)
        if self.vague:
            days = (self.possible_days[0] - today).days
            earliest = gettext(
                "%(distance)s at the earliest", distance=describe_days(days, language)
            )
            return earliest if days >= 0 else ""
        days = (self.day - today).days
        return gettext("now") if days < 0 else describe_days(days, language)

    @property
    def clock(self) -> str:
        """The start, "10:30"; empty for an all-day date."""
        if not isinstance(self.occurrence.start, datetime):
            return ""
        begins = self.occurrence.begins.astimezone(self.reader.zone)
        return write_clock(begins, self.reader.language)

    @property
    def month(self) -> str:
        """Its month as a heading: "June 2027"."""
        return write_month(self.day, self.reader.language)

    @cached_property
    def marks(self) -> frozenset[str]:
        return find_marks(self.row, self.occurrence)

    @property
    def cancelled(self) -> bool:
        return "cancelled" in self.marks

    @property
    def held(self) -> bool:
        """Whether it has no date for now; its days are those of the date that it had."""
        return not self.marks.isdisjoint({"postponed", "waiting"})

    @property
    def done(self) -> bool:
        return "done" in self.marks

    @property
    def moved(self) -> bool:
        return "moved" in self.marks

    @property
    def deadline(self) -> bool:
        return "deadline" in self.marks


def by_month(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    return [(month, list(group)) for month, group in groupby(entries, lambda entry: entry.month)]
