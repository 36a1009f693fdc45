"""Describe a change of an event in one line of English, for messages, plans and Atom."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.ical.changes import EventChange, Kind, OccurrenceChange
from calfeed.ical.occurrences import Moment
from calfeed.ical.text import format_day, format_when
from calfeed.model.events import text_in

_MAX_NAMED_OCCURRENCES = 3
"""The most occurrences that are listed."""


_VERBS = {Kind.ADDED: "new", Kind.WITHDRAWN: "cancelled"}


def format_change(change: EventChange) -> str:
    """Describe a change and its reason: "moved from 30 June 2025 to 31 August 2025 (extended)"."""
    text = describe_change(change, _VERBS.get(change.kind))
    note = change.reason
    return f"{text} ({text_in(note, change.after.event.language)})" if note else text


def describe_change(change: EventChange, verb: str | None = None) -> str:
    """Describe a change: "moved from 30 June 2025 to 31 August 2025"; `verb` replaces its kind."""
    event = change.after.event
    when = format_when(event.start, event.end)
    if change.occurrences:
        named = _name_occurrences(change.occurrences)
        return f"{change.kind}, {when}; {named}" if change.event_differs else named
    if change.kind is Kind.MOVED and change.before is not None:
        old = change.before.event
        return _format_move(old.start, old.end, event.start, event.end)
    if change.kind is Kind.CHANGED and change.new_rules:
        others = "changed, " if change.event_differs else ""
        if isinstance(event.start, datetime) and event.start < change.after.modified:
            when = f"at {event.start:%H:%M}"  # the start of the series is in the past
        return f"{others}still {when}; the clocks' rules have changed"
    return f"{verb or change.kind}, {when}"


def _name_occurrences(occurrences: tuple[OccurrenceChange, ...]) -> str:
    named = "; ".join(map(_describe_occurrence, occurrences[:_MAX_NAMED_OCCURRENCES]))
    more = len(occurrences) > _MAX_NAMED_OCCURRENCES or any(each.onwards for each in occurrences)
    return f"{named}; others too" if more else named


def _describe_occurrence(change: OccurrenceChange) -> str:
    before, after = change.before, change.after
    when = format_when(after.start, after.end)
    if change.dropped:
        return f"cancelled on {when}"
    if change.added or before is None:
        return f"also on {when}"
    if change.moved:
        return _format_move(before.start, before.end, after.start, after.end)
    return f"changed on {when}"


def _format_move(
    start: Moment, end: Moment | None, new_start: Moment, new_end: Moment | None
) -> str:
    timed = type(start) is type(new_start)
    if timed and start == new_start and end is not None and new_end is not None:
        return f"now ends {_format_end(new_end)} instead of {_format_end(end)}"
    return f"moved from {format_when(start, end)} to {format_when(new_start, new_end)}"


def _format_end(end: Moment) -> str:
    """Format an inclusive end: the last day of an all-day event, or the time."""
    if isinstance(end, datetime):
        return format_when(end, None)
    return format_day(end - timedelta(days=1))
