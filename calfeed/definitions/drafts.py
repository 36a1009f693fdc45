"""Drafts: events whose date is not in their own definition.

The date is counted from another event, or is the date that was published before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from calfeed.definitions.formats.event_times import EventTimeReader, Report
from calfeed.definitions.formats.starts import PostponedDate, RelativeDate, UncertainDate
from calfeed.definitions.formats.times import ParsedMoment
from calfeed.model.dates.dating import Derivation, OnHold
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.offsets import Roll
from calfeed.model.dates.uncertainty import Span, make_range
from calfeed.model.events import Event

NO_WORKING_DAYS = (
    "counts working days, but nothing says which days are: add `working_days` to the calendar, "
    "such as {holidays: [PK]}, or a file working_days.yaml for all calendars"
)


@dataclass(frozen=True)
class Draft:
    """An event without its date: the other fields, and the keys that its date depends on."""

    fields: Mapping[str, Any]
    start: PostponedDate | RelativeDate
    reader: EventTimeReader
    at: time | None = None
    duration: Duration | None = None
    roll: Roll | None = None

    @property
    def calendar(self) -> str:
        return str(self.fields["calendar"])

    @property
    def slug(self) -> str:
        return str(self.fields["slug"])

    @property
    def uid(self) -> str:
        return str(self.fields["uid"])

    @cached_property
    def cause(self) -> tuple[str, str] | None:
        """The slugs (calendar, event) of the cause; None if the event is postponed."""
        if not isinstance(self.start, RelativeDate):
            return None
        calendar, slash, slug = self.start.cause.partition("/")
        return (calendar, slug) if slash else (self.calendar, calendar)

    def place(self, earliest: date, latest: date, derivation: Derivation) -> Event | None:
        """Return the event at its date, certain or uncertain; None if the time does not exist."""
        if latest > earliest:
            span = make_range(earliest, latest)
            return self._build(earliest, latest + timedelta(days=1), span, derivation)
        start: date | datetime | None = earliest
        if self.at is not None:
            written = ParsedMoment(f"{earliest} {self.at:%H:%M}", earliest, self.at)
            start = self.reader.read_moment(written, ("at",))
        if start is None:
            return None
        end = self.reader.read_end(start, None, self.duration)
        return self._build(start, end, None, derivation)

    def hold(self, on_hold: OnHold, former: Event) -> Event:
        """Return the event on hold at its former date."""
        update = {"start": former.start, "end": former.end, "precision": former.precision}
        return Event(**self.fields, **update, on_hold=on_hold)

    def place_former(self, on_hold: OnHold) -> Event | None:
        """Return the event on hold at the former date in its definition; None if there is none."""
        was = self.start.was if isinstance(self.start, PostponedDate) else None
        if was is None:
            return None
        if isinstance(was, UncertainDate):
            event: Event | None = self._build(
                was.span.earliest, was.span.latest + timedelta(days=1), was.span, None
            )
        else:
            start = self.reader.read_moment(was, ("start",))
            event = None if start is None else self._build(start, None, None, None)
        return event and event.model_copy(update={"on_hold": on_hold})

    def _build(
        self,
        start: date | datetime,
        end: date | datetime | None,
        span: Span | None,
        derivation: Derivation | None,
    ) -> Event:
        if end is None and not isinstance(start, datetime):
            end = start + timedelta(days=1)
        event = Event(
            **self.fields,
            start=start,
            end=end,
            precision=span.precision if span else None,
            derivation=derivation,
        )
        check_reminders(event, self.reader.report)
        return event


def check_reminders(event: Event, report: Report) -> None:
    """Report a reminder in working days that cannot be counted, for example in a far year."""
    if event.silent or event.working_days is None:
        return
    for rule in event.reminders:
        try:
            event.find_due(rule, event.start, event.end)
        except ValueError as error:
            report(("reminders",), error)
            return
