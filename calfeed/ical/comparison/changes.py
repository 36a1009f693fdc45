"""Compare two revisions of an event and its occurrences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calfeed.ical.comparison.occurrence_changes import (
    COMPARISON_WINDOW,
    OccurrenceChange,
    compare_occurrences,
    is_same_repeat,
    shares_dates,
    takes_place,
)
from calfeed.ical.comparison.shifts import Shift, find_shift, is_correction
from calfeed.ical.occurrences import Moment, expand, last_end
from calfeed.ical.zones.clocks import is_shifted
from calfeed.model.events import Event, Status, length_of
from calfeed.model.revision import ComparableRevision, Move, Revision
from calfeed.model.values import Text

MAX_MOVES = 50
"""The maximum number of moves in an event's history."""


class Kind(StrEnum):
    """The kind of a change of an event."""

    ADDED = "added"
    MOVED = "moved"
    CORRECTED = "corrected"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


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
        old, new = self.before.event, self.after.event
        # The changed occurrences say what another start or zone of a series changed.
        apart = ("repeat", "start", "end", "time_zone") if self.occurrences else ("repeat",)
        old = old.model_copy(update={name: getattr(new, name) for name in apart})
        return _announced_fields(old) != _announced_fields(new)


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
    if _moves_as_a_whole(old.event, new.event, new.modified):
        kind = Kind.CORRECTED if is_correction(old.event, new.event) else Kind.MOVED
        return EventChange(kind, old, new, new_rules=new_rules)
    occurrences = compare_occurrences(old.event, new.event, new.modified)
    kind = Kind.MOVED if any(change.moved for change in occurrences) else Kind.CHANGED
    return EventChange(kind, old, new, occurrences, new_rules)


def drops_occurrences(change: EventChange) -> bool:
    """Return whether a series loses future occurrences without being withdrawn or cancelled.

    This includes series that also moved, and series that become a single event.
    """
    before, after = change.before, change.after
    if before is None or change.kind not in (Kind.MOVED, Kind.CORRECTED, Kind.CHANGED):
        return False
    if any(occurrence.dropped for occurrence in change.occurrences):
        return True
    old, new = before.event, after.event
    if old.repeat is None or is_same_repeat(old.repeat, new.repeat):
        return False
    # If the series itself moved, its occurrences were not compared one by one.
    begin, end = after.modified, after.modified + COMPARISON_WINDOW
    counts = [sum(map(takes_place, expand(event, begin, end))) for event in (old, new)]
    return counts[1] < counts[0]


def _is_shifted(old: Revision, new: Revision) -> bool:
    """Return whether new zone rules change the UTC offset of an occurrence in the next 400 days."""
    if old.event.time_zone != new.event.time_zone or old.clock == new.clock:
        return False
    begin = new.modified
    return any(
        is_shifted(occurrence.begins, old.clock, new.clock)
        for occurrence in expand(new.event, begin, begin + COMPARISON_WINDOW)
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


def _moves_as_a_whole(old: Event, new: Event, now: datetime) -> bool:
    """Return whether the time of an event changed, and not only which dates its series has."""
    if _form(old) != _form(new):
        return True
    if old.times == new.times:
        return False
    return is_correction(old, new) or not shares_dates(old, new, now)


def _form(event: Event) -> tuple[object, ...]:
    """Return what has to be the same for the dates of two series to be compared."""
    hold = event.on_hold and event.on_hold.why
    # The same possible days written differently ("June 2030", or as a range) are the same time.
    return event.all_day, length_of(event), event.precision is not None, hold


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
