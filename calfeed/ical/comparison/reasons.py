"""Why a counted date changed without an edit of its definition: its cause or the holidays did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.model.dates.dating import Cause, Derivation, Hold
from calfeed.model.dates.working_days import SkippedDay


@dataclass(frozen=True)
class CauseChange:
    """The cause of a counted date changed.

    `before` is None if the date was not counted before. `after` has no days if the cause has no
    date any more.
    """

    before: Cause | None
    after: Cause


@dataclass(frozen=True)
class HolidayChange:
    """The holidays changed: days without work were `added` or `removed` in the counted period."""

    added: tuple[SkippedDay, ...]
    removed: tuple[SkippedDay, ...]


def find_reason(change: EventChange) -> CauseChange | HolidayChange | None:
    """Return why a date changed, None if its definition changed, or if the date did not change."""
    if change.before is None or change.kind is not Kind.MOVED:
        return None
    old, new = change.before.event, change.after.event
    before, after = old.derivation, new.derivation
    on_hold = new.on_hold
    if on_hold is not None and on_hold.why is Hold.WAITING and on_hold.cause is not None:
        return CauseChange(before.cause if before else None, on_hold.cause)
    if after is None:
        return None
    if before is None:
        waited = old.on_hold is not None and old.on_hold.why is Hold.WAITING
        return CauseChange(None, after.cause) if waited else None
    if _rule(before) != _rule(after):
        return None
    if _days(before.cause) != _days(after.cause):
        return CauseChange(before.cause, after.cause)
    return _compare_holidays(before, after)


def _rule(derivation: Derivation) -> tuple[object, ...]:
    cause = derivation.cause
    return cause.calendar, cause.slug, derivation.offset, derivation.roll


def _days(cause: Cause) -> tuple[object, ...]:
    return cause.earliest, cause.latest


def _compare_holidays(before: Derivation, after: Derivation) -> HolidayChange | None:
    """Return the changed holidays among the days that both counts reached, None without any."""
    old, new = _find_skipped(before), _find_skipped(after)
    common = _common_days(before, after)
    added = [new[day] for day in sorted(new.keys() - old.keys()) if day in common]
    removed = [old[day] for day in sorted(old.keys() - new.keys()) if day in common]
    if not added and not removed:
        return None
    return HolidayChange(tuple(added), tuple(removed))


def _find_skipped(derivation: Derivation) -> dict[date, SkippedDay]:
    return {
        skipped.date: skipped
        for each in derivation.sums
        for count in (each.count, each.rolled)
        if count is not None
        for skipped in count.skipped
    }


def _common_days(*derivations: Derivation) -> frozenset[date]:
    """Return the days that all these counts reached."""
    return frozenset.intersection(*map(_walked_days, derivations))


def _walked_days(derivation: Derivation) -> frozenset[date]:
    days: set[date] = set()
    for each in derivation.sums:
        reached = [each.begin, each.count.day, each.day]
        first, last = min(reached), max(reached)
        days.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(days)
