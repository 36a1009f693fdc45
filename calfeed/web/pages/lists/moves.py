"""What moved lately, and the date that an event had before, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from calfeed.ical.comparison.reasons import CauseChange, find_reason
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.values import Moment
from calfeed.reminders.mail.announcing import explain_reason
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.rows import EventRow
from calfeed.web.catalogs import wording_in
from calfeed.web.pages.event_counting import FindPage
from calfeed.web.pages.lists.marks import find_lasting_marks
from calfeed.web.pages.reader.dates import write_date, write_number, write_short_day
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.published.dating import find_former_date
from calfeed.web.published.moves import (
    News,
    RecentMove,
    Times,
    find_announcement,
    list_recent_moves,
)
from calfeed.web.published.snapshot import PublishedCalendar

_MAX_MOVES = 5
"""The most that a page begins with; the list below has the others, with their marks."""


@dataclass(frozen=True)
class MoveLine:
    """A recent move in the reader's language and time zone; `find_page` is that of causes."""

    found: RecentMove
    reader: Reader
    find_page: FindPage

    @property
    def address(self) -> str:
        event = self.found.row.revision.event
        return f"/calendars/{event.calendar}/{event.slug}/"

    @property
    def calendar(self) -> str:
        return self.found.row.revision.event.calendar

    @property
    def summary(self) -> LocalizedText:
        event = self.found.row.revision.event
        return self.reader.localize(event.summary, event.language)

    @property
    def news(self) -> News:
        return self.found.news

    @property
    def marks(self) -> frozenset[str]:
        return find_lasting_marks(self.found.row) | {self.found.news.value}

    @property
    def others(self) -> bool:
        return self.found.others

    @property
    def wrong(self) -> bool:
        """Whether the old date was never right."""
        return self.found.news is News.CORRECTED

    @property
    def struck(self) -> bool:
        """Whether the old date does not stand any more; one that became more exact still does."""
        return self.found.news not in (News.FIRMED, News.LOOSENED)

    @property
    def old(self) -> str:
        return self._write(self.found.old)

    @property
    def between(self) -> str:
        return self._write(self.found.between)

    @property
    def new(self) -> str:
        return self._write(self.found.new)

    @property
    def at(self) -> datetime:
        return self.found.at

    @property
    def announced(self) -> str:
        """The day on which it was announced, in the reader's zone."""
        return write_short_day(self.reader.today(self.found.at), self.reader.language)

    @property
    def note(self) -> LocalizedText | None:
        """The reason in the words of whoever changed it."""
        note, revision = self.found.change.reason, self.found.row.revision
        if self.found.news is News.CANCELLED:
            note = revision.cancel_note or note
        return self.reader.localize(note, revision.event.language) if note else None

    @property
    def because(self) -> str:
        """What the move of a counted date follows from; empty if that is not public any more."""
        reason = find_reason(self.found.change)
        if reason is None:
            return ""
        if isinstance(reason, CauseChange) and not self.find_page(reason.after):
            return ""
        language = self.reader.language
        event = self.found.row.revision.event
        return write_number(explain_reason(reason, event, wording_in(language.tag)), language)

    def _write(self, times: Times | None) -> str:
        return write_past(*times, self.reader) if times else ""


def list_moves(
    calendars: Iterable[PublishedCalendar],
    categories: tuple[str, ...],
    now: datetime,
    reader: Reader,
    find_page: FindPage,
) -> list[MoveLine]:
    """Return what moved lately in calendars, or in some of their categories, newest first."""
    changes = [
        (change, row)
        for calendar in calendars
        for change in calendar.changes
        if (row := calendar.by_uid.get(change.position.uid)) is not None
        and (not categories or not set(categories).isdisjoint(row.revision.event.categories))
    ]
    return [
        MoveLine(move, reader, find_page) for move in list_recent_moves(changes, now, _MAX_MOVES)
    ]


@dataclass(frozen=True)
class FormerDate:
    """The date that an event had before its current one.

    `moved` says that it was another date, `wrong` that it was never right; otherwise the current
    one is only more or less exact. `announced` is the day in the reader's zone.
    """

    when: str
    moved: bool
    wrong: bool
    announced: str
    note: LocalizedText | None


def make_former_date(
    row: EventRow, occurrence: str, changes: Sequence[AnnouncedChange], reader: Reader
) -> FormerDate | None:
    """Return the former date of an event or of an occurrence by its id, None if it has none.

    It is in the event's zone at that time.
    """
    past = find_former_date(row, occurrence)
    if past is None:
        return None
    move, language = past.move, reader.language
    at = find_announcement(changes, row.uid, move)
    return FormerDate(
        when=write_date(past.start, past.end, past.precision, language),
        moved=past.really_moved,
        wrong=move.corrected,
        announced=write_short_day(reader.today(at) if at else move.on, language),
        note=reader.localize(move.note, row.revision.event.language) if move.note else None,
    )


def write_past(
    start: Moment, end: Moment | None, precision: Precision | None, reader: Reader
) -> str:
    """Format a date in the reader's zone."""
    if isinstance(start, datetime):
        start = start.astimezone(reader.zone)
        end = end.astimezone(reader.zone) if isinstance(end, datetime) else end
    return write_date(start, end, precision, reader.language)
