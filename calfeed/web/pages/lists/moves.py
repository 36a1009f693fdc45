"""What moved lately, and the date that an event had before, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.comparison.reasons import CauseChange, find_reason
from calfeed.reminders.mail.announcing import explain_reason
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.rows import EventRow
from calfeed.web.catalogs import CatalogWording
from calfeed.web.pages.event_counting import FindPage
from calfeed.web.pages.lists.marks import find_lasting_marks
from calfeed.web.pages.reader.dates import write_date, write_number, write_short_day
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.former_dates import find_former_date
from calfeed.web.published.moves import (
    News,
    RecentMove,
    Times,
    find_announcement,
    list_recent_moves,
)

Wanted: TypeAlias = Callable[[EventRow], bool]
"""Whether a page is about an event."""

_STILL_TRUE = (News.FIRMED, News.LOOSENED)
"""The changes after which the old date is not wrong, but more or less exact."""

_MAX_MOVES = 5
"""The maximum number of moves at the top of a page; the list below shows the others by marks."""


@dataclass(frozen=True)
class MoveLine:
    """A recent move in the reader's language and time zone; `find_page` returns a cause's page."""

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
        """Whether the old date is no longer valid: the new one is not only more or less exact."""
        return self.found.news not in _STILL_TRUE

    @property
    def between_struck(self) -> bool:
        """Whether the date in between is no longer valid."""
        return self.found.last_news not in _STILL_TRUE

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
        """Why a counted date moved; empty if the reason is no longer public."""
        return _explain(self.found.change, self.found.row, self.reader, self.find_page)

    def _write(self, times: Times | None) -> str:
        return write_date(*times, self.reader.language, self.reader.zone) if times else ""


def _explain(change: EventChange, row: EventRow, reader: Reader, find_page: FindPage) -> str:
    """Explain why a counted date changed; "" if the reason is no longer public."""
    reason = find_reason(change)
    if reason is None or (isinstance(reason, CauseChange) and not find_page(reason.after)):
        return ""
    language = reader.language
    wording = CatalogWording(language.tag, language.catalog)
    return write_number(explain_reason(reason, row.revision.event, wording), language)


def list_moves(
    calendars: Iterable[PublishedCalendar],
    wanted: Wanted,
    now: datetime,
    reader: Reader,
    find_page: FindPage,
) -> list[MoveLine]:
    """Return what moved lately in calendars among the wanted events, newest first."""
    changes = [
        (change, row)
        for calendar in calendars
        for change in calendar.changes
        if (row := calendar.by_uid.get(change.position.uid)) is not None and wanted(row)
    ]
    return [
        MoveLine(move, reader, find_page) for move in list_recent_moves(changes, now, _MAX_MOVES)
    ]


@dataclass(frozen=True)
class FormerDate:
    """The date that an event had before its current one.

    `moved` says that it was another date, `wrong` that it was never right; otherwise the current
    one is only more or less exact. `announced` is the day in the reader's zone. `because` says why
    a counted date moved.
    """

    when: str
    moved: bool
    wrong: bool
    announced: str
    note: LocalizedText | None
    because: str = ""


def make_former_date(
    row: EventRow,
    occurrence: str,
    changes: Sequence[AnnouncedChange],
    reader: Reader,
    find_page: FindPage,
) -> FormerDate | None:
    """Return the former date of an event, or of its `occurrence` (an id); None if it has none.

    The date is in the zone that the event has now, which its page names.
    """
    past = find_former_date(row, occurrence)
    if past is None:
        return None
    move, language, zone = past.move, reader.language, row.revision.event.zone
    announced = find_announcement(changes, row.uid, move)
    day = reader.today(announced.at) if announced else move.on
    return FormerDate(
        when=write_date(past.start, past.end, past.precision, language, zone),
        moved=past.really_moved,
        wrong=move.corrected,
        announced=write_short_day(day, language),
        note=reader.localize(move.note, row.revision.event.language) if move.note else None,
        because=_explain(announced.change, row, reader, find_page) if announced else "",
    )
