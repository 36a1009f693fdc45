"""The view model of an event page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

from calfeed.ical.occurrences import Moment, Occurrence, find_times
from calfeed.ical.wording.descriptions import html_description, plain_description
from calfeed.model.events import Event, Kind, Status
from calfeed.model.revision import Move, Revision
from calfeed.model.values import start_of
from calfeed.reminders.plan import plan_reminders
from calfeed.store.rows import EventRow
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.listing import (
    Listing,
    PageRequest,
    Place,
    list_past,
    list_requested,
    list_upcoming,
)
from calfeed.web.pages.reader.dates import describe_rule, write_short_day, write_when, write_zone
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.time_zones import list_zones
from calfeed.web.published.timeline import Timeline, make_span

_MAX_REMINDERS = 12
_MAX_DATES = 12
_REMINDER_WINDOW = timedelta(days=400)


@dataclass(frozen=True)
class Step:
    """A current or earlier date of an event: when it was set (empty if unknown), and why."""

    when: str
    start: str
    on: str
    note: LocalizedText | None
    current: bool


@dataclass(frozen=True)
class UpcomingReminder:
    """A future reminder: its rule in words, and its time."""

    rule: str
    when: str
    due: datetime


@dataclass(frozen=True)
class EventView:
    """An event in a reader's language at a time, with a page of its occurrences."""

    row: EventRow
    reader: Reader
    now: datetime
    page_request: PageRequest | None = None

    @property
    def event(self) -> Event:
        return self.row.revision.event

    @property
    def revision(self) -> Revision:
        return self.row.revision

    @property
    def summary(self) -> LocalizedText:
        return self.reader.localize(self.event.summary, self.event.language)

    @property
    def others(self) -> list[LocalizedText]:
        shown = self.summary.language
        return [
            LocalizedText(text, tag) for tag, text in self.event.summary.items() if tag != shown
        ]

    @property
    def location(self) -> LocalizedText | None:
        text = self.event.location
        return self.reader.localize(text, self.event.language) if text else None

    @property
    def description(self) -> LocalizedText | None:
        """The description without markup."""
        if not self.event.description:
            return None
        languages = (self.reader.tag, self.event.language)
        found = self.reader.localize(self.event.description, self.event.language)
        return LocalizedText(plain_description(self.event, *languages), found.language)

    @property
    def html(self) -> str | None:
        """The description as sanitized HTML, if it is Markdown."""
        return html_description(self.event, self.reader.tag, self.event.language)

    @property
    def cancelled(self) -> bool:
        return self.row.revision.cancelled

    @property
    def tentative(self) -> bool:
        return not self.cancelled and self.event.status is Status.TENTATIVE

    @property
    def deadline(self) -> bool:
        return self.event.kind is Kind.DEADLINE

    @property
    def moves_with_the_clock(self) -> bool:
        """Whether its local time depends on the zone.

        An all-day date is the same day everywhere, except for a deadline, which ends at an instant.
        """
        return not self.event.all_day or self.deadline

    @cached_property
    def next(self) -> Entry | None:
        """The occurrence that the page shows: the next one, or else the last."""
        for list_page in (list_upcoming, list_past):
            if found := list_page(self._timeline, self.now, self.reader, 1, fold=False).entries:
                return found[0]
        return None

    @cached_property
    def dates(self) -> Listing:
        """The next occurrences, or those on the requested page."""
        arguments = self._timeline, self.now, self.reader, _MAX_DATES
        if self.page_request is None:
            return list_upcoming(*arguments, fold=False)
        return list_requested(*arguments, self.page_request, fold=False)

    @property
    def tomorrow(self) -> Place:
        """The place before which all occurrences have begun."""
        return Place(self.reader.today(self.now) + timedelta(days=1))

    @property
    def start(self) -> Moment:
        """The start of the shown occurrence, in the event's zone."""
        return self._shown.start if self._shown else self.event.start

    @property
    def when(self) -> str:
        """The time of the shown occurrence, in the event's zone."""
        end = self._shown.end if self._shown else self.event.end
        return write_when(self.start, end, self.reader.language)

    @property
    def own_zone(self) -> str:
        return write_zone(self.event.time_zone, self._begins, self.reader.language)

    @property
    def elsewhere(self) -> str:
        """The same time in the zone that the reader chose; empty if that is the event's zone."""
        if self.reader.chosen_zone in ("", self.event.time_zone):
            return ""
        zone = self.reader.zone
        begins = self._begins.astimezone(zone)
        ends = self._ends.astimezone(zone)
        return write_when(begins, ends, self.reader.language)

    @property
    def elsewhere_zone(self) -> str:
        return write_zone(self.reader.time_zone, self._begins, self.reader.language)

    @property
    def begins(self) -> str:
        """The start (ISO 8601, UTC), which page.js converts to the browser's zone."""
        return self._begins.isoformat()

    @property
    def ends(self) -> str:
        return self._ends.isoformat()

    @property
    def zones(self) -> list[tuple[str, str]]:
        """The zones to choose from: ids and display names."""
        return list_zones(self.reader, self.event.time_zone, moment=self._begins)

    @property
    def timelines(self) -> list[list[Step]]:
        """The announced dates of the event, newest first, then those of single occurrences.

        Empty if nothing ever moved.
        """
        announced = self.row.announced
        if announced is None:
            return []
        event = announced.event
        timelines = []
        for name in dict.fromkeys([None, *(move.occurrence for move in announced.history)]):
            moves = [move for move in announced.history if move.occurrence == name]
            times = (event.start, event.end) if name is None else find_times(event, name)
            if moves and times is not None:
                timelines.append(self._make_timeline(moves, *times))
        return timelines

    @property
    def moved(self) -> bool:
        """Whether the shown occurrence has moved."""
        return self.next.moved if self.next else bool(self.timelines)

    def _make_timeline(
        self, moves: Sequence[Move], start: Moment, end: Moment | None
    ) -> list[Step]:
        language = self.reader.language
        own = self.event.language
        steps = []
        times = [(move.start, move.end) for move in moves] + [(start, end)]
        for number, (begin, finish) in enumerate(times):
            # The note of a move belongs to the date that it led to.
            move = moves[number - 1] if number else None
            steps.append(
                Step(
                    when=write_when(begin, finish, language),
                    start=begin.isoformat(),
                    on=write_short_day(move.on, language) if move else "",
                    note=self.reader.localize(move.note, own) if move and move.note else None,
                    current=number == len(moves),
                )
            )
        return steps[::-1]

    @property
    def cancel_note(self) -> LocalizedText | None:
        note = self.revision.cancel_note
        return self.reader.localize(note, self.event.language) if note and self.cancelled else None

    @property
    def upcoming_reminders(self) -> list[UpcomingReminder]:
        """The next reminders, soonest first, in the event's zone.

        Those of the shown occurrence are included, however far ahead it is.
        """
        if self.cancelled:
            return []
        until = max(self.now + _REMINDER_WINDOW, self._begins + timedelta(days=2))
        planned = plan_reminders(self.event, self.now, until)
        found = []
        for reminder in islice((each for each in planned if not each.asks), _MAX_REMINDERS):
            due = reminder.due.astimezone(self.event.zone)
            when = write_when(due, None, self.reader.language)
            found.append(
                UpcomingReminder(describe_rule(reminder.rule, self.reader.language), when, due)
            )
        return found

    @property
    def rules(self) -> list[str]:
        return [describe_rule(rule, self.reader.language) for rule in self.event.reminders]

    @property
    def source_days(self) -> Sequence[str]:
        """The dates of its sources, in order; empty if a source has none."""
        language = self.reader.language
        return [
            write_short_day(source.date, language) if source.date else ""
            for source in self.event.sources
        ]

    @property
    def _shown(self) -> Occurrence | None:
        return self.next.occurrence if self.next else None

    @property
    def _begins(self) -> datetime:
        return self._shown.begins if self._shown else self.event.instant(self.event.start)

    @property
    def _ends(self) -> datetime:
        if self._shown:
            return self._shown.ends
        return start_of(self.event.end or self.event.start, self.event.zone).astimezone(UTC)

    @cached_property
    def _timeline(self) -> Timeline:
        return Timeline([make_span(self.row)])
