"""Compare definitions with the published state: pure functions from values to values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.counting import count
from calfeed.errors import PublishRefusedError
from calfeed.ical.comparison.changes import (
    EventChange,
    Kind,
    compare_revisions,
    drops_occurrences,
    extend_history,
    find_cancel_note,
)
from calfeed.ical.variants import Variant, render_variants
from calfeed.ical.vevent import RENDERER
from calfeed.ical.zones.clocks import clock_of, full_fingerprint
from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from calfeed.model.events import Calendar, Event, Status, canonical_json, fingerprint
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.store.rows import CalendarRow, EventFingerprint

KEEP_WITHDRAWN = timedelta(days=90)
"""How long a withdrawn event is shown as cancelled."""


@dataclass(frozen=True)
class Rerendering:
    """A revision that an older calfeed rendered, and its replacement.

    If the bytes are the same, the replacement is the same revision.
    """

    before: Revision
    after: Revision


@dataclass(frozen=True)
class Differences:
    """The differences of definitions and published state, before revisions are loaded.

    `calendars` are new, changed or withdrawn; `revised` are events that are new or changed.
    `renamed` maps former slugs of calendars to new ones. The other fields are UIDs: `removed`
    events have no definition any more, `stale` events were rendered by an older calfeed, `retired`
    events were withdrawn long enough ago to leave the feed, and `carried` events are withdrawn
    events of renamed calendars.
    """

    calendars: tuple[CalendarRow, ...]
    revised: tuple[Event, ...]
    removed: tuple[str, ...]
    stale: tuple[str, ...]
    retired: tuple[str, ...]
    renamed: Mapping[str, str]
    carried: tuple[str, ...]


@dataclass(frozen=True)
class Removals:
    """What a publish removes: calendars by their slugs, events by their UIDs.

    `shortened` are series that lose some of their coming occurrences.
    """

    calendars: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    shortened: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.calendars or self.events)

    @property
    def events(self) -> frozenset[str]:
        return frozenset((*self.withdrawn, *self.cancelled, *self.shortened))


NO_REMOVALS = Removals()


def compare(
    defined: Sequence[Calendar],
    calendars: Mapping[str, CalendarRow],
    marks: Mapping[str, EventFingerprint],
    now: datetime,
    unchanged: Collection[str] = (),
) -> Differences:
    """Compare definitions with the published calendars and marks.

    The slugs in `unchanged` are calendars that were not read, as their files are unchanged.
    """
    events = {event.uid: event for calendar in defined for event in calendar.events}
    rows = {
        calendar.slug: CalendarRow(calendar.slug, calendar_content(calendar))
        for calendar in defined
    }
    changed = [
        row
        for slug, row in rows.items()
        if slug not in calendars
        or calendars[slug].content != row.content
        or calendars[slug].withdrawn
    ]
    changed += [
        CalendarRow(row.slug, row.content, withdrawn=True)
        for row in calendars.values()
        if row.slug not in rows and row.slug not in unchanged and not row.withdrawn
    ]
    renamed = {
        name: calendar.slug
        for calendar in defined
        for name in calendar.formerly
        if name not in rows
    }
    return Differences(
        calendars=tuple(changed),
        revised=tuple(event for event in events.values() if _differs(event, marks.get(event.uid))),
        removed=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events
            and mark.withdrawn_at is None
            and mark.calendar not in unchanged
        ),
        stale=tuple(
            mark.uid
            for mark in marks.values()
            if mark.renderer != RENDERER and _is_as_defined(mark, events, unchanged)
        ),
        retired=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events
            and mark.withdrawn_at is not None
            and mark.withdrawn_at + KEEP_WITHDRAWN <= now
        ),
        renamed=renamed,
        carried=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events
            and mark.withdrawn_at is not None
            and mark.withdrawn_at + KEEP_WITHDRAWN > now
            and mark.calendar in renamed
        ),
    )


def find_removals(
    defined: Sequence[Calendar], calendars: Sequence[CalendarRow], changes: Sequence[EventChange]
) -> Removals:
    """Find what these changes remove; a renamed calendar does not count."""
    renamed = {name for calendar in defined for name in calendar.formerly}

    def find(kind: Kind) -> tuple[str, ...]:
        return tuple(change.after.event.uid for change in changes if change.kind is kind)

    removed = tuple(row.slug for row in calendars if row.withdrawn and row.slug not in renamed)
    shortened = tuple(change.after.event.uid for change in changes if drops_occurrences(change))
    return Removals(removed, find(Kind.WITHDRAWN), find(Kind.CANCELLED), shortened)


def calendar_content(calendar: Calendar) -> str:
    """A calendar without its events, as canonical JSON."""
    return canonical_json(calendar.model_copy(update={"events": ()}))


def revise(
    event: Event,
    last: ComparableRevision | None,
    announced: ComparableRevision | None,
    now: datetime,
    first_sequence: int = 0,
) -> EventChange:
    """Make the next revision of an event, as a change from the `last` one.

    The first revision of a new event has `first_sequence`. The history of moves continues from the
    revision that was `announced` last, so that an unannounced intermediate state is not in it.
    """
    second = now.replace(microsecond=0)
    draft = Revision(
        event=event,
        sequence=last.revision.sequence + 1 if last else first_sequence,
        created=last.revision.created if last else second,
        modified=_next_modified(last.revision, now) if last else second,
        clock=clock_of(event, now),
        holidays=HOLIDAY_LIBRARY.release if _counts_working_days(event) else "",
    )
    change = compare_revisions(announced, ComparableRevision(draft))
    revision = draft.model_copy(
        update={
            "history": extend_history(change, now),
            "cancel_note": find_cancel_note(change),
        }
    )
    return compare_revisions(last, ComparableRevision(revision))


def _counts_working_days(event: Event) -> bool:
    derivation = event.derivation
    return derivation is not None and (
        derivation.offset.needs_working_days or derivation.roll is not None
    )


def withdraw(
    last: ComparableRevision,
    announced: ComparableRevision | None,
    now: datetime,
    renamed: Mapping[str, str],
) -> EventChange:
    """Make the last revision of an event that has no definition any more.

    It is a copy of the announced revision, marked as withdrawn. It stays in the feed of its
    calendar, which may have been renamed.
    """
    known = (announced or last).revision
    revision = known.model_copy(
        update={
            "event": _rename(known.event, renamed),
            "sequence": last.revision.sequence + 1,
            "created": last.revision.created,
            "modified": _next_modified(last.revision, now),
            "withdrawn": True,
        }
    )
    return compare_revisions(last, ComparableRevision(revision))


def move_to_renamed(revision: Revision, renamed: Mapping[str, str]) -> Revision:
    """Move the revision of a withdrawn event to its calendar's new name."""
    return revision.model_copy(update={"event": _rename(revision.event, renamed)})


