"""The agenda: what is coming and what is over, as lines a template shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from calfeed.definitions.values import Kind, Status, length_of
from calfeed.ical.occurrences import Occurrence, expand
from calfeed.store.catalog import EventRow
from calfeed.web.dates import last_day, tell_days, write_clock, write_part, write_short_day
from calfeed.web.languages import Reader, Said
from calfeed.web.wording import gettext

_AHEAD = timedelta(days=400)
_BEHIND = timedelta(days=400)


@dataclass(frozen=True)
class Entry:
    """One line of an agenda in a reader's language; `day` is in the event's own zone.

    `distance` is how far off it is, empty for what is over; `time` what the day does not tell.
    """

    row: EventRow
    occurrence: Occurrence
    reader: Reader
    distance: str

    @property
    def address(self) -> str:
        """The path of the event's page."""
        event = self.row.revision.event
        return f"/calendars/{event.calendar}/{event.slug}/"

    @property
    def calendar(self) -> str:
        """The slug of its calendar."""
        return self.row.revision.event.calendar

    @property
    def day(self) -> date:
        start = self.occurrence.start
        return start.date() if isinstance(start, datetime) else start

    @property
    def until(self) -> date:
        """The last of its days."""
        start, end = self.occurrence.start, self.occurrence.end
        if not isinstance(start, datetime):
            return last_day(start, end)
        # What ends at midnight does not touch the day that begins then.
        ends = end - timedelta(microseconds=1) if isinstance(end, datetime) else start
        return max(start, ends).date()

    @property
    def summary(self) -> Said:
        return self.reader.say(self.occurrence.summary, self.row.revision.event.language)

    @property
    def location(self) -> Said | None:
        text = self.occurrence.location
        return self.reader.say(text, self.row.revision.event.language) if text else None

    @property
    def time(self) -> str:
        language = self.reader.language
        start, end = self.occurrence.start, self.occurrence.end
        if self.until > self.day:
            return gettext("until %(day)s", day=write_short_day(self.until, language))
        if not isinstance(start, datetime):
            return ""
        if not isinstance(end, datetime) or end == start:
            return write_clock(start, language)
        return f"{write_clock(start, language)} – {write_clock(end, language)}"

    @property
    def month(self) -> str:
        """Its month as a heading: "June 2027"."""
        return write_part(self.day, "LLLL y", self.reader.language)

    @property
    def cancelled(self) -> bool:
        return is_cancelled(self.row, self.occurrence)

    @property
    def tentative(self) -> bool:
        return not self.cancelled and self.occurrence.status is Status.TENTATIVE

    @property
    def deadline(self) -> bool:
        return self.row.revision.event.kind is Kind.DEADLINE

    @property
    def moved(self) -> bool:
        """Whether it once had another date, by itself or with its event."""
        return any(move.occurrence in (None, self.occurrence.id) for move in self.row.moves)


def make_agenda(
    rows: Iterable[EventRow], now: datetime, reader: Reader
) -> tuple[list[Entry], list[Entry]]:
    """What is coming, soonest first, and what is over, latest first."""
    entries = []
    for row in rows:
        event = row.revision.event
        after = event.instant(event.start) if event.repeat is None else now - _BEHIND
        first = min(after, now) - length_of(event)
        for occurrence in expand(event, first, max(now + _AHEAD, after + timedelta(days=1))):
            entries.append(make_entry(row, occurrence, now, reader))
    entries.sort(key=lambda entry: (entry.occurrence.begins, entry.row.uid))
    coming = [entry for entry in entries if not is_over(entry.occurrence, now)]
    past = [entry for entry in reversed(entries) if is_over(entry.occurrence, now)]
    return coming, past


def make_entry(row: EventRow, occurrence: Occurrence, now: datetime, reader: Reader) -> Entry:
    """One line of an agenda."""
    return Entry(row, occurrence, reader, tell_distance(row, occurrence, now, reader))


def entries_between(
    rows: Iterable[EventRow], first: date, last: date, now: datetime, reader: Reader
) -> list[Entry]:
    """What touches the days from `first` to `last`, each event in its own zone, by start."""
    found = []
    for row in rows:
        event = row.revision.event
        after = event.instant(first) - length_of(event)
        for occurrence in expand(event, after, event.instant(last + timedelta(days=1))):
            entry = make_entry(row, occurrence, now, reader)
            if entry.until >= first:
                found.append(entry)
    return sorted(found, key=lambda entry: (entry.day, entry.occurrence.begins, entry.row.uid))


def by_month(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """The entries in groups under the names of their months."""
    return [(month, list(group)) for month, group in groupby(entries, lambda entry: entry.month)]


def tell_distance(row: EventRow, occurrence: Occurrence, now: datetime, reader: Reader) -> str:
    """How far off an occurrence is, in days of its own zone; empty for one that is over."""
    if is_over(occurrence, now):
        return ""
    zone = row.revision.event.zone
    days = (occurrence.begins.astimezone(zone).date() - now.astimezone(zone).date()).days
    return gettext("now") if days < 0 else tell_days(days, reader.language)


def is_over(occurrence: Occurrence, now: datetime) -> bool:
    """Whether an occurrence has ended."""
    return occurrence.ends < now


def is_cancelled(row: EventRow, occurrence: Occurrence | None = None) -> bool:
    """Whether an event, or one occurrence of it, does not take place."""
    status = occurrence.status if occurrence else row.revision.event.status
    return row.revision.withdrawn or status is Status.CANCELLED
