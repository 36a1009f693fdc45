"""What a publish would do to calendars and events, as values: nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calfeed.definitions.values import Calendar, Event, Status, canonical_json, fingerprint
from calfeed.errors import PublishRefusedError
from calfeed.ical.occurrences import last_end
from calfeed.ical.revision import Move, Revision
from calfeed.ical.vevent import RENDERER
from calfeed.store.catalog import CalendarRow, EventMark

KEPT = timedelta(days=90)
"""How long a withdrawn event is still shown as cancelled."""

_LONGEST_HISTORY = 50


class Kind(StrEnum):
    """What happens to an event."""

    ADDED = "added"
    MOVED = "moved"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class EventChange:
    """A new revision of one event: `before` is the one it replaces, None for a new event."""

    kind: Kind
    before: Revision | None
    after: Revision

    @property
    def coming(self) -> bool:
        """Whether the change is of use to anybody: something of it was not over when made."""
        now = self.after.modified
        events = [self.after.event] + ([self.before.event] if self.before else [])
        return any((end := last_end(event)) is None or end > now for event in events)


@dataclass(frozen=True)
class Differences:
    """Where definitions and the published state part, before anything is loaded in full.

    `wanted` are events that are new or not as published, `gone` the UIDs no longer defined,
    `stale` those rendered by an older calfeed, `retired` those withdrawn long enough ago.
    """

    calendars: tuple[CalendarRow, ...]
    wanted: tuple[Event, ...]
    gone: tuple[str, ...]
    stale: tuple[str, ...]
    retired: tuple[str, ...]

    @property
    def uids(self) -> list[str]:
        return [event.uid for event in self.wanted] + [*self.gone, *self.stale]


def compare(
    defined: Sequence[Calendar],
    calendars: Mapping[str, CalendarRow],
    marks: Mapping[str, EventMark],
    now: datetime,
) -> Differences:
    """Compare definitions with the published calendars and marks."""
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
        if row.slug not in rows and not row.withdrawn
    ]
    return Differences(
        calendars=tuple(changed),
        wanted=tuple(event for event in events.values() if _differs(event, marks.get(event.uid))),
        gone=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events and mark.withdrawn_at is None
        ),
        stale=tuple(
            mark.uid
            for mark in marks.values()
            if mark.renderer != RENDERER
            and (event := events.get(mark.uid)) is not None
            and not _differs(event, mark)
        ),
        retired=tuple(
            mark.uid
            for mark in marks.values()
            if mark.uid not in events
            and mark.withdrawn_at is not None
            and mark.withdrawn_at + KEPT <= now
        ),
    )


def calendar_content(calendar: Calendar) -> str:
    """What a calendar says of itself, without its events, as canonical JSON."""
    return canonical_json(calendar.model_copy(update={"events": ()}))


def revise(
    event: Event, published: Revision | None, ledger: Revision | None, now: datetime
) -> EventChange:
    """The next revision of an event.

    `published` is the one that is shown, if any; `ledger` the newest there ever was, from which
    SEQUENCE goes on when an event comes back.
    """
    last = published or ledger
    if last is None:
        second = now.replace(microsecond=0)
        after = Revision(event=event, sequence=0, created=second, modified=second)
        return EventChange(Kind.ADDED, None, after)
    kind = _kind_of_change(event, last)
    history = last.history
    if kind is Kind.MOVED:
        old = last.event
        move = Move(
            start=old.start,
            end=old.end,
            time_zone=old.time_zone,
            on=now.date(),
            note=event.note,
        )
        history = (*history, move)[-_LONGEST_HISTORY:]
    after = Revision(
        event=event,
        sequence=last.sequence + 1,
        created=last.created,
        modified=_later(last, now),
        history=history,
    )
    return EventChange(kind, last, after)


def withdraw(published: Revision, now: datetime) -> EventChange:
    """The last revision of an event whose definition is gone: cancelled."""
    after = published.model_copy(
        update={
            "sequence": published.sequence + 1,
            "modified": _later(published, now),
            "withdrawn": True,
        }
    )
    return EventChange(Kind.WITHDRAWN, published, after)


def check_withdrawals(
    changes: Sequence[EventChange],
    withdrawn_calendars: Sequence[str],
    coming: Mapping[str, int],
) -> None:
    """Raise PublishRefusedError where too much would disappear at once.

    `coming` counts the published events of each calendar that are not over.
    """
    reasons = [f"the whole calendar {slug}" for slug in withdrawn_calendars]
    for slug, count in sorted(coming.items()):
        lost = sum(
            change.kind is Kind.WITHDRAWN and change.coming
            for change in changes
            if change.after.event.calendar == slug
            and change.after.event.status is not Status.CANCELLED
        )
        if slug not in withdrawn_calendars and lost * 2 > count:
            reasons.append(f"{lost} of the {count} coming events of {slug}")
    if reasons:
        raise PublishRefusedError(
            f"this would withdraw {', '.join(reasons)}; nothing was published. If that is what "
            "you mean, run `calfeed publish --allow-removals`"
        )


def _later(last: Revision, now: datetime) -> datetime:
    """A whole second, as feeds write it, after the last revision's: clients take what is newer."""
    return max(now.replace(microsecond=0), last.modified + timedelta(seconds=1))


def _differs(event: Event, mark: EventMark | None) -> bool:
    return mark is None or mark.withdrawn_at is not None or mark.fingerprint != fingerprint(event)


def _kind_of_change(event: Event, last: Revision) -> Kind:
    if last.withdrawn:
        return Kind.ADDED
    if event.status is Status.CANCELLED and last.event.status is not Status.CANCELLED:
        return Kind.CANCELLED
    return Kind.MOVED if _times_of(event) != _times_of(last.event) else Kind.CHANGED


def _times_of(event: Event) -> object:
    """Everything that says when an event takes place."""
    repeat = event.repeat
    times = [event.all_day, event.instant(event.start), event.instant(event.end or event.start)]
    if repeat is None:
        return times
    changes = [
        (change.original, change.start, change.end, change.status) for change in repeat.changes
    ]
    return [*times, repeat.rule, repeat.exclude, repeat.also, changes]
