"""What a publish would do to calendars and events, as values: nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.counting import count
from calfeed.errors import PublishRefusedError
from calfeed.ical.changes import (
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
from calfeed.model.events import Calendar, Event, Status, canonical_json, fingerprint
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.store.rows import CalendarRow, EventFingerprint

KEPT = timedelta(days=90)
"""How long a withdrawn event is still shown as cancelled."""


@dataclass(frozen=True)
class Rerendering:
    """A published revision that an older calfeed rendered, and the one that takes its place.

    They are the same where the bytes are.
    """

    before: Revision
    after: Revision


@dataclass(frozen=True)
class Differences:
    """Where definitions and the published state part, before anything is loaded in full.

    `wanted` are events that are new or not as published, `gone` the UIDs no longer defined,
    `stale` those rendered by an older calfeed, `retired` those withdrawn long enough ago. `renamed`
    gives the calendars that have another name now by the one before.
    """

    calendars: tuple[CalendarRow, ...]
    wanted: tuple[Event, ...]
    gone: tuple[str, ...]
    stale: tuple[str, ...]
    retired: tuple[str, ...]
    renamed: Mapping[str, str]
    carried: tuple[str, ...]


@dataclass(frozen=True)
class Removals:
    """What a publish takes away: calendars by their slugs, events by their UIDs.

    `shortened` are the series that go on without some of their coming occurrences, which are
    cancelled or no longer part of the series.
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


NOTHING = Removals()


def compare(
    defined: Sequence[Calendar],
    calendars: Mapping[str, CalendarRow],
    marks: Mapping[str, EventFingerprint],
    now: datetime,
    unchanged: Collection[str] = (),
) -> Differences:
    """Compare definitions with the published calendars and marks.

    Calendars that are `unchanged` are as published, with all that is in them.
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
        wanted=tuple(event for event in events.values() if _differs(event, marks.get(event.uid))),
        gone=tuple(
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
            and mark.withdrawn_at + KEPT <= now
        ),
        renamed=renamed,
        carried=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events
            and mark.withdrawn_at is not None
            and mark.withdrawn_at + KEPT > now
            and mark.calendar in renamed
        ),
    )


def find_removals(
    defined: Sequence[Calendar], calendars: Sequence[CalendarRow], changes: Sequence[EventChange]
) -> Removals:
    """What these changes take away. A calendar that is defined under another name stays."""
    renamed = {name for calendar in defined for name in calendar.formerly}

    def find(kind: Kind) -> tuple[str, ...]:
        return tuple(change.after.event.uid for change in changes if change.kind is kind)

    gone = tuple(row.slug for row in calendars if row.withdrawn and row.slug not in renamed)
    shortened = tuple(change.after.event.uid for change in changes if drops_occurrences(change))
    return Removals(gone, find(Kind.WITHDRAWN), find(Kind.CANCELLED), shortened)


def calendar_content(calendar: Calendar) -> str:
    """What a calendar says of itself, without its events, as canonical JSON."""
    return canonical_json(calendar.model_copy(update={"events": ()}))


def revise(
    event: Event,
    last: ComparableRevision | None,
    announced: ComparableRevision | None,
    now: datetime,
    first_sequence: int = 0,
) -> EventChange:
    """The next revision of an event, as a change from the `last` one there was.

    That of a new event has `first_sequence`.

    Its history goes on from the revision that was `announced` last, if any was: what stood for a
    moment between the two was no move.
    """
    if last is None:
        second = now.replace(microsecond=0)
        next_one = Revision(
            event=event,
            sequence=first_sequence,
            created=second,
            modified=second,
            clock=clock_of(event, now),
        )
    else:
        next_one = Revision(
            event=event,
            sequence=last.revision.sequence + 1,
            created=last.revision.created,
            modified=_later(last.revision, now),
            clock=clock_of(event, now),
        )
    change = compare_revisions(announced, ComparableRevision(next_one))
    revision = next_one.model_copy(
        update={
            "history": extend_history(change, now),
            "cancel_note": find_cancel_note(change),
        }
    )
    return compare_revisions(last, ComparableRevision(revision))


def withdraw(
    last: ComparableRevision,
    announced: ComparableRevision | None,
    now: datetime,
    renamed: Mapping[str, str],
) -> EventChange:
    """The last revision of an event whose definition is gone: cancelled, as people know it.

    It is in its calendar's feed, which may have taken another name.
    """
    known = (announced or last).revision
    revision = known.model_copy(
        update={
            "event": _rename(known.event, renamed),
            "sequence": last.revision.sequence + 1,
            "created": last.revision.created,
            "modified": _later(last.revision, now),
            "withdrawn": True,
        }
    )
    return compare_revisions(last, ComparableRevision(revision))


def carry(revision: Revision, renamed: Mapping[str, str]) -> Revision:
    """A revision of a withdrawn event, in the feed of its calendar that has another name now."""
    return revision.model_copy(update={"event": _rename(revision.event, renamed)})


def _rename(event: Event, renamed: Mapping[str, str]) -> Event:
    return event.model_copy(update={"calendar": renamed.get(event.calendar, event.calendar)})


def rerender(published: Revision, vevents: Mapping[Variant, bytes], now: datetime) -> Rerendering:
    """What becomes of a revision that an older calfeed rendered as `vevents`.

    Where today's bytes are others it gets the next SEQUENCE and a new LAST-MODIFIED, without
    which some clients do not look at them. Nothing of the event has changed, so nobody is told.
    """
    if render_variants(published) == vevents:
        return Rerendering(published, published)
    update = {"sequence": published.sequence + 1, "modified": _later(published, now)}
    return Rerendering(published, published.model_copy(update=update))


def check_withdrawals(
    changes: Sequence[EventChange],
    withdrawn_calendars: Sequence[str],
    coming: Mapping[str, int],
) -> None:
    """Raise PublishRefusedError where too much would disappear at once.

    `coming` counts the published events of each calendar that are not over. What was published
    under another name of a calendar counts under that.
    """
    removals = [f"the whole calendar {slug}" for slug in withdrawn_calendars]
    for slug, number in sorted(coming.items()):
        lost = sum(
            change.kind is Kind.WITHDRAWN and change.coming
            for change in changes
            if change.before is not None
            and change.before.event.calendar == slug
            and change.after.event.status is not Status.CANCELLED
        )
        if slug not in withdrawn_calendars and lost * 2 > number:
            removals.append(f"{lost} of the {count(number, 'coming event')} of {slug}")
    if removals:
        raise PublishRefusedError(removals)


def _later(last: Revision, now: datetime) -> datetime:
    """A whole second, as feeds write it, after the last revision's: clients take what is newer."""
    return max(now.replace(microsecond=0), last.modified + timedelta(seconds=1))


def _is_as_defined(
    mark: EventFingerprint, events: Mapping[str, Event], unchanged: Collection[str]
) -> bool:
    if mark.calendar in unchanged:
        return mark.withdrawn_at is None
    event = events.get(mark.uid)
    return event is not None and not _differs(event, mark)


def _differs(event: Event, mark: EventFingerprint | None) -> bool:
    # Before 0.3 the rules of its zone were no part of a series' fingerprint.
    return (
        mark is None
        or mark.withdrawn_at is not None
        or mark.fingerprint not in (full_fingerprint(event), fingerprint(event))
    )
