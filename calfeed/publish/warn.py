"""Warnings that depend on the published state, added to those of definitions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionWarning
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.occurrences import last_end
from calfeed.model.events import Event, Status
from calfeed.model.revision import Revision

HISTORY = timedelta(days=3653)
"""The age up to which events of a new calendar cause no warning: ten years."""

_EXPLAINED = (Kind.MOVED, Kind.CORRECTED, Kind.CANCELLED)
"""The kinds of changes for which people want a reason."""

_MAX_SINGLE_WARNINGS = 3
"""The maximum number of warnings about single events of a calendar; more events share a warning."""


def find_warnings(
    defined: Definitions,
    changes: Iterable[EventChange],
    announced: Iterable[EventChange],
    published: Collection[str],
    now: datetime,
) -> tuple[DefinitionWarning, ...]:
    """Find all warnings, in file order: those of the definitions, and those about `changes`.

    `changes` are sorted by calendar. `announced` are the net changes of the same events since
    their last announcement, `published` the slugs of calendars that were published before.
    """
    found = [*defined.warnings, *_warn_of_notes(defined, announced)]
    for slug, group in groupby(changes, lambda change: change.after.event.calendar):
        since = now if slug in published else now - HISTORY
        past = [change for change in group if _moves_into_past(change, since, now)]
        found += _warn_of_past(defined, past)
    return tuple(sorted(found))


def find_first_warnings(defined: Definitions, now: datetime) -> tuple[DefinitionWarning, ...]:
    """Find all warnings, in file order, for an empty published state."""
    # `compare` is not used because it imports the store, which `calfeed check` does not need.
    changes = (
        EventChange(Kind.ADDED, None, Revision(event=event, sequence=0, created=now, modified=now))
        for calendar in defined.calendars
        for event in calendar.events
    )
    return find_warnings(defined, changes, (), (), now)


def _warn_of_notes(
    defined: Definitions, announced: Iterable[EventChange]
) -> Iterator[DefinitionWarning]:
    for change in announced:
        event, before = change.after.event, change.before
        if change.kind not in _EXPLAINED or not event.note or before is None:
            continue
        if event.note == before.event.note:
            message = (
                f"the event is {change.kind}, but its note is unchanged, so messages give no "
                "reason; write the reason in the note, or remove it"
            )
            yield defined.warn(event, "note", message)


def _moves_into_past(change: EventChange, since: datetime, now: datetime) -> bool:
    """Whether the event is new and was over by `since`, or moves from the future to the past."""
    event, before = change.after.event, change.before
    if change.kind is Kind.WITHDRAWN or event.status is Status.CANCELLED:
        return False
    if before is None:
        return _is_over(event, since)
    return _is_over(event, now) and not _is_over(before.event, now)


def _is_over(event: Event, now: datetime) -> bool:
    end = last_end(event)
    return end is not None and end <= now


def _warn_of_past(
    defined: Definitions, changes: Sequence[EventChange]
) -> Iterator[DefinitionWarning]:
    if len(changes) <= _MAX_SINGLE_WARNINGS:
        for change in changes:
            event = change.after.event
            kind = "new" if change.before is None else "moved"
            message = f"{_day(event)} is in the past, so the {kind} event has no reminders"
            yield defined.warn(event, "start", f"{message}; check the year")
        return
    first, *_, last = sorted((change.after.event for change in changes), key=_day)
    message = (
        f"{len(changes):,} new or moved events of this calendar are in the past, from "
        f"{_day(first)} to {_day(last)}, so they have no reminders; check the years"
    )
    yield defined.warn(first, "start", message)


def _day(event: Event) -> str:
    return f"{event.start:%Y-%m-%d}"
