"""The view model of an event page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

from markupsafe import Markup

from calfeed.ical.occurrences import Moment, Occurrence
from calfeed.ical.wording.descriptions import html_description, plain_description
from calfeed.model.dates.dating import Outcome
from calfeed.model.events import Event, Kind
from calfeed.model.revision import Revision
from calfeed.model.values import start_of
from calfeed.reminders.plan import plan_reminders
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.rows import EventRow
from calfeed.web.pages.event_counting import (
    Counting,
    FindPage,
    describe_held_rule,
    describe_hold,
    make_counting,
)
from calfeed.web.pages.event_history import History, make_history
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.listing import (
    Listing,
    PageRequest,
    Place,
    list_past,
    list_requested,
    list_upcoming,
)
from calfeed.web.pages.lists.moves import FormerDate, make_former_date
from calfeed.web.pages.reader.dates import (
    describe_rule,
    last_day,
    write_date,
    write_due_day,
    write_short_day,
    write_uncertain,
    write_when,
    write_zone,
)
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.time_zones import list_zones
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.former_dates import knows_day
from calfeed.web.published.timeline import Timeline, make_span

_MAX_REMINDERS = 12
_MAX_DATES = 12
_REMINDER_WINDOW = timedelta(days=400)


@dataclass(frozen=True)
class UpcomingReminder:
    """A future reminder: its rule in words, and its time."""

    rule: str
    when: str
    due: datetime


@dataclass(frozen=True)
class EventView:
    """An event in a reader's language at a time, with a page of its occurrences.

    `find_page` returns the address of the page of a cause. `changes` are the announced changes of
    its calendar.
    """

    row: EventRow
    reader: Reader
    now: datetime
    find_page: FindPage
    page_request: PageRequest | None = None
    changes: Sequence[AnnouncedChange] = ()

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
    def deadline(self) -> bool:
        return self.event.kind is Kind.DEADLINE

    @property
    def moves_with_the_clock(self) -> bool:
        """Whether the shown time depends on the time zone.

        An all-day date is the same day everywhere, except for a deadline, which ends at an instant.
        """
        if self.event.precision is not None or self.event.on_hold is not None:
            return False
        return not self.event.all_day or self.deadline

    @cached_property
    def next(self) -> Entry | None:
        """The occurrence that the page shows: the next one, or else the last."""
        for list_page in (list_upcoming, list_past):
            if found := list_page(self._timeline, self.now, self.reader, 1, fold=False).entries:
                return found[0]
        return None

    @property
    def marks(self) -> frozenset[str]:
        """The marks of the shown occurrence."""
        if self.next is not None:
            return self.next.marks
        return frozenset({"cancelled"} if self.cancelled else ())

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
        """The time of the shown occurrence, in the event's zone, or what is known of it."""
        event, language = self.event, self.reader.language
        end = self._shown.end if self._shown else event.end
        if event.precision is not None:
            return write_uncertain(self.start, end, event.precision, language)
        if self.due_by_day and not isinstance(self.start, datetime):
            return write_due_day(last_day(self.start, end), event.time_zone, language)
        return write_when(self.start, end, language)

    @property
    def former(self) -> str:
        """The date that an event on hold had."""
        event = self.event
        return write_date(event.start, event.end, event.precision, self.reader.language)

    @cached_property
    def former_date(self) -> FormerDate | None:
        """The date that the shown occurrence had before the current one."""
        if self.cancelled:
            return None
        shown = self._shown.id if self._shown else ""
        return make_former_date(self.row, shown, self.changes, self.reader, self.find_page)

    @property
    def day_known(self) -> bool:
        return knows_day(self.event)

    @property
    def due_by_day(self) -> bool:
        """Whether it is a deadline by the end of a day in its own zone."""
        return self.deadline and self.event.all_day and self.event.precision is None

    @property
    def own_zone(self) -> str:
        return write_zone(self.event.time_zone, self._begins, self.reader.language)

    @property
    def elsewhere(self) -> str:
        """The same time in the zone that the reader chose; empty if that is the event's zone."""
        if self.reader.chosen_zone in ("", self.event.time_zone):
            return ""
        zone = self.reader.zone
        if self.due_by_day:
            return write_when(self._ends.astimezone(zone), None, self.reader.language)
        begins = self._begins.astimezone(zone)
        ends = self._ends.astimezone(zone)
        return write_when(begins, ends, self.reader.language)

    @property
    def elsewhere_zone(self) -> str:
        return write_zone(self.reader.time_zone, self._begins, self.reader.language)

    @property
    def begins(self) -> str:
        """The start (ISO 8601, UTC), which page.js converts to the browser's zone."""
        return (self._ends if self.due_by_day else self._begins).isoformat()

    @property
    def ends(self) -> str:
        return self._ends.isoformat()

    @property
    def zones(self) -> list[tuple[str, str]]:
        """The zones to choose from: ids and display names."""
        return list_zones(self.reader, self.event.time_zone, moment=self._begins)

    @cached_property
    def history(self) -> History:
        return make_history(self.row.announced, self.reader, self.event.zone)

    @property
    def done(self) -> bool:
        return self.event.done is not None

    @property
    def hold(self) -> Markup:
        """Why it has no date for now; empty if it has one."""
        return (
            Markup() if self.cancelled else describe_hold(self.event, self.reader, self.find_page)
        )

    @property
    def held_rule(self) -> Markup:
        """How the new date of an event on hold will be counted; empty if it will not be counted."""
        return describe_held_rule(self.event, self.reader, self.find_page)

    @property
    def outcome(self) -> str:
        """Whether it was met or waived, and when: "met on 12 June 2030"; empty if neither."""
        done, language = self.event.done, self.reader.language
        if done is None:
            return ""
        if done.date is None:
            return gettext("met") if done.as_ is Outcome.MET else gettext("waived")
        day = write_short_day(done.date, language)
        if done.as_ is Outcome.MET:
            return gettext("met on %(day)s", day=day)
        return gettext("waived on %(day)s", day=day)

    @cached_property
    def counting(self) -> Counting | None:
        """How its date was counted, None if it was not, or if it has no date for now."""
        derivation = self.event.derivation
        if derivation is None or self.event.on_hold is not None:
            return None
        release = self.revision.holidays
        own = self.event.language
        return make_counting(derivation, own, release, self.reader, self.find_page)

    @property
    def cancel_note(self) -> LocalizedText | None:
        note = self.revision.cancel_note
        return self.reader.localize(note, self.event.language) if note and self.cancelled else None

    @property
    def upcoming_reminders(self) -> list[UpcomingReminder]:
        """The next reminders, soonest first, in the event's zone.

        Those of the shown occurrence are included, however far ahead it is.
        """
        if self.cancelled or self.event.silent:
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
