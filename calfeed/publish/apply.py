"""Make the definitions the truth: load what is published, plan, apply in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from calfeed.definitions.result import Definitions
from calfeed.ical.changes import EventChange, Kind, compare_revisions
from calfeed.ical.history import ENDLESS, first_year
from calfeed.ical.occurrences import last_end
from calfeed.ical.variants import render_variants
from calfeed.ical.vevent import RENDERER
from calfeed.ical.zones.clocks import full_fingerprint
from calfeed.model.events import Calendar, Event, Status
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.publish.announce import find_changes, load_announced, make_messages
from calfeed.publish.compare import (
    NOTHING,
    Differences,
    carry,
    check_withdrawals,
    compare,
    find_removals,
    rerender,
    revise,
    withdraw,
)
from calfeed.publish.plan import Plan, plan_change, planned_until
from calfeed.publish.show import list_changes, summarize
from calfeed.publish.warn import find_warnings
from calfeed.reminders.plan import Reminder
from calfeed.store.catalog import announcements, revisions, visibility
from calfeed.store.catalog.calendars import (
    find_private_after,
    load_calendars,
    save_calendars,
    touch_calendars,
)
from calfeed.store.catalog.events import delete_events, load_events, load_sizes_by_year, save_events
from calfeed.store.catalog.file_digests import load_file_digests, save_file_digests
from calfeed.store.catalog.fingerprints import any_published_in, load_fingerprints
from calfeed.store.catalog.installation import load_installation
from calfeed.store.catalog.publishes import UNKNOWN_AUTHOR, Author, add_publish
from calfeed.store.database import Connection, Database
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox import reminders
from calfeed.store.outbox.messages import add_messages
from calfeed.store.rows import CalendarRow, EventRow, PendingAnnouncement, ReminderRow, RevisionRow

AT_ONCE = timedelta(0)
"""The grace time of what is announced with its publish."""


class StaleReadingError(Exception):
    """Definitions were read without calendars that had to be read, or for another installation."""


def plan_publish(
    connection: Connection,
    defined: Definitions,
    now: datetime,
    base_url: str,
    *,
    hold_removals: bool = False,
    grace: timedelta = AT_ONCE,
    announce_all: bool = False,
) -> Plan:
    """What publishing these definitions would do to the database as this transaction sees it.

    With `hold_removals` nothing is taken away: the plan's `held` says what would be. What changes
    is announced when it has held for `grace`; with `announce_all` so is, at once, whatever waits
    for that. Raises StaleReadingError where calendars had to be read that were not, or where the
    installation has another id by now than that which is in their UIDs.
    """
    installation = load_installation(connection)
    if defined.uids.installation not in (None, installation.id):
        raise StaleReadingError
    published = load_calendars(connection)
    unchanged = defined.unchanged
    marks = load_fingerprints(connection, unchanged, RENDERER)
    differences = compare(defined.calendars, published, marks, now, unchanged)
    if unchanged:
        new = [event.uid for event in differences.wanted if event.uid not in marks]
        _check_unchanged(connection, defined, published, new)
    waiting = {one.uid: one for one in announcements.load_pending_announcements(connection)}
    calendars = differences.calendars
    revised = _revise(connection, differences, waiting, now, installation.first_sequence)
    held = NOTHING
    if hold_removals:
        held = find_removals(defined.calendars, calendars, [one.change for one in revised])
        calendars = tuple(row for row in calendars if row.slug not in held.calendars)
        revised = [one for one in revised if one.change.after.event.uid not in held.events]
    changes = [one.change for one in revised]
    kept: dict[str, list[ReminderRow]] = {}
    known = [change.after.event.uid for change in changes if change.before is not None]
    for row in reminders.load_reminders(connection, uids=known):
        kept.setdefault(row.uid, []).append(row)
    planned: list[Reminder] = []
    withdrawn: list[ReminderRow] = []
    for change in changes:
        added, removed = plan_change(change, kept.get(change.after.event.uid, []), now)
        planned += added
        withdrawn += removed
    newsworthy = [one.net for one in revised if one.net.is_newsworthy]
    announced = [] if grace else newsworthy
    if announce_all:
        uids = {change.after.event.uid for change in changes}
        others = [one for one in waiting.values() if one.uid not in uids]
        announced += find_changes(connection, others)
    return Plan(
        calendars=calendars,
        changes=tuple(changes),
        rerendered=tuple(
            rerender(row.revision, row.vevents, now)
            for row in load_events(connection, uids=differences.stale)
        ),
        retired=differences.retired,
        carried=tuple(
            replace(row, calendar=after.event.calendar, revision=after)
            for row in load_events(connection, uids=differences.carried)
            for after in [carry(row.revision, differences.renamed)]
        ),
        planned=tuple(sorted(planned, key=lambda reminder: (reminder.due, reminder.key))),
        withdrawn=tuple(withdrawn),
        announced=tuple(announced),
        messages=make_messages(connection, announced, now, base_url),
        waiting=tuple(_wait(change, now + grace) for change in newsworthy) if grace else (),
        warnings=find_warnings(defined, changes, [one.net for one in revised], published, now),
        held=held,
    )


def _wait(change: EventChange, due: datetime) -> PendingAnnouncement:
    base = change.before.sequence if change.before else None
    return PendingAnnouncement(change.after.event.uid, base, due)


def publish(
    database: Database,
    defined: Definitions,
    now: datetime,
    base_url: str,
    *,
    allow_removals: bool = False,
    hold_removals: bool = False,
    author: Author = UNKNOWN_AUTHOR,
    grace: timedelta = AT_ONCE,
    announce_all: bool = False,
) -> Plan:
    """Publish definitions, record who did, and return what that changed.

    It is announced when it has held for `grace`; with `announce_all` so is, at once, whatever
    waits for that. With `hold_removals` nothing is taken away; the plan's `held` says what would
    be. Only one process publishes at a time; readers see the state before or after, never between.
    Raises PublishRefusedError where too much would be withdrawn without `allow_removals`.
    """
    with database.write_exclusive() as connection:
        plan = plan_publish(
            connection,
            defined,
            now,
            base_url,
            hold_removals=hold_removals,
            grace=grace,
            announce_all=announce_all,
        )
        if not allow_removals:
            check_plan(connection, plan, now)
        if not plan.empty:
            _apply(connection, plan, now, author)
        # What is held is not as defined, so whoever publishes next has to read it.
        as_defined = defined.known.keys() if plan.held == NOTHING else defined.unchanged
        save_file_digests(connection, {slug: defined.known[slug] for slug in as_defined})
    return plan


def _check_unchanged(
    connection: Connection,
    defined: Definitions,
    published: Mapping[str, CalendarRow],
    new: Sequence[str],
) -> None:
    """Raise StaleReadingError unless calendars that were not read fit to those that were.

    They have to be as published still, and share no name and no UID with the others.
    """
    if not defined.unchanged <= published.keys():
        raise StaleReadingError  # what was published of them cannot be read
    known = load_file_digests(connection)
    kept = [
        Calendar.model_validate_json(published[slug].content) for slug in sorted(defined.unchanged)
    ]
    names = {name for one in kept for name in (one.slug, *one.formerly)}
    if (
        any(known.get(one.slug) != defined.known[one.slug] for one in kept)
        or any(not names.isdisjoint((one.slug, *one.formerly)) for one in defined.calendars)
        or any_published_in(connection, new, defined.unchanged)
    ):
        raise StaleReadingError


def shortened_feeds(connection: Connection, year: int) -> list[tuple[str, int]]:
    """The calendars whose feeds leave years out because apps would not read all of it.

    With the first year (UTC) that each still shows. What a definition asks for is not among them.
    """
    found = []
    for slug, row in load_calendars(connection).items():
        calendar = Calendar.model_validate_json(row.content)
        if row.withdrawn or calendar.history is not None:
            continue
        first = first_year(load_sizes_by_year(connection, slug), year, None)
        if first:
            found.append((slug, first))
    return found


def check_plan(connection: Connection, plan: Plan, now: datetime) -> None:
    """Raise PublishRefusedError where a plan would withdraw too much at once."""
    if not plan.count(Kind.WITHDRAWN) and not any(row.withdrawn for row in plan.calendars):
        return
    slugs = sorted({one.before.event.calendar for one in plan.changes if one.before})
    coming = Counter(
        row.calendar
        for row in load_events(connection, calendar_slugs=slugs)
        if row.withdrawn_at is None and _is_coming(row.revision.event, now)
    )
    renamed = {
        name
        for row in plan.calendars
        if not row.withdrawn
        for name in Calendar.model_validate_json(row.content).formerly
    }
    gone = [row.slug for row in plan.calendars if row.withdrawn and row.slug not in renamed]
    check_withdrawals(plan.changes, gone, coming)


def _is_coming(event: Event, now: datetime) -> bool:
    end = last_end(event)
    return event.status is not Status.CANCELLED and (end is None or end > now)


class _Revised(NamedTuple):
    """A change of what is published, and the one that people have not been told of."""

    change: EventChange
    net: EventChange


def _revise(
    connection: Connection,
    differences: Differences,
    waiting: Mapping[str, PendingAnnouncement],
    now: datetime,
    first: int,
) -> list[_Revised]:
    wanted = {event.uid: event for event in differences.wanted}
    uids = [*wanted, *differences.gone]
    newest = revisions.load_newest_revisions(connection, uids)
    bases = load_announced(connection, [waiting[uid] for uid in uids if uid in waiting])
    lost = revisions.load_newest_sequences(connection, [uid for uid in wanted if uid not in newest])
    found = []
    for uid in uids:
        last = newest.get(uid)
        base = bases.get(uid, last)
        if uid in wanted:
            change = revise(wanted[uid], last, base, now, max(first, lost.get(uid, -1) + 1))
        else:
            change = withdraw(newest[uid], base, now, differences.renamed)
        net = change if base is last else compare_revisions(base, ComparableRevision(change.after))
        found.append(_Revised(change, net))
    return sorted(
        found, key=lambda one: (one.change.after.event.calendar, one.change.after.event.slug)
    )


def _apply(connection: Connection, plan: Plan, now: datetime, author: Author) -> None:
    retired = load_events(connection, uids=plan.retired)
    # An event with a UID of its own may have come from another calendar, which changes too.
    left = {change.before.event.calendar for change in plan.changes if change.before}
    reached = {change.after.event.calendar for change in (*plan.changes, *plan.announced)}
    reached |= {one.after.event.calendar for one in plan.rerendered}
    touched = left | reached | {row.calendar for row in (*retired, *plan.carried)}
    changed = touched | {row.slug for row in plan.calendars}
    number = add_publish(
        connection,
        now,
        summarize(plan),
        list_changes(plan),
        author,
        # Whatever becomes private, or public, can be seen to do so.
        public=visibility.any_public(connection, changed)
        or any(not row.private for row in plan.calendars),
        private=find_private_after(connection, plan.calendars),
    )
    save_calendars(connection, [replace(row, publish_id=number) for row in plan.calendars])
    rows = [make_row(change.after) for change in plan.changes]
    rows += [make_row(one.after) for one in plan.rerendered]
    rows += plan.carried
    save_events(connection, rows)
    delete_events(connection, plan.retired)
    touch_calendars(connection, touched, number)
    revisions.add_revisions(connection, new_entries(plan), number)
    settled = [change.after.event.uid for change in (*plan.changes, *plan.announced)]
    announcements.delete_pending_announcements(connection, settled)
    announcements.save_pending_announcements(connection, plan.waiting)
    announcements.mark_announced(connection, plan.announced, number)
    reminders.withdraw_reminders(connection, [row.key for row in plan.withdrawn], now)
    reminders.schedule_reminders(connection, plan.planned)
    reminders.set_planned_until(
        connection,
        {
            change.after.event.uid: None
            if change.kind is Kind.WITHDRAWN
            else planned_until(change.after.event, now)
            for change in plan.changes
        },
    )
    add_messages(connection, plan.messages)
    visibility.withhold_private(connection, changed, now)
    notify_listeners(connection)


def new_entries(plan: Plan) -> list[RevisionRow]:
    """What a plan adds to the ledger."""
    entries = [RevisionRow(change.kind.value, change.after) for change in plan.changes]
    changed = [change for change in plan.rerendered if change.after != change.before]
    entries += [RevisionRow(revisions.RENDERED, change.after) for change in changed]
    return entries


def make_row(revision: Revision) -> EventRow:
    """What is stored of an event that is shown: the revision, rendered."""
    event = revision.event
    return EventRow(
        uid=event.uid,
        calendar=event.calendar,
        slug=event.slug,
        fingerprint=full_fingerprint(event),
        renderer=RENDERER,
        revision=revision,
        vevents=render_variants(revision),
        last_year=ENDLESS if (end := last_end(event)) is None else end.year,
        withdrawn_at=revision.modified if revision.withdrawn else None,
    )
