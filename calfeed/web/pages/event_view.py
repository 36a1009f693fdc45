"""All there is to know of one event, as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

from calfeed.ical.occurrences import Moment, Occurrence, find_times
from calfeed.ical.text import html_description, plain_description
from calfeed.model.events import Event, Kind, Status, start_of
from calfeed.model.revision import Move, Revision
from calfeed.reminders.plan import plan_reminders
from calfeed.store.rows import EventRow
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.listing import Listing, Place, Turn, list_ahead, list_back, list_turned
from calfeed.web.pages.reader.dates import tell_rule, write_short_day, write_when, write_zone
from calfeed.web.pages.reader.languages import Reader, Said
from calfeed.web.pages.reader.time_zones import list_zones
from calfeed.web.published.timeline import Timeline, span_of

_REMINDERS = 12
_DATES = 12
_AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Step:
    """A date that an event has or had: when it was set (empty: not known), and why, if told."""

    when: str
    start: str
    on: str
    note: Said | None
    current: bool


@dataclass(frozen=True)
class Sending:
    """A reminder that will go out: its rule in words, and when."""

    rule: str
    when: str
    due: datetime


@dataclass(frozen=True)
class EventView:
    """An event in a reader's language, as it is at a moment, with a page of its dates."""

    row: EventRow
    reader: Reader
    now: datetime
    turn: Turn | None = None

    @property
    def event(self) -> Event:
        return self.row.revision.event

    @property
    def revision(self) -> Revision:
        return self.row.revision

    @property
    def summary(self) -> Said:
        return self.reader.say(self.event.summary, self.event.language)

    @property
    def others(self) -> list[Said]:
        """The title in the other languages that it is written in."""
        shown = self.summary.language
        return [Said(text, tag) for tag, text in self.event.summary.items() if tag != shown]

    @property
    def location(self) -> Said | None:
        text = self.event.location
        return self.reader.say(text, self.event.language) if text else None

    @property
    def description(self) -> Said | None:
        """The description without markup."""
        if not self.event.description:
            return None
        languages = (self.reader.tag, self.event.language)
        found = self.reader.say(self.event.description, self.event.language)
        return Said(plain_description(self.event, *languages), found.language)

    @property
    def html(self) -> str | None:
        """The description as harmless HTML, where it is Markdown."""
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
        """Whether it is at another hour elsewhere: a whole day is the same day everywhere, save
        for a deadline, which ends at one moment."""
        return not self.event.all_day or self.deadline

    @cached_property
    def next(self) -> Entry | None:
        """The occurrence that the page is about: the next one, else the last there was."""
        for list_page in (list_ahead, list_back):
            if found := list_page(self._timeline, self.now, self.reader, 1, fold=False).entries:
                return found[0]
        return None

    @cached_property
    def dates(self) -> Listing:
        """The next dates of what recurs, or those that were asked for."""
        given = self._timeline, self.now, self.reader, _DATES
        if self.turn is None:
            return list_ahead(*given, fold=False)
        return list_turned(*given, self.turn, fold=False)

    @property
    def tomorrow(self) -> Place:
        """Before this are all dates that have begun."""
        return Place(self.reader.today(self.now) + timedelta(days=1))

    @property
    def start(self) -> Moment:
        """When that begins, in the event's own zone."""
        return self._shown.start if self._shown else self.event.start

    @property
    def when(self) -> str:
        """When that is, in the event's own zone."""
        end = self._shown.end if self._shown else self.event.end
        return write_when(self.start, end, self.reader.language)

    @property
    def own_zone(self) -> str:
        """The event's zone as people call it."""
        return write_zone(self.event.time_zone, self._begins, self.reader.language)

    @property
    def elsewhere(self) -> str:
        """The same time on the clock of the zone that the reader has chosen; empty where that is
        none, or the event's own."""
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
        """The instants it lasts from and to (ISO 8601, UTC), for the browser's own clock."""
        return self._begins.isoformat()

    @property
    def ends(self) -> str:
        return self._ends.isoformat()

    @property
    def zones(self) -> list[tuple[str, str]]:
        """The zones to choose from: names, and what people call them."""
        return list_zones(self.reader, self.event.time_zone, moment=self._begins)

    @property
    def timelines(self) -> list[list[Step]]:
        """The dates it has had, newest first, then those of its occurrences that moved alone.

        As they were announced; empty where it never moved.
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
        """Whether the date that the page is about was another once."""
        return self.next.moved if self.next else bool(self.timelines)

    def _make_timeline(
        self, moves: Sequence[Move], start: Moment, end: Moment | None
    ) -> list[Step]:
        language = self.reader.language
        own = self.event.language
        steps = []
        times = [(move.start, move.end) for move in moves] + [(start, end)]
        for number, (begin, finish) in enumerate(times):
            # What a move says of itself belongs to the date it led to.
            move = moves[number - 1] if number else None
            steps.append(
                Step(
                    when=write_when(begin, finish, language),
                    start=begin.isoformat(),
                    on=write_short_day(move.on, language) if move else "",
                    note=self.reader.say(move.note, own) if move and move.note else None,
                    current=number == len(moves),
                )
            )
        return steps[::-1]

    @property
    def cancel_note(self) -> Said | None:
        """Why it was cancelled, if that was said."""
        note = self.revision.cancel_note
        return self.reader.say(note, self.event.language) if note and self.cancelled else None

    @property
    def sendings(self) -> list[Sending]:
        """The reminders that are still to go out, soonest first, in the event's zone.

        Those of the date that the page is about are among them, however far off it is.
        """
        if self.cancelled:
            return []
        until = max(self.now + _AHEAD, self._begins + timedelta(days=2))
        planned = plan_reminders(self.event, self.now, until)
        found = []
        for reminder in islice(planned, _REMINDERS):
            due = reminder.due.astimezone(self.event.zone)
            when = write_when(due, None, self.reader.language)
            found.append(Sending(tell_rule(reminder.rule, self.reader.language), when, due))
        return found

    @property
    def rules(self) -> list[str]:
        """Its reminders in words."""
        return [tell_rule(rule, self.reader.language) for rule in self.event.reminders]

    @property
    def source_days(self) -> Sequence[str]:
        """The days of its sources, in their order; empty where one has none."""
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
        return Timeline([span_of(self.row)])
