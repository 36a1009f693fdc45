"""Describe a change of an event in one line of English, for messages, plans and Atom."""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.ical.comparison.changes import EventChange, Kind, OccurrenceChange
from calfeed.ical.comparison.reasons import CauseChange, HolidayChange, find_reason
from calfeed.ical.comparison.shifts import Shift
from calfeed.ical.occurrences import Moment
from calfeed.ical.wording.dates_text import (
    format_cause,
    format_date_of,
    format_done,
    format_hold,
    format_skipped,
)
from calfeed.ical.wording.text import format_day, format_when
from calfeed.model.events import Event
from calfeed.model.values import text_in

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
    when = format_state(event)
    if change.occurrences:
        named = _name_occurrences(change.occurrences)
        return f"{change.kind}, {when}; {named}" if change.event_differs else named
    if change.kind in (Kind.MOVED, Kind.CORRECTED) and change.before is not None:
        because = explain_reason(find_reason(change), event.language)
        return _describe_move(change, change.before.event) + (f", {because}" if because else "")
    if change.before is not None and event.done is not None and change.before.event.done is None:
        return f"{format_done(event, 'en').lower()}, {when}"
    if change.kind is Kind.CHANGED and change.new_rules:
        others = "changed, " if change.event_differs else ""
        if isinstance(event.start, datetime) and event.start < change.after.modified:
            when = f"at {event.start:%H:%M}"  # the start of the series is in the past
        return f"{others}still {when}; the clocks' rules have changed"
    return f"{verb or change.kind}, {when}"


def _describe_move(change: EventChange, old: Event) -> str:
    event = change.after.event
    before, after = format_date_of(old), format_date_of(event)
    if change.kind is Kind.CORRECTED:
        return f"corrected from {before} to {after}; the earlier date was wrong"
    match change.shift:
        case Shift.POSTPONED:
            return f"{_format_hold_within(event)}; it was {before}"
        case Shift.FIRMED | Shift.LOOSENED:
            return f"{change.shift} from {before} to {after}"
    if old.on_hold is not None:
        return f"now {after}; it was {_format_hold_within(old)}"
    if old.precision is not None or event.precision is not None:
        return f"moved from {before} to {after}"
    return _format_move(old.start, old.end, event.start, event.end)


def format_state(event: Event) -> str:
    """Format the date of an event, or why it has none."""
    hold = _format_hold_within(event)
    return f"{hold} (was {format_date_of(event)})" if hold else format_date_of(event)


def _format_hold_within(event: Event) -> str:
    """Format why an event has no date, within a sentence; the title in it keeps its capitals."""
    hold = format_hold(event, "en", event.language)
    return hold[:1].lower() + hold[1:]


def explain_reason(reason: CauseChange | HolidayChange | None, language: str) -> str:
    """Explain why a counted date changed: "because Ruling moved from ... to ..."; "" for None."""
    if reason is None:
        return ""
    if isinstance(reason, CauseChange):
        name = text_in(reason.after.summary, language)
        before, after = format_cause(reason.before), format_cause(reason.after)
        if not after:
            return f"because {name} has no date"
        return f"because {name} " + (f"moved from {before} to {after}" if before else f"is {after}")
    parts = [
        f"{format_skipped(days, 'en', language)} {verb}"
        for days, verb in (
            (reason.added, "added to the days without work"),
            (reason.removed, "removed from them"),
        )
        if days
    ]
    return "because the holidays changed: " + ", ".join(parts)


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
