"""Describe a change of an event in one line, for messages, plans and Atom.

A line is in the wanted language (BCP 47 tag), or in English if calfeed has no words in that
language. The titles in a line are in the wanted language too if they have it, else in the
calendar's language.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.comparison.occurrence_changes import OccurrenceChange
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
from calfeed.ical.wording.words import Words, worded, words_in
from calfeed.model.events import Event
from calfeed.model.values import in_utc, text_in

_MAX_NAMED_OCCURRENCES = 3
"""The most occurrences that are listed."""


_NAMES = {Kind.ADDED: "new", Kind.WITHDRAWN: "cancelled"}


def format_change(change: EventChange, language: str = "en") -> str:
    """Describe a change and its reason: "moved from 30 June 2025 to 31 August 2025 (extended)"."""
    text = describe_change(change, language, _NAMES.get(change.kind))
    note = change.reason
    if not note:
        return text
    words = words_in(worded(language))
    named = text_in(note, language, change.after.event.language)
    return words.with_note.format(change=text, note=named)


def describe_change(change: EventChange, language: str = "en", name: str | None = None) -> str:
    """Describe a change: "moved from 30 June 2025 to 31 August 2025".

    `name` is a key of `Words.dated` that says what happened, by default the kind of the change.
    """
    event = change.after.event
    tongue = worded(language)
    words, when = words_in(tongue), format_state(event, language)
    if change.occurrences:
        named = _name_occurrences(change.occurrences, words, tongue)
        if not change.event_differs:
            return named
        whole = words.dated[change.kind].format(when=when)
        return words.with_occurrences.format(change=whole, occurrences=named)
    if change.kind in (Kind.MOVED, Kind.CORRECTED) and change.before is not None:
        text = _describe_move(change, change.before.event, language)
        because = explain_reason(find_reason(change), language, event.language)
        return words.with_reason.format(change=text, reason=because) if because else text
    if change.before is not None and event.done is not None and change.before.event.done is None:
        return words.done_now.format(done=_in_sentence(format_done(event, tongue)), when=when)
    if change.kind is Kind.CHANGED and change.new_rules:
        if isinstance(event.start, datetime) and event.start < change.after.modified:
            # The day on which the series starts may be long past, so only the time is named.
            when = words.at_time.format(time=f"{event.start:%H:%M}")
        return (words.changed_still if change.event_differs else words.still).format(when=when)
    return words.dated[name or change.kind].format(when=when)


def _describe_move(change: EventChange, old: Event, language: str) -> str:
    event = change.after.event
    tongue = worded(language)
    words = words_in(tongue)
    before, after = format_date_of(old, tongue), format_date_of(event, tongue)
    if change.kind is Kind.CORRECTED:
        return words.corrected_from.format(before=before, after=after)
    match change.shift:
        case Shift.POSTPONED:
            return words.now_held.format(hold=_format_hold_within(event, language), before=before)
        case Shift.FIRMED:
            return words.firmed_from.format(before=before, after=after)
        case Shift.LOOSENED:
            return words.loosened_from.format(before=before, after=after)
    if old.on_hold is not None:
        return words.dated_again.format(after=after, hold=_format_hold_within(old, language))
    if old.precision is not None or event.precision is not None:
        return words.moved_from.format(before=before, after=after)
    return _format_move((old.start, old.end), (event.start, event.end), words, tongue)


def format_state(event: Event, language: str = "en") -> str:
    """Format the date of an event, or why it has none."""
    when = format_date_of(event, worded(language))
    hold = _format_hold_within(event, language)
    return words_in(worded(language)).held.format(hold=hold, when=when) if hold else when


def _format_hold_within(event: Event, language: str) -> str:
    return _in_sentence(format_hold(event, worded(language), language, event.language))


def _in_sentence(text: str) -> str:
    """Return a text with a small first letter; names and months in the text keep their capitals."""
    return text[:1].lower() + text[1:]


def explain_reason(reason: CauseChange | HolidayChange | None, *languages: str) -> str:
    """Explain why a counted date changed: "because Ruling moved from ... to ..."; "" for None."""
    if reason is None:
        return ""
    tongue = worded(languages[0])
    words = words_in(tongue)
    if isinstance(reason, CauseChange):
        cause = text_in(reason.after.summary, *languages)
        before, after = format_cause(reason.before, tongue), format_cause(reason.after, tongue)
        if not after:
            return words.because_dateless.format(cause=cause)
        if before:
            return words.because_moved.format(cause=cause, before=before, after=after)
        return words.because_dated.format(cause=cause, after=after)
    parts = [
        pattern.format(days=format_skipped(days, tongue, *languages))
        for days, pattern in (
            (reason.added, words.holidays_added),
            (reason.removed, words.holidays_removed),
        )
        if days
    ]
    return words.because_holidays.format(days=words.list_comma.join(parts))


def _name_occurrences(
    occurrences: tuple[OccurrenceChange, ...], words: Words, language: str
) -> str:
    named = words.semicolon.join(
        _describe_occurrence(each, words, language) for each in occurrences[:_MAX_NAMED_OCCURRENCES]
    )
    more = len(occurrences) > _MAX_NAMED_OCCURRENCES or any(each.onwards for each in occurrences)
    return words.others_too.format(occurrences=named) if more else named


def _describe_occurrence(change: OccurrenceChange, words: Words, language: str) -> str:
    before, after = change.before, change.after
    when = format_when(after.start, after.end, language)
    if change.dropped:
        return words.cancelled_on.format(when=when)
    if change.added or before is None:
        return words.also_on.format(when=when)
    if change.moved:
        return _format_move((before.start, before.end), (after.start, after.end), words, language)
    return words.changed_on.format(when=when)


_Times = tuple[Moment, Moment | None]
"""A start and an exclusive end."""


def _format_move(old: _Times, new: _Times, words: Words, language: str) -> str:
    (start, end), (new_start, new_end) = old, new
    same_start = in_utc(start) == in_utc(new_start)
    if same_start and end is not None and new_end is not None:
        before, after = _format_end(end, language), _format_end(new_end, language)
        return words.ends_now.format(before=before, after=after)
    before, after = format_when(*old, language), format_when(*new, language)
    return words.moved_from.format(before=before, after=after)


def _format_end(end: Moment, language: str) -> str:
    """Format an inclusive end: the last day of an all-day event, or the time."""
    if isinstance(end, datetime):
        return format_when(end, None, language)
    return format_day(end - timedelta(days=1), language)
