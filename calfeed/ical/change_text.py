"""A change of an event in a line of English, as messages, plans and Atom tell it."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.ical.changes import EventChange, Kind, OccurrenceChange
from calfeed.ical.occurrences import Moment
from calfeed.ical.text import format_day, format_when
from calfeed.model.events import text_in

_MOST_NAMED = 3
"""How many occurrences are named one by one."""


_VERBS = {Kind.ADDED: "new", Kind.WITHDRAWN: "cancelled"}


def tell_change(change: EventChange) -> str:
    """What happened and why: "moved from 30 June 2025 to 31 August 2025 (extended)"."""
    told = describe_change(change, _VERBS.get(change.kind))
    note = change.reason
    return f"{told} ({text_in(note, change.after.event.language)})" if note else told


def describe_change(change: EventChange, verb: str | None = None) -> str:
    """What happened: "moved from 30 June 2025 to 31 August 2025"; `verb` is a word for its kind."""
    event = change.after.event
    when = format_when(event.start, event.end)
    if change.occurrences:
        named = _name_occurrences(change.occurrences)
        return f"{change.kind}, {when}; {named}" if change.event_differs else named
    if change.kind is Kind.MOVED and change.before is not None:
        old = change.before.event
        return _tell_move(old.start, old.end, event.start, event.end)
    if change.kind is Kind.CHANGED and change.new_rules:
        others = "changed, " if change.event_differs else ""
        if isinstance(event.start, datetime) and event.start < change.after.modified:
            when = f"at {event.start:%H:%M}"  # the series began long ago
        return f"{others}still {when}; the clocks' rules have changed"
    return f"{verb or change.kind}, {when}"


def _name_occurrences(occurrences: tuple[OccurrenceChange, ...]) -> str:
    named = "; ".join(_describe_occurrence(one) for one in occurrences[:_MOST_NAMED])
    more = len(occurrences) > _MOST_NAMED or any(one.onwards for one in occurrences)
    return f"{named}; others too" if more else named


def _describe_occurrence(one: OccurrenceChange) -> str:
    when = format_when(one.after.start, one.after.end)
    if one.dropped:
        return f"cancelled on {when}"
    if one.added or one.before is None:
        return f"also on {when}"
    if one.moved:
        return _tell_move(one.before.start, one.before.end, one.after.start, one.after.end)
    return f"changed on {when}"


def _tell_move(start: Moment, end: Moment | None, new_start: Moment, new_end: Moment | None) -> str:
    timed = type(start) is type(new_start)
    if timed and start == new_start and end is not None and new_end is not None:
        return f"now ends {_tell_end(new_end)} instead of {_tell_end(end)}"
    return f"moved from {format_when(start, end)} to {format_when(new_start, new_end)}"


def _tell_end(end: Moment) -> str:
    """An end as people say it: the last of an event's days, or the time."""
    if isinstance(end, datetime):
        return format_when(end, None)
    return format_day(end - timedelta(days=1))
