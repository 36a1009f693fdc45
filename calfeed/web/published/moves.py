"""Recent moves: for each event, the net announced change of its date.

Two moves of an event are combined into one, from the date before the first to the current date. A
move to another date and back is no change. A correction is not a move: the date before it was never
right.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.comparison.occurrence_changes import OccurrenceChange
from calfeed.ical.comparison.shifts import Shift, find_shift
from calfeed.ical.occurrences import Occurrence, expand, last_end
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.events import Event, Status
from calfeed.model.revision import Move
from calfeed.model.values import Moment
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.rows import EventRow

RECENT = timedelta(days=60)
"""How long after its announcement a change counts as recent."""

_NEXT_OCCURRENCE = timedelta(days=400)
"""How far from a time an occurrence of a series is looked for."""

_DATE_KINDS = (Kind.MOVED, Kind.CORRECTED)


class News(StrEnum):
    """The kinds of changes of a date; most have a mark of the same name."""

    MOVED = "moved"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    WAITING = "waiting"
    FIRMED = "firmed"
    LOOSENED = "loosened"
    RESTORED = "restored"


class Times(NamedTuple):
    """A date as it was published; `end` is exclusive."""

    start: Moment
    end: Moment | None
    precision: Precision | None = None


@dataclass(frozen=True)
class RecentMove:
    """The net change of the date of an event or occurrence; `at` is its last announcement (UTC).

    `new` is None if there is no date now, `old` is None if the event was cancelled before. `change`
    is the last change, which has the reason. `others` says that other occurrences changed too.
    `between` is the date before the current one, if the event moved more than once; the event's
    page shows that date. `last_news` is the kind of the last change.
    """

    row: EventRow
    news: News
    old: Times | None
    new: Times | None
    at: datetime
    change: EventChange
    others: bool = False
    between: Times | None = None
    last_news: News | None = None

    @property
    def stands_at(self) -> datetime:
        """The sort key: the start of the new date (UTC), or of the old one if there is none."""
        times = self.new or self.old
        return self.row.revision.event.instant(times.start) if times else self.at


def list_recent_moves(
    changes: Iterable[tuple[AnnouncedChange, EventRow]], now: datetime, limit: int
) -> list[RecentMove]:
    """Return at most `limit` moves of the last 60 days, the newest announcement first.

    Moves whose old and new dates are both over are left out. `changes` are the changes of all
    events, each with the present revision of its event. Moves that were announced at the same time
    are sorted by date. An event with a change that is not announced yet is left out: its announced
    date is outdated, and its new one is not announced.
    """
    chains: dict[str, tuple[EventRow, list[AnnouncedChange]]] = {}
    for change, row in sorted(changes, key=lambda pair: pair[0].at, reverse=True):
        if now - RECENT < change.at <= now and not row.waiting:
            chains.setdefault(row.uid, (row, []))[1].append(change)
    found: list[RecentMove] = []
    for row, chain in chains.values():
        # No move is newer than the newest change of its event.
        if len(found) == limit and chain[0].at < found[-1].at:
            break
        if (move := _sum_up(row, chain[::-1], now)) is not None:
            insort(found, move, key=_position)
            del found[limit:]
    return found


def _position(move: RecentMove) -> tuple[float, datetime, str]:
    return -move.at.timestamp(), move.stands_at, move.row.uid


def find_announcement(
    changes: Iterable[AnnouncedChange], uid: str, move: Move
) -> AnnouncedChange | None:
    """Return the change that announced the last move of an event or occurrence, None if unknown.

    If the same move was made several times on a day, that is the newest of these changes.
    """
    found = [
        each
        for each in changes
        if each.position.uid == uid
        and each.kind in _DATE_KINDS
        and each.at.date() >= move.on
        and _adds_to_history(each.change, move)
    ]
    return max(found, key=lambda change: change.at, default=None)


def _adds_to_history(change: EventChange, move: Move) -> bool:
    before = change.before.history if change.before else ()
    return change.after.history.count(move) > before.count(move)


def _sum_up(row: EventRow, chain: Sequence[AnnouncedChange], now: datetime) -> RecentMove | None:
    """Return the net change of a date from an event's changes, oldest first; None if there is
    none."""
    begun = max((n for n, each in enumerate(chain) if each.base_text is None), default=-1)
    since = chain[begun + 1 :]
    if not since or row.revision.event.done is not None:
        return None
    was_cancelled = (before := since[0].change.before) is not None and before.cancelled
    if row.revision.cancelled:
        return None if was_cancelled else _find_cancellation(row, since, now)
    if was_cancelled:
        return _find_restoration(row, since, now)
    # A withdrawn event that is restored, perhaps at another date, counts as added.
    kinds = (*_DATE_KINDS, Kind.ADDED)
    whole = [each for each in since if each.kind in kinds and not each.change.occurrences]
    return _compare_dates(row, whole, now) if whole else _compare_occurrences(row, since, now)


def _find_cancellation(
    row: EventRow, since: Sequence[AnnouncedChange], now: datetime
) -> RecentMove | None:
    event = row.revision.event
    ended = [each for each in since if each.kind in (Kind.CANCELLED, Kind.WITHDRAWN)]
    if not ended or not _coming(event, now):
        return None
    last = ended[-1]
    return RecentMove(row, News.CANCELLED, _times(event, last.at), None, last.at, last.change)


def _find_restoration(
    row: EventRow, since: Sequence[AnnouncedChange], now: datetime
) -> RecentMove | None:
    event = row.revision.event
    if event.on_hold is not None or not _coming(event, now):
        return None
    back = [each for each in since if not each.change.after.cancelled]
    if not back:
        return None
    first = back[0]
    return RecentMove(row, News.RESTORED, None, _times(event, first.at), first.at, first.change)


def _compare_dates(
    row: EventRow, whole: Sequence[AnnouncedChange], now: datetime
) -> RecentMove | None:
    """Return the net move from the date before these changes to the current date, or None."""
    last, new = whole[-1], row.revision.event
    corrections = [n for n, each in enumerate(whole) if each.kind == Kind.CORRECTED]
    corrected = last.kind == Kind.CORRECTED
    # The date before a correction was wrong, so a later move does not begin there.
    first = last if corrected else whole[max(corrections, default=-1) + 1]
    before = first.change.before
    if before is None or _state(before.event) == _state(new):
        return None
    old = before.event
    if not (_coming(old, now) or _coming(new, now)):
        return None
    if new.on_hold is not None:
        # The times of an event on hold are those of its former date.
        news = News(new.on_hold.why.value)
        return RecentMove(row, news, _times(new, last.at), None, last.at, last.change)
    news = News.CORRECTED if corrected else _NEWS_OF_SHIFT[find_shift(old, new)]
    new_times = _times(new, last.at)
    old_times = _find_counterpart(old, new, new_times, last.at)
    if old.on_hold is None and old_times == new_times:
        return None  # of a series, only other occurrences moved
    between, last_news = None, news
    if last is not first and (previous := last.change.before) is not None:
        held = previous.event.on_hold is not None
        if not held and _state(previous.event) not in (_state(old), _state(new)):
            between = _find_counterpart(previous.event, new, new_times, last.at)
            if between in (old_times, new_times):
                between = None
            last_news = _NEWS_OF_SHIFT[find_shift(previous.event, new)]
    return RecentMove(
        row,
        news,
        old_times,
        new_times,
        last.at,
        last.change,
        between=between,
        last_news=last_news,
    )


_NEWS_OF_SHIFT = {
    Shift.MOVED: News.MOVED,
    Shift.FIRMED: News.FIRMED,
    Shift.LOOSENED: News.LOOSENED,
}


class _Changed(NamedTuple):
    """The net change of one occurrence."""

    before: Occurrence
    after: Occurrence
    announced: AnnouncedChange
    onwards: bool


def _compare_occurrences(
    row: EventRow, since: Sequence[AnnouncedChange], now: datetime
) -> RecentMove | None:
    """Return the newest announced change of an occurrence of a series, None if there is none.

    If several occurrences changed at that time, return the change of the earliest occurrence.
    """
    net: dict[str, _Changed] = {}
    for announced in since:
        for each in announced.change.occurrences:
            known = net.get(each.after.id)
            before = known.before if known else each.before
            if before is not None and before.status is not Status.CANCELLED:
                net[each.after.id] = _Changed(before, each.after, announced, each.onwards)
    news = [one for one in net.values() if _is_news(one) and _ends(one) > now]
    if not news:
        return None
    newest = max(one.announced.at for one in news)
    shown = min(
        (one for one in news if one.announced.at == newest), key=lambda one: one.before.begins
    )
    dropped = OccurrenceChange(shown.before, shown.after).dropped
    return RecentMove(
        row,
        News.CANCELLED if dropped else News.MOVED,
        Times(shown.before.start, shown.before.end),
        None if dropped else Times(shown.after.start, shown.after.end),
        newest,
        shown.announced.change,
        others=len(news) > 1 or shown.onwards,
    )


def _is_news(one: _Changed) -> bool:
    change = OccurrenceChange(one.before, one.after)
    return change.dropped or change.moved


def _ends(one: _Changed) -> datetime:
    return max(one.before.ends, one.after.ends)


def _coming(event: Event, now: datetime) -> bool:
    return (end := last_end(event)) is None or end > now


def _state(event: Event) -> tuple[object, ...]:
    """Return what is compared of a date: the times, the precision, and why there is no date."""
    return event.times, event.precision, event.on_hold and event.on_hold.why


def _times(event: Event, at: datetime) -> Times:
    """Return the date of an event; for a series, that of its next occurrence at that time."""
    if event.repeat is not None:
        for occurrence in expand(event, at, at + _NEXT_OCCURRENCE):
            if occurrence.status is not Status.CANCELLED or event.status is Status.CANCELLED:
                return Times(occurrence.start, occurrence.end)
    return Times(event.start, event.end, event.precision)


def _find_counterpart(old: Event, new: Event, times: Times, at: datetime) -> Times:
    """Return the date that an event had instead of `times`, its next date at the time `at`.

    If it was a series, that is the occurrence that became the next one: the nearest one in the
    direction from which the start of the series moved. The next occurrence of the old series may
    be another one: if weekly meetings move from Monday to Tuesday, it is six days later on Mondays.
    """
    coming = _times(old, at)
    if old.repeat is None or not _coming(new, at):
        return coming
    begins = new.instant(times.start)
    # Wall times, because an occurrence has the same one in summer and in winter.
    wall, old_start = wall_time(times.start), wall_time(old.start)
    later = wall_time(new.start) >= old_start
    if later and times.start == new.start and at <= old.instant(coming.start) <= begins:
        return coming  # the new series only begins then, so the old one's next date is gone
    around = [
        each
        for each in expand(old, begins - _NEXT_OCCURRENCE, begins + _NEXT_OCCURRENCE)
        if each.status is not Status.CANCELLED
    ]
    before = [each for each in around if wall_time(each.start) <= wall]
    after = [each for each in around if wall_time(each.start) >= wall]
    found = (before[-1:] or after[:1]) if later else (after[:1] or before[-1:])
    return Times(found[0].start, found[0].end) if found else Times(old.start, old.end)
