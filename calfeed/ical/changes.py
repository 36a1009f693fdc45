"""What is different between two revisions of an event, and which of its occurrences it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from calfeed.ical.occurrences import Moment, Occurrence, expand, format_moment, last_end
from calfeed.ical.zones.clocks import is_shifted
from calfeed.model.events import Change, Event, Repeat, Status, Text
from calfeed.model.revision import Move, Revision, Written

LONGEST_HISTORY = 50
"""How many moves an event is shown with."""

_AHEAD = timedelta(days=400)
_DAY = timedelta(days=1)


class Kind(StrEnum):
    """What happens to an event."""

    ADDED = "added"
    MOVED = "moved"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class OccurrenceChange:
    """One occurrence of a recurring event: `before` a change (None: there was none), and `after`.

    One that is no more is cancelled `after`. `onwards` says that the rule has changed, so that the
    occurrences after this one are others too.
    """

    before: Occurrence | None
    after: Occurrence
    onwards: bool = False

    @property
    def dropped(self) -> bool:
        """Whether it does not take place any more."""
        return not _takes_place(self.after)

    @property
    def added(self) -> bool:
        """Whether it takes place and did not before."""
        return not _takes_place(self.before)

    @property
    def moved(self) -> bool:
        """Whether it takes place at another time than before."""
        if self.before is None or self.dropped or self.added:
            return False
        times = (self.before.begins, self.before.ends)
        return times != (self.after.begins, self.after.ends)


@dataclass(frozen=True)
class EventChange:
    """From one revision of an event to another: `before` is None where there was none.

    `occurrences` are those that it concerns, by time; none where it concerns the event as a whole.
    `new_rules` says that the rules of its zone have put the same wall time at another instant.
    """

    kind: Kind
    before: Revision | None
    after: Revision
    occurrences: tuple[OccurrenceChange, ...] = ()
    new_rules: bool = False

    @property
    def coming(self) -> bool:
        """Whether the change is of use to anybody: something of it was not over when made."""
        now = self.after.modified
        events = [self.after.event] + ([self.before.event] if self.before else [])
        return any((end := last_end(event)) is None or end > now for event in events)

    @property
    def reason(self) -> Text | None:
        """The note that came with it: one that stood there before belongs to another change."""
        before, note = self.before, self.after.event.note
        if before is None or self.kind in (Kind.ADDED, Kind.WITHDRAWN):
            return None
        return note if note != before.event.note else None

    @property
    def telling(self) -> bool:
        """Whether people who know the one revision learn something by the other.

        That a note is taken away again is nothing to tell.
        """
        before, after = self.before, self.after
        if before is None or before.withdrawn:
            return not after.withdrawn
        if after.withdrawn or self.new_rules or self.reason is not None:
            return True
        return _without_note(before.event) != _without_note(after.event)

    @property
    def event_differs(self) -> bool:
        """Whether something of the event itself is different, beside its occurrences and note."""
        if self.before is None:
            return True
        return _without_repeat(self.before.event) != _without_repeat(self.after.event)


def compare_revisions(before: Written | None, after: Written) -> EventChange:
    """What has changed from one revision of an event to another."""
    new = after.revision
    if before is None:
        return EventChange(Kind.WITHDRAWN if new.withdrawn else Kind.ADDED, None, new)
    old = before.revision
    new_rules = (before.shifted and not after.shifted) or _is_shifted(old, new)
    if new.withdrawn:
        return EventChange(Kind.WITHDRAWN, old, new)
    if old.withdrawn:
        return EventChange(Kind.ADDED, old, new)
    if new.event.status is Status.CANCELLED and old.event.status is not Status.CANCELLED:
        return EventChange(Kind.CANCELLED, old, new, new_rules=new_rules)
    if _own_times(old.event) != _own_times(new.event):
        return EventChange(Kind.MOVED, old, new, new_rules=new_rules)
    occurrences = _compare_occurrences(old.event, new.event, new.modified)
    kind = Kind.MOVED if any(one.moved for one in occurrences) else Kind.CHANGED
    return EventChange(kind, old, new, occurrences, new_rules)


def drops_occurrences(change: EventChange) -> bool:
    """Whether a series that is neither withdrawn nor cancelled loses some coming occurrences.

    That is so too if the series also moved, or if its rule is gone and one event is left.
    """
    before, after = change.before, change.after
    if before is None or change.kind not in (Kind.MOVED, Kind.CHANGED):
        return False
    old, new = before.event, after.event
    if old.repeat is None or old.repeat == new.repeat:
        return False
    if any(one.dropped for one in change.occurrences):
        return True
    # Where the series itself moved, its occurrences are not compared one by one.
    begin, end = after.modified, after.modified + _AHEAD
    counts = [sum(map(_takes_place, expand(event, begin, end))) for event in (old, new)]
    return counts[1] < counts[0]


def _is_shifted(old: Revision, new: Revision) -> bool:
    """Whether coming occurrences of a series have another offset now than they had by `old`."""
    if old.event.time_zone != new.event.time_zone or old.clock == new.clock:
        return False
    begin = new.modified
    return any(
        is_shifted(one.begins, old.clock, new.clock)
        for one in expand(new.event, begin, begin + _AHEAD)
    )


def extend_history(change: EventChange, day: datetime) -> tuple[Move, ...]:
    """The moves of an event up to and with a change that is made on a day (UTC)."""
    before = change.before
    if before is None:
        return ()
    if change.kind is not Kind.MOVED:
        return before.history
    event = before.event
    times: list[tuple[Moment, Moment | None, str | None]] = [
        (one.before.start, one.before.end, one.after.id)
        for one in change.occurrences
        if one.before is not None and one.moved
    ] or [(event.start, event.end, None)]
    moves = [
        Move(
            start=start,
            end=end,
            time_zone=event.time_zone,
            on=day.date(),
            note=change.reason,
            occurrence=occurrence,
        )
        for start, end, occurrence in times
    ]
    return (*before.history, *moves)[-LONGEST_HISTORY:]


def find_cancel_note(change: EventChange) -> Text | None:
    """Why an event is cancelled after a change: said with it, or with an earlier one."""
    if change.after.event.status is not Status.CANCELLED:
        return None
    if change.before is None or change.kind is Kind.ADDED:
        return change.after.event.note
    return change.reason or (change.before.cancel_note if change.after.event.note else None)


def _takes_place(occurrence: Occurrence | None) -> bool:
    return occurrence is not None and occurrence.status is not Status.CANCELLED


def _own_times(event: Event) -> tuple[object, ...]:
    """When an event takes place, or the first of its occurrences."""
    return event.all_day, event.instant(event.start), event.instant(event.end or event.start)


def _compare_occurrences(old: Event, new: Event, now: datetime) -> tuple[OccurrenceChange, ...]:
    """The occurrences in which two states of an event differ whose own times are the same."""
    if old.repeat is None or new.repeat is None or old.repeat == new.repeat:
        return ()
    if Status.CANCELLED in (old.status, new.status):
        return ()
    begin, end = _find_window(old, new, now)
    before, after = ({one.id: one for one in expand(event, begin, end)} for event in (old, new))
    if _pattern(old.repeat) != _pattern(new.repeat):
        shifted = _find_shift(before.values(), after.values(), now)
        if shifted is not None:
            return (shifted,)
    olds, news = _changes_by_id(old.repeat), _changes_by_id(new.repeat)
    found = []
    for name in before.keys() | after.keys():
        was, is_now = before.get(name), after.get(name)
        if _own(was, olds) == _own(is_now, news):
            continue
        if is_now is not None:
            found.append(OccurrenceChange(was, is_now))
        elif was is not None:
            found.append(OccurrenceChange(was, replace(was, status=Status.CANCELLED)))
    return tuple(sorted(found, key=lambda one: (one.after.begins, one.after.id)))


def _find_window(old: Event, new: Event, now: datetime) -> tuple[datetime, datetime]:
    """From when to when occurrences are compared: a year ahead, and wherever one is special."""
    moments = [now, now + _AHEAD]
    for event, other in ((old, new), (new, old)):
        mine, others = event.repeat or Repeat(), other.repeat or Repeat()
        moments += [event.instant(one) for one in set(mine.exclude) - set(others.exclude)]
        moments += [event.instant(one) for one in set(mine.also) - set(others.also)]
        for change in mine.changes:
            if change not in others.changes:
                moments += [event.instant(one) for one in (change.original, change.start) if one]
    return min(moments) - _DAY, max(moments) + _DAY


def _pattern(repeat: Repeat) -> frozenset[str]:
    """A rule without its end."""
    parts = (repeat.rule or "").upper().split(";")
    return frozenset(part for part in parts if not part.startswith(("COUNT=", "UNTIL=")))


def _find_shift(
    before: Iterable[Occurrence], after: Iterable[Occurrence], now: datetime
) -> OccurrenceChange | None:
    """The first coming date that another rule has put elsewhere.

    None where the one rule only has some of the other's dates.
    """
    olds, news = (
        [one for one in each if _takes_place(one) and one.begins >= now] for each in (before, after)
    )
    starts, new_starts = {one.begins for one in olds}, {one.begins for one in news}
    if starts <= new_starts or new_starts <= starts:
        return None
    for old, new in zip(olds, news, strict=False):
        if old.begins != new.begins:
            return OccurrenceChange(old, new, onwards=True)
    return None


def _changes_by_id(repeat: Repeat) -> dict[str, Change]:
    return {format_moment(change.original): change for change in repeat.changes}


def _own(occurrence: Occurrence | None, changes: Mapping[str, Change]) -> object:
    """What an occurrence does not have from its event; None where it does not take place."""
    if occurrence is None or occurrence.status is Status.CANCELLED:
        return None
    change = changes.get(occurrence.id)
    texts = change and (change.summary, change.description, change.location, change.url)
    status = change and change.status
    return occurrence.begins, occurrence.ends, texts or (None,) * 4, status


def _without_note(event: Event) -> Event:
    return event.model_copy(update={"note": None})


def _without_repeat(event: Event) -> Event:
    return event.model_copy(update={"note": None, "repeat": None})
