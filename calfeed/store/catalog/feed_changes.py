"""The changes in the feeds of calendars, by the number of the publish that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.ical.comparison.changes import Kind
from calfeed.store.tables import revisions


@dataclass(frozen=True)
class FeedChanges:
    """The changes of a calendar's events since the time `since` (UTC), each by UID.

    `changed` has the number of the last publish that changed the event. `moved` has the number of
    the publish that moved it to another calendar, even if that was before `since`. `withdrawn` has
    the time (UTC) at which it was last withdrawn.
    """

    since: datetime
    changed: Mapping[str, int] = field(repr=False)
    moved: Mapping[str, int] = field(repr=False)
    withdrawn: Mapping[str, datetime] = field(repr=False)


def load_feed_changes(
    connection: Connection, slugs: Sequence[str], since: datetime
) -> dict[str, FeedChanges]:
    """Load the changes in the feeds of calendars since a time, from the ledger."""
    changed: dict[str, dict[str, int]] = {slug: {} for slug in slugs}
    withdrawn: dict[str, dict[str, datetime]] = {slug: {} for slug in slugs}
    query = (
        select(*(revisions.c[name] for name in ("calendar", "uid", "kind", "at", "publish_id")))
        .where(revisions.c.calendar.in_(slugs), revisions.c.at >= since)
        .order_by(revisions.c.uid, revisions.c.sequence)
    )
    for slug, uid, kind, at, number in connection.execute(query):
        changed[slug][uid] = number
        if kind == Kind.WITHDRAWN:
            withdrawn[slug][uid] = at
    moved = _load_moved(connection, slugs)
    return {
        slug: FeedChanges(since, changed[slug], moved.get(slug, {}), withdrawn[slug])
        for slug in slugs
    }


def _load_moved(connection: Connection, slugs: Sequence[str]) -> dict[str, dict[str, int]]:
    """Load the events that moved from these calendars to others.

    Returns, for each calendar, the number of the publish that moved an event, by the event's UID.
    """
    later = revisions.alias("later")
    query = (
        select(revisions.c.calendar, revisions.c.uid, later.c.publish_id)
        .join(
            later,
            (later.c.uid == revisions.c.uid) & (later.c.sequence == revisions.c.sequence + 1),
        )
        .where(revisions.c.calendar.in_(slugs), later.c.calendar != revisions.c.calendar)
        .order_by(later.c.publish_id)
    )
    moved: dict[str, dict[str, int]] = {}
    for slug, uid, number in connection.execute(query):
        moved.setdefault(slug, {})[uid] = number
    return moved
