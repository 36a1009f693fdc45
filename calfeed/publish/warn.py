"""Warnings about a publish: what a definition alone does not tell, but the published state does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionWarning
from calfeed.ical.changes import EventChange, Kind
from calfeed.ical.occurrences import last_end
from calfeed.model.events import Event, Status
from calfeed.model.revision import Revision

HISTORY = timedelta(days=3653)
"""How far back the events of a calendar that is new itself may go without a warning: ten years."""

_MOST_LISTED = 3
"""How many events of a calendar have a warning each; more of them share one."""


def find_warnings(
    defined: Definitions,
    changes: Iterable[EventChange],
    announced: Iterable[EventChange],
    published: Collection[str],
    now: datetime,
) -> tuple[DefinitionWarning, ...]:
    """All warnings, in file order: those of the definitions, and those about `changes`.

    `changes` are in the order of their calendars; `announced` are the same events as changes from
    what people know of them; `published` are the slugs of the calendars that were published before.
    """
    found = [*defined.warnings, *_warn_of_notes(defined, announced)]
    for slug, group in groupby(changes, lambda change: change.after.event.calendar):
        since = now if slug in published else now - HISTORY
        over = [change for change in group if _is_put_in_the_past(change, since, now)]
        found += _warn_of_past(defined, over)
    return tuple(sorted(found))


def find_first_warnings(defined: Definitions, now: datetime) -> tuple[DefinitionWarning, ...]:
    """All warnings, in file order, where nothing is published yet."""
    # Not by way of `compare`: that loads the store, and checking needs none.
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
        if change.kind not in (Kind.MOVED, Kind.CANCELLED) or not event.note or before is None:
            continue
        if event.note == before.event.note:
            message = (
                f"the note is as it was before the event is {change.kind}, so it is not given as "
                "the reason; write why, or take the note away"
            )
            yield defined.warn(event, "note", message)


def _is_put_in_the_past(change: EventChange, since: datetime, now: datetime) -> bool:
    """Whether the event is new and was over by `since`, or moves from the future into the past."""
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
    if len(changes) <= _MOST_LISTED:
        for change in changes:
            event = change.after.event
            which = "this new event" if change.before is None else "the moved event"
            message = f"{_day(event)} is in the past, so nobody is reminded of {which}"
            yield defined.warn(event, "start", f"{message}; check the year")
        return
    first, *_, last = sorted((change.after.event for change in changes), key=_day)
    message = (
        f"{len(changes):,} new or moved events of this calendar are in the past, from "
        f"{_day(first)} to {_day(last)}, so nobody is reminded of them; check the years"
    )
    yield defined.warn(first, "start", message)


def _day(event: Event) -> str:
    return f"{event.start:%Y-%m-%d}"
