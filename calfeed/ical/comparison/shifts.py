"""Classify a move: more precise, less precise or another date; and detect corrections."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from calfeed.model.events import Event


class Shift(StrEnum):
    """The kind of a move."""

    FIRMED = "firmed"
    LOOSENED = "loosened"
    MOVED = "moved"
    POSTPONED = "postponed"


def find_shift(old: Event, new: Event) -> Shift:
    """Return the kind of a move from one date to another."""
    if new.on_hold is not None:
        return Shift.POSTPONED
    if old.on_hold is not None:
        return Shift.MOVED
    before, after = _possible_days(old), _possible_days(new)
    sharper = _vagueness(new) < _vagueness(old)
    if before == after and old.precision != new.precision:
        return Shift.FIRMED if sharper else Shift.LOOSENED
    if before[0] <= after[0] and after[1] <= before[1] and sharper:
        return Shift.FIRMED
    if after[0] <= before[0] and before[1] <= after[1] and not sharper and new.precision:
        return Shift.LOOSENED
    return Shift.MOVED


def _possible_days(event: Event) -> tuple[date, date]:
    """Return the earliest and latest day on which an event may begin."""
    span = event.span
    if span is not None:
        return span.earliest, span.latest
    day = event.start.date() if isinstance(event.start, datetime) else event.start
    return day, day


def _vagueness(event: Event) -> tuple[int, bool]:
    """Return the uncertainty of a date: its number of possible days, whether its time is open."""
    span = event.span
    return (span.days, True) if span is not None else (1, False)


def is_correction(old: Event, new: Event) -> bool:
    """Return whether the definition says that the old date was never right."""
    correction = new.correction
    if correction is None or old.on_hold is not None:
        return False
    if correction.precision is not None or old.precision is not None:
        span = old.span
        wrong = correction.was, correction.latest, correction.precision
        return span is not None and wrong == tuple(span)
    if isinstance(correction.was, datetime):
        return old.instant(correction.was) == old.instant(old.start) and not old.all_day
    # A correction may name a time by its day alone.
    start = old.start
    return correction.was == (start.date() if isinstance(start, datetime) else start)
