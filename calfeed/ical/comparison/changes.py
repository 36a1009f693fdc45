"""Compare two revisions of an event and its occurrences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from calfeed.ical.comparison.shifts import Shift, find_shift, is_correction
from calfeed.ical.occurrences import Moment, Occurrence, expand, format_moment, last_end
from calfeed.ical.zones.clocks import is_shifted
from calfeed.model.events import Change, Event, Repeat, Status
from calfeed.model.revision import ComparableRevision, Move, Revision
from calfeed.model.values import Text, in_utc

MAX_MOVES = 50
"""The maximum number of moves in an event's history."""

_COMPARISON_WINDOW = timedelta(days=400)
_DAY = timedelta(days=1)


class Kind(StrEnum):
    """The kind of a change of an event."""

    ADDED = "added"
    MOVED = "moved"
    CORRECTED = "corrected"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class OccurrenceChange:
    """A change of one occurrence; `before` is None if it is new.

    A removed occurrence has the status cancelled in `after`. `onwards` means that the rule
    changed, so that the following occurrences differ too.
    """

    before: Occurrence | None
    after: Occurrence
    onwards: bool = False

    @property
    def dropped(self) -> bool:
        """Whether it no longer takes place."""
        return not _takes_place(self.after)

    @property
    def added(self) -> bool:
        """Whether it takes place now but did not before."""
        return not _takes_place(self.before)

    @property
    def moved(self) -> bool:
        """Whether its time changed."""
        if self.before is None or self.dropped or self.added:
            return False
        times = (self.before.begins, self.before.ends)
        return times != (self.after.begins, self.after.ends)


@dataclass(frozen=True)
class EventChange:
    """The change from one revision of an event to another; `before` is None for a new event.

    `occurrences` lists the changed occurrences by time; it is empty if the event as a whole
    changed. `new_rules` means that the zone's rules changed, so the same wall time is now a
    different instant.
    """

    kind: Kind
    before: Revision | None
    after: Revision
    occurrences: tuple[OccurrenceChange, ...] = ()
    new_rules: bool = False

    @property
    def coming(self) -> bool:
        """Whether the old or the new event ends after the time of the change."""
        now = self.after.modified
        events = [self.after.event] + ([self.before.event] if self.before else [])
        return any((end := last_end(event)) is None or end > now for event in events)

    @property
    def shift(self) -> Shift | None:
        """The kind of the move, None unless the event moved as a whole."""
        if self.before is None or self.kind is not Kind.MOVED or self.occurrences:
            return None
        return find_shift(self.before.event, self.after.event)

    @property
    def reason(self) -> Text | None:
        """The note of this change, if any; an unchanged note belongs to an earlier change."""
        before, note = self.before, self.after.event.note
        if before is None or self.kind in (Kind.ADDED, Kind.WITHDRAWN):
            return None
        return note if note != before.event.note else None

    @property
    def is_newsworthy(self) -> bool:
        """Whether the change is announced; the removal of a note alone is not."""
        before, after = self.before, self.after
        if before is None or before.withdrawn:
            return not after.withdrawn
        if after.withdrawn or self.new_rules or self.reason is not None:
            return True
        return _announced_fields(before.event) != _announced_fields(after.event)

    @property
    def event_differs(self) -> bool:
        """Whether the event itself changed, apart from its recurrence and note."""
        if self.before is None:
            return True
        return _without_repeat(self.before.event) != _without_repeat(self.after.event)


def compare_revisions(before: ComparableRevision | None, after: ComparableRevision) -> EventChange:
    """Return the change from one revision of an event to another."""
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
        kind = Kind.CORRECTED if is_correction(old.event, new.event) else Kind.MOVED
        return EventChange(kind, old, new, new_rules=new_rules)
    occurrences = _compare_occurrences(old.event, new.event, new.modified)
    kind = Kind.MOVED if any(change.moved for change in occurrences) else Kind.CHANGED
    return EventChange(kind, old, new, occurrences, new_rules)


