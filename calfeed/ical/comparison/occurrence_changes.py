"""Compare the occurrences of two revisions of an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from calfeed.ical.occurrences import Occurrence, expand, format_moment
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.events import Change, Event, Repeat, Status
from calfeed.model.values import in_utc

COMPARISON_WINDOW = timedelta(days=400)
"""How far ahead occurrences are compared."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class OccurrenceChange:
    """A change of one occurrence; `before` is None if it is new.

    A removed occurrence has the status cancelled in `after`. `onwards` means that the rule
    or the zone changed, so that following occurrences differ too.
    """

    before: Occurrence | None
    after: Occurrence
    onwards: bool = False

    @property
    def dropped(self) -> bool:
        """Whether it no longer takes place."""
        return not takes_place(self.after)

    @property
    def added(self) -> bool:
        """Whether it takes place now but did not before."""
        return not takes_place(self.before)

    @property
    def moved(self) -> bool:
        """Whether its time changed."""
        if self.before is None or self.dropped or self.added:
            return False
        return self.before.times != self.after.times

    @property
    def ends(self) -> datetime:
        """The later one of its former and its present end (UTC)."""
        return max(each.ends for each in (self.before, self.after) if each is not None)


def takes_place(occurrence: Occurrence | None) -> bool:
    """Return whether there is this occurrence, and it is not cancelled."""
    return occurrence is not None and occurrence.status is not Status.CANCELLED


def compare_occurrences(old: Event, new: Event, now: datetime) -> tuple[OccurrenceChange, ...]:
    """Compare the occurrences of two revisions of an event that did not move as a whole."""
    if Status.CANCELLED in (old.status, new.status):
        return ()
    if old.repeat is None and new.repeat is None:
        return ()
    old, new = _as_series(old, new.time_zone), _as_series(new, new.time_zone)
    zone_differs, start_differs = old.time_zone != new.time_zone, old.times != new.times
    if is_same_repeat(old.repeat, new.repeat) and not zone_differs and not start_differs:
        return ()
    before, after = (
        {occurrence.id: occurrence for occurrence in occurrences}
        for occurrences in _expand_both(old, new, now)
    )
    if zone_differs or _rule_without_end(old) != _rule_without_end(new):
        shifted = _find_first_shift(before.values(), after.values(), now)
        if shifted is not None:
            return (shifted,)
    olds, news = _changes_by_id(old), _changes_by_id(new)
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
    if start_differs:
        # Dates that are over may have been tidied away, with their exceptions.
        changes = [change for change in changes if change.ends > now]
    return tuple(sorted(changes, key=lambda change: (change.after.begins, change.after.id)))


def shares_dates(old: Event, new: Event, now: datetime) -> bool:
    """Return whether a series with another start only gained, or only lost, coming dates.

    An occurrence with a time of its own counts as the date that it has by the rule.
    """
    old, new = _as_series(old, new.time_zone), _as_series(new, new.time_zone)
    before, after = (
        {each.id for each in occurrences if takes_place(each) and each.begins >= now}
        for occurrences in _expand_both(old, new, now)
    )
    return bool(before and after) and (before <= after or after <= before)


def _as_series(event: Event, time_zone: str) -> Event:
    """Return an event as a series; without a rule, the series has one date.

    Days have no zone, so an all-day event is compared in this one.
    """
    zone = time_zone if event.all_day else event.time_zone
    return event.model_copy(update={"repeat": event.repeat or Repeat(), "time_zone": zone})


def _expand_both(old: Event, new: Event, now: datetime) -> tuple[Iterator[Occurrence], ...]:
    begin, end = _find_window(old, new, now)
    return expand(old, begin, end), expand(new, begin, end)


def _find_window(old: Event, new: Event, now: datetime) -> tuple[datetime, datetime]:
    """Return the period in which occurrences are compared (UTC).

    It has the next 400 days, and is extended to every exception that differs.
    """
    instants = [now, now + COMPARISON_WINDOW]
    for event, other_event in ((old, new), (new, old)):
        repeat, other = event.repeat or Repeat(), other_event.repeat or Repeat()
        moments = [*set(repeat.exclude) - set(other.exclude), *set(repeat.also) - set(other.also)]
        others = list(map(_to_compare, other.changes))
        for change in repeat.changes:
            if _to_compare(change) not in others:
                moments += [moment for moment in (change.original, change.start) if moment]
        instants += map(event.instant, moments)
    return min(instants) - _DAY, max(instants) + _DAY


def is_same_repeat(old: Repeat | None, new: Repeat | None) -> bool:
    """Return whether two events recur in the same way, with the same changes of occurrences."""
    if old is None or new is None or old != new:
        return old is new
    return all(
        _to_compare(one) == _to_compare(other)
        for one, other in zip(old.changes, new.changes, strict=True)
    )


def _to_compare(change: Change) -> tuple[object, ...]:
    """Return a change for comparison: its own times are equal if they are the same instants."""
    return change, *(each and in_utc(each) for each in (change.start, change.end))


def _rule_without_end(event: Event) -> frozenset[str]:
    """Return the parts of a rule without COUNT and UNTIL."""
    parts = ((event.repeat and event.repeat.rule) or "").upper().split(";")
    return frozenset(part for part in parts if not part.startswith(("COUNT=", "UNTIL=")))


def _find_first_shift(
    before: Iterable[Occurrence], after: Iterable[Occurrence], now: datetime
) -> OccurrenceChange | None:
    """Return the first future occurrence whose start the new rule or zone changed.

    Returns None if the dates of one rule are a subset of the other's, because then dates were only
    added or only removed.
    """
    olds, news = (
        [each for each in occurrences if takes_place(each) and each.begins >= now]
        for occurrences in (before, after)
    )
    starts, new_starts = {old.begins for old in olds}, {new.begins for new in news}
    if starts <= new_starts or new_starts <= starts:
        return None
    by_wall_time = {wall_time(new.start): new for new in news}
    same = [(old, by_wall_time.get(wall_time(old.start))) for old in olds]
    # In another zone, an occurrence belongs to the one at the same wall time.
    for old, new in chain(same, zip(olds, news, strict=False)):
        if new is not None and old.begins != new.begins:
            return OccurrenceChange(old, new, onwards=True)
    return None


def _changes_by_id(event: Event) -> dict[str, Change]:
    changes = event.repeat.changes if event.repeat else ()
    return {format_moment(change.original): change for change in changes}


def _own_values(occurrence: Occurrence | None, changes: Mapping[str, Change]) -> object:
    """Return the values that an occurrence does not inherit; None if it does not take place."""
    if occurrence is None or occurrence.status is Status.CANCELLED:
        return None
    change = changes.get(occurrence.id)
    texts = change and (change.summary, change.description, change.location, change.url)
    status = change and change.status
    return *occurrence.times, texts or (None,) * 4, status
