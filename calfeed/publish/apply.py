"""Publish definitions: load the published state, plan, apply the plan in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from calfeed.definitions.result import Definitions
from calfeed.ical.comparison.changes import EventChange, Kind, compare_revisions
from calfeed.ical.history import ENDLESS
from calfeed.ical.occurrences import last_end
from calfeed.ical.variants import render_variants
from calfeed.ical.vevent import RENDERER
from calfeed.ical.zones.clocks import full_fingerprint
from calfeed.model.events import Calendar, Event, Status
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.publish.announce import find_changes, load_announced, make_messages, mark_changed
from calfeed.publish.compare import (
    NO_REMOVALS,
    Differences,
    check_withdrawals,
    compare,
    find_removals,
    move_to_renamed,
    rerender,
    revise,
    withdraw,
)
from calfeed.publish.held_dates import find_lifted, hold_dates, withhold
from calfeed.publish.plan import Plan, plan_change, planned_until
from calfeed.publish.show import list_changes, summarize
from calfeed.publish.skipped_calendars import StaleDefinitionsError, check_skipped
from calfeed.publish.warn import find_warnings
from calfeed.reminders.plan import Reminder
from calfeed.store.catalog import announcements, revisions, visibility
from calfeed.store.catalog.calendars import (
    find_private_after,
    load_calendars,
    save_calendars,
)
from calfeed.store.catalog.event_names import add_names_of
from calfeed.store.catalog.events import (
    delete_events,
    load_events,
    load_fingerprints,
    save_events,
)
from calfeed.store.catalog.file_digests import save_file_digests
from calfeed.store.catalog.installation import load_installation
from calfeed.store.catalog.publishes import UNKNOWN_AUTHOR, Author, add_publish
from calfeed.store.catalog.site import load_site, save_site
from calfeed.store.database import Connection, Database
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox import reminders
from calfeed.store.outbox.messages import add_messages
from calfeed.store.rows import EventRow, PendingAnnouncement, ReminderRow, RevisionRow
from calfeed.store.secrets.private import load_private_slugs
from calfeed.store.watching.refusals import clear_refusal

NO_GRACE = timedelta(0)
"""The grace time of changes that are announced in the transaction that publishes them."""


def plan_publish(
    connection: Connection,
    defined: Definitions,
    now: datetime,
    base_url: str,
    *,
    hold_removals: bool = False,
    grace: timedelta = NO_GRACE,
    announce_all: bool = False,
) -> Plan:
    """Plan a publish of these definitions.

    With `hold_removals` the plan removes nothing, and lists removals in `held`. Changes are
    announced after `grace`; `announce_all` also announces, immediately, the changes that are
    already waiting. Raises StaleDefinitionsError if a skipped calendar must be read after all, or
    if the installation has another id than the one in the UIDs.
    """
    installation = load_installation(connection)
    if defined.uids.installation not in (None, installation.id):
        raise StaleDefinitionsError
    defined, withheld = withhold(defined, now)
    defined = hold_dates(defined, _load_published(connection, defined))
    published = load_calendars(connection)
    unchanged = defined.unchanged
    marks = load_fingerprints(connection, unchanged, RENDERER)
    marks = {uid: mark for uid, mark in marks.items() if uid not in withheld}
    differences = compare(defined.calendars, published, marks, now, unchanged)
    if unchanged:
        new = [event.uid for event in differences.revised if event.uid not in marks]
        check_skipped(connection, defined, published, new)
    waiting = {event.uid: event for event in announcements.load_pending_announcements(connection)}
    calendars = differences.calendars
    revised = _revise(connection, differences, waiting, now, installation.first_sequence)
    held = NO_REMOVALS
    if hold_removals:
        held = find_removals(defined.calendars, calendars, [event.change for event in revised])
        calendars = tuple(row for row in calendars if row.slug not in held.calendars)
        revised = [event for event in revised if event.change.after.event.uid not in held.events]
    changes = [event.change for event in revised]
    scheduled: dict[str, list[ReminderRow]] = {}
    known = [change.after.event.uid for change in changes if change.before is not None]
    for row in reminders.load_reminders(connection, uids=known):
        scheduled.setdefault(row.uid, []).append(row)
    planned: list[Reminder] = []
    withdrawn: list[ReminderRow] = []
    for change in changes:
        added, removed = plan_change(change, scheduled.get(change.after.event.uid, []), now)
        planned += added
        withdrawn += removed
    net_changes = [event.net_change for event in revised]
    to_announce = [change for change in net_changes if change.is_newsworthy]
    lifted = find_lifted(defined, now)
    at_once = {
        change.after.event.uid
        for change in to_announce
        if not grace or change.after.event.uid in lifted
    }
    announced = [change for change in to_announce if change.after.event.uid in at_once]
    delayed = [change for change in to_announce if change.after.event.uid not in at_once]
    if announce_all:
        uids = {change.after.event.uid for change in changes}
        others = [event for event in waiting.values() if event.uid not in uids]
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
            for after in [move_to_renamed(row.revision, differences.renamed)]
        ),
        planned=tuple(sorted(planned, key=lambda reminder: (reminder.due, reminder.key))),
        withdrawn=tuple(withdrawn),
        announced=tuple(announced),
        messages=make_messages(connection, announced, now, base_url),
        waiting=tuple(_wait(change, now + grace) for change in delayed),
        warnings=find_warnings(defined, changes, net_changes, published, now),
        held=held,
        site=defined.site if defined.site != load_site(connection)[1] else None,
    )


def _load_published(connection: Connection, defined: Definitions) -> dict[str, Event]:
    """Return, by UID, the published events whose definitions have no date."""
    uids = [undated.draft.uid for undated in defined.undated]
    newest = revisions.load_newest_revisions(connection, uids)
    return {
        uid: found.revision.event for uid, found in newest.items() if not found.revision.withdrawn
    }


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
    grace: timedelta = NO_GRACE,
    announce_all: bool = False,
) -> Plan:
    """Publish definitions with their author, in one transaction; return the plan it applied.

    `hold_removals`, `grace` and `announce_all` are those of `plan_publish`. Only one process
    publishes at a time. Raises PublishRefusedError if the plan withdraws too much and
    `allow_removals` is false.
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
        # If removals are held, the published state differs from the definitions: read them again.
        as_defined = defined.known.keys() if plan.held == NO_REMOVALS else defined.unchanged
        save_file_digests(connection, {slug: defined.known[slug] for slug in as_defined})
        clear_refusal(connection)
    return plan