def drops_occurrences(change: EventChange) -> bool:
    """Return whether a series loses future occurrences without being withdrawn or cancelled.

    This includes series that also moved, and series that become a single event.
    """
    before, after = change.before, change.after
    if before is None or change.kind not in (Kind.MOVED, Kind.CORRECTED, Kind.CHANGED):
        return False
    old, new = before.event, after.event
    if old.repeat is None or _is_same_repeat(old.repeat, new.repeat):
        return False
    if any(occurrence.dropped for occurrence in change.occurrences):
        return True
    # If the series itself moved, its occurrences were not compared one by one.
    begin, end = after.modified, after.modified + _COMPARISON_WINDOW
    counts = [sum(map(_takes_place, expand(event, begin, end))) for event in (old, new)]
    return counts[1] < counts[0]


def _is_shifted(old: Revision, new: Revision) -> bool:
    """Return whether new zone rules change the UTC offset of an occurrence in the next 400 days."""
    if old.event.time_zone != new.event.time_zone or old.clock == new.clock:
        return False
    begin = new.modified
    return any(
        is_shifted(occurrence.begins, old.clock, new.clock)
        for occurrence in expand(new.event, begin, begin + _COMPARISON_WINDOW)
    )


def extend_history(change: EventChange, day: datetime) -> tuple[Move, ...]:
    """Return the event's move history, extended by this change, which was made at `day` (UTC)."""
    before = change.before
    if before is None:
        return ()
    if change.kind not in (Kind.MOVED, Kind.CORRECTED):
        return before.history
    event = before.event
    times: list[tuple[Moment, Moment | None, str | None]] = [
        (occurrence.before.start, occurrence.before.end, occurrence.after.id)
        for occurrence in change.occurrences
        if occurrence.before is not None and occurrence.moved
    ] or [(event.start, event.end, None)]
    moves = [
        Move(
            start=start,
            end=end,
            time_zone=event.time_zone,
            on=day.date(),
            note=change.reason,
            occurrence=occurrence,
            precision=event.precision,
            held=event.on_hold and event.on_hold.why,
            corrected=change.kind is Kind.CORRECTED,
        )
        for start, end, occurrence in times
    ]
    return (*before.history, *moves)[-MAX_MOVES:]


def find_cancel_note(change: EventChange) -> Text | None:
    """Return why an event is cancelled: the reason of this or an earlier change."""
    if change.after.event.status is not Status.CANCELLED:
        return None
    if change.before is None or change.kind is Kind.ADDED:
        return change.after.event.note
    return change.reason or (change.before.cancel_note if change.after.event.note else None)


def _takes_place(occurrence: Occurrence | None) -> bool:
    return occurrence is not None and occurrence.status is not Status.CANCELLED


def _own_times(event: Event) -> tuple[object, ...]:
    """Return the time of an event, or of the start of a series, for comparison."""
    hold = event.on_hold and event.on_hold.why
    instants = event.instant(event.start), event.instant(event.end or event.start)
    # The same possible days written differently ("June 2030", or as a range) are the same time.
    return event.all_day, *instants, event.precision is not None, hold


def _compare_occurrences(old: Event, new: Event, now: datetime) -> tuple[OccurrenceChange, ...]:
    """Compare the occurrences of two revisions of an event with the same start and end."""
    if old.repeat is None or new.repeat is None or _is_same_repeat(old.repeat, new.repeat):
        return ()
    if Status.CANCELLED in (old.status, new.status):
        return ()
    begin, end = _find_window(old, new, now)
    before, after = (
        {occurrence.id: occurrence for occurrence in expand(event, begin, end)}
        for event in (old, new)
    )
    if _rule_without_end(old.repeat) != _rule_without_end(new.repeat):
        shifted = _find_first_shift(before.values(), after.values(), now)
        if shifted is not None:
            return (shifted,)
    olds, news = _changes_by_id(old.repeat), _changes_by_id(new.repeat)
    changes = []
    for name in before.keys() | after.keys():
        old_one, new_one = before.get(name), after.get(name)
        if _own_values(old_one, olds) == _own_values(new_one, news):
            continue
        if new_one is not None:
            changes.append(OccurrenceChange(old_one, new_one))
        elif old_one is not None:
            cancelled = replace(old_one, status=Status.CANCELLED)
            changes.append(OccurrenceChange(old_one, cancelled))
    return tuple(sorted(changes, key=lambda change: (change.after.begins, change.after.id)))