def _rename(event: Event, renamed: Mapping[str, str]) -> Event:
    return event.model_copy(update={"calendar": renamed.get(event.calendar, event.calendar)})


def rerender(published: Revision, vevents: Mapping[Variant, bytes], now: datetime) -> Rerendering:
    """Render again a revision that an older calfeed rendered as `vevents`.

    If the bytes differ, the revision gets a new SEQUENCE and LAST-MODIFIED, because some clients
    would otherwise ignore the new bytes. It is not announced, as the event itself is unchanged.
    """
    if render_variants(published) == vevents:
        return Rerendering(published, published)
    update = {"sequence": published.sequence + 1, "modified": _next_modified(published, now)}
    return Rerendering(published, published.model_copy(update=update))


def check_withdrawals(
    changes: Sequence[EventChange],
    withdrawn_calendars: Sequence[str],
    coming: Mapping[str, int],
) -> None:
    """Raise PublishRefusedError if a calendar or more than half of its coming events are withdrawn.

    `coming` has the number of published events that are neither over nor cancelled, by the
    published slug of their calendar.
    """
    removals = [f"the whole calendar {slug}" for slug in withdrawn_calendars]
    for slug, number in sorted(coming.items()):
        withdrawn = sum(
            change.kind is Kind.WITHDRAWN and change.coming
            for change in changes
            if change.before is not None
            and change.before.event.calendar == slug
            and change.after.event.status is not Status.CANCELLED
        )
        if slug not in withdrawn_calendars and withdrawn * 2 > number:
            removals.append(f"{withdrawn} of the {count(number, 'coming event')} of {slug}")
    if removals:
        raise PublishRefusedError(removals)


def _next_modified(last: Revision, now: datetime) -> datetime:
    """Return a LAST-MODIFIED, in whole seconds, that is later than that of the `last` revision.

    Clients ignore a revision whose LAST-MODIFIED is not newer.
    """
    return max(now.replace(microsecond=0), last.modified + timedelta(seconds=1))


def _is_as_defined(
    mark: EventFingerprint, events: Mapping[str, Event], unchanged: Collection[str]
) -> bool:
    if mark.calendar in unchanged:
        return mark.withdrawn_at is None
    event = events.get(mark.uid)
    return event is not None and not _differs(event, mark)


def _differs(event: Event, mark: EventFingerprint | None) -> bool:
    # Before 0.3 the fingerprint of a series did not include its zone rules.
    return (
        mark is None
        or mark.withdrawn_at is not None
        or mark.fingerprint not in (full_fingerprint(event), fingerprint(event))
    )