def check_plan(connection: Connection, plan: Plan, now: datetime) -> None:
    """Raise PublishRefusedError if a plan withdraws too much at once."""
    if not plan.count(Kind.WITHDRAWN) and not any(row.withdrawn for row in plan.calendars):
        return
    slugs = sorted({change.before.event.calendar for change in plan.changes if change.before})
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


class _RevisedEvent(NamedTuple):
    """A new revision of an event, as two changes.

    `change` is from the published revision, `net_change` from the last announced revision.
    """

    change: EventChange
    net_change: EventChange


def _revise(
    connection: Connection,
    differences: Differences,
    waiting: Mapping[str, PendingAnnouncement],
    now: datetime,
    first_sequence: int,
) -> list[_RevisedEvent]:
    defined = {event.uid: event for event in differences.revised}
    uids = [*defined, *differences.removed]
    newest = revisions.load_newest_revisions(connection, uids)
    bases = load_announced(connection, [waiting[uid] for uid in uids if uid in waiting])
    unread = [uid for uid in defined if uid not in newest]
    lost = revisions.load_newest_sequences(connection, unread)
    revised = []
    for uid in uids:
        last = newest.get(uid)
        base = bases.get(uid, last)
        if uid in defined:
            sequence = max(first_sequence, lost.get(uid, -1) + 1)
            change = revise(defined[uid], last, base, now, sequence)
        else:
            change = withdraw(newest[uid], base, now, differences.renamed)
        after = ComparableRevision(change.after)
        net_change = change if base is last else compare_revisions(base, after)
        revised.append(_RevisedEvent(change, net_change))
    return sorted(
        revised, key=lambda row: (row.change.after.event.calendar, row.change.after.event.slug)
    )


def _apply(connection: Connection, plan: Plan, now: datetime, author: Author) -> None:
    retired = load_events(connection, uids=plan.retired)
    # The slugs before and after the change, because an event with an explicit UID may have moved to
    # another calendar.
    touched = {change.before.event.calendar for change in plan.changes if change.before}
    touched |= {change.after.event.calendar for change in (*plan.changes, *plan.announced)}
    touched |= {event.after.event.calendar for event in plan.rerendered}
    touched |= {row.calendar for row in (*retired, *plan.carried)}
    changed = touched | {row.slug for row in plan.calendars}
    number = add_publish(
        connection,
        now,
        summarize(plan),
        list_changes(plan),
        author,
        # Making a calendar private or public counts as a public change.
        public=visibility.any_public(connection, changed)
        or any(not row.private for row in plan.calendars)
        or plan.site is not None,
        private=find_private_after(connection, plan.calendars),
    )
    uncovered = load_private_slugs(connection) & {
        row.slug for row in plan.calendars if not (row.private or row.withdrawn)
    }
    save_calendars(connection, [replace(row, publish_id=number) for row in plan.calendars])
    add_names_of(connection, uncovered)
    if plan.site is not None:
        save_site(connection, plan.site, number)
    rows = [make_row(change.after) for change in plan.changes]
    rows += [make_row(event.after) for event in plan.rerendered]
    rows += plan.carried
    save_events(connection, rows)
    delete_events(connection, plan.retired)
    mark_changed(connection, touched, number, now)
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
    """The rows that a plan adds to the ledger."""
    entries = [RevisionRow(change.kind.value, change.after) for change in plan.changes]
    changed = [change for change in plan.rerendered if change.after != change.before]
    entries += [RevisionRow(revisions.RENDERED, change.after) for change in changed]
    return entries


def make_row(revision: Revision) -> EventRow:
    """Render a revision and return its event row."""
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