def _find_window(old: Event, new: Event, now: datetime) -> tuple[datetime, datetime]:
    """Return the period in which occurrences are compared (UTC).

    It has the next 400 days, and is extended to every exception that differs.
    """
    instants = [now, now + _COMPARISON_WINDOW]
    for event, other_event in ((old, new), (new, old)):
        repeat, other = event.repeat or Repeat(), other_event.repeat or Repeat()
        moments = [*set(repeat.exclude) - set(other.exclude), *set(repeat.also) - set(other.also)]
        others = list(map(_to_compare, other.changes))
        for change in repeat.changes:
            if _to_compare(change) not in others:
                moments += [moment for moment in (change.original, change.start) if moment]
        instants += map(event.instant, moments)
    return min(instants) - _DAY, max(instants) + _DAY


def _is_same_repeat(old: Repeat, new: Repeat | None) -> bool:
    if new is None or old != new:
        return False
    return all(
        _to_compare(one) == _to_compare(other)
        for one, other in zip(old.changes, new.changes, strict=True)
    )


def _to_compare(change: Change) -> tuple[object, ...]:
    """Return a change for comparison: its own times are equal if they are the same instants."""
    return change, *(each and in_utc(each) for each in (change.start, change.end))


def _rule_without_end(repeat: Repeat) -> frozenset[str]:
    """Return the parts of a rule without COUNT and UNTIL."""
    parts = (repeat.rule or "").upper().split(";")
    return frozenset(part for part in parts if not part.startswith(("COUNT=", "UNTIL=")))


def _find_first_shift(
    before: Iterable[Occurrence], after: Iterable[Occurrence], now: datetime
) -> OccurrenceChange | None:
    """Return the first future occurrence whose start the new rule changed.

    Returns None if the dates of one rule are a subset of the other's, because then dates were only
    added or only removed.
    """
    olds, news = (
        [each for each in occurrences if _takes_place(each) and each.begins >= now]
        for occurrences in (before, after)
    )
    starts, new_starts = {old.begins for old in olds}, {new.begins for new in news}
    if starts <= new_starts or new_starts <= starts:
        return None
    for old, new in zip(olds, news, strict=False):
        if old.begins != new.begins:
            return OccurrenceChange(old, new, onwards=True)
    return None


def _changes_by_id(repeat: Repeat) -> dict[str, Change]:
    return {format_moment(change.original): change for change in repeat.changes}


def _own_values(occurrence: Occurrence | None, changes: Mapping[str, Change]) -> object:
    """Return the values that an occurrence does not inherit; None if it does not take place."""
    if occurrence is None or occurrence.status is Status.CANCELLED:
        return None
    change = changes.get(occurrence.id)
    texts = change and (change.summary, change.description, change.location, change.url)
    status = change and change.status
    return occurrence.begins, occurrence.ends, texts or (None,) * 4, status


_SILENT_FIELDS = {
    "note": None,
    "derivation": None,
    "correction": None,
    "working_days": None,
}
"""Fields whose change alone is not announced, such as how a date was counted."""


def _announced_fields(event: Event) -> Event:
    on_hold = event.on_hold and event.on_hold.model_copy(update={"cause": None})
    return event.model_copy(update={**_SILENT_FIELDS, "on_hold": on_hold})


def _without_repeat(event: Event) -> Event:
    return _announced_fields(event).model_copy(update={"repeat": None})
