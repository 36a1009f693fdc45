"""Announcements of changes, pending (within the grace time) or made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)

from calfeed.ical.comparison.changes import EventChange, Kind, compare_revisions
from calfeed.model.revision import read_comparable
from calfeed.store.bulk_parameters import batches
from calfeed.store.rows import PendingAnnouncement
from calfeed.store.tables import announcements, publishes, reminders, revisions
from calfeed.store.upsert import upsert


@dataclass(frozen=True)
class AnnouncementPosition:
    """A position in the list of announced changes: the announcement, and a revision of an event."""

    number: int
    uid: str
    sequence: int


@dataclass(frozen=True)
class AnnouncedChange:
    """A change that was announced at `at` (UTC); `change` is computed when it is used."""

    position: AnnouncementPosition
    at: datetime
    kind: str
    revision_text: str = field(repr=False)
    base_text: str | None = field(repr=False)

    @cached_property
    def change(self) -> EventChange:
        """The change from the revision that was announced before."""
        before = read_comparable(self.base_text) if self.base_text is not None else None
        change = compare_revisions(before, read_comparable(self.revision_text))
        return replace(change, kind=Kind(self.kind))


def load_pending_announcements(
    connection: Connection, uids: Sequence[str] | None = None
) -> list[PendingAnnouncement]:
    """Load pending announcements of all events or of some, soonest first."""
    query = select(announcements).order_by(announcements.c.due, announcements.c.uid)
    if uids is None:
        queries = [query]
    else:
        queries = [query.where(announcements.c.uid.in_(batch)) for batch in batches(uids)]
    return [PendingAnnouncement(*row) for part in queries for row in connection.execute(part)]


def load_due_announcements(
    connection: Connection, now: datetime, limit: int
) -> list[PendingAnnouncement]:
    """Load pending announcements that are due, soonest first."""
    query = select(announcements).order_by(announcements.c.due, announcements.c.uid)
    due = query.where(announcements.c.due <= now).limit(limit)
    return [PendingAnnouncement(*row) for row in connection.execute(due)]


def next_announcement_due(connection: Connection) -> datetime | None:
    """Return when the next change is to be announced, or None."""
    due: datetime | None = connection.scalar(select(func.min(announcements.c.due)))
    return due


def load_announced_bases(connection: Connection, uids: Sequence[str]) -> dict[str, str]:
    """Load the last announced revision (JSON) of each event with a pending change."""
    is_base = revisions.c.sequence == announcements.c.base
    query = select(revisions.c.uid, revisions.c.revision).join(
        announcements, (revisions.c.uid == announcements.c.uid) & is_base
    )
    bases: dict[str, str] = {}
    for batch in batches(uids):
        rows = connection.execute(query.where(announcements.c.uid.in_(batch)))
        bases |= {row.uid: row.revision for row in rows if row.revision is not None}
    return bases


def save_pending_announcements(connection: Connection, rows: Iterable[PendingAnnouncement]) -> None:
    """Insert pending announcements, or replace those of the same events."""
    values = [asdict(row) for row in rows]
    if values:
        connection.execute(upsert(connection, announcements), values)


def delete_pending_announcements(connection: Connection, uids: Sequence[str]) -> None:
    """Delete the pending announcements of events."""
    for batch in batches(uids):
        connection.execute(delete(announcements).where(announcements.c.uid.in_(batch)))


def delay_reminders(connection: Connection, until: Mapping[str, datetime]) -> None:
    """Delay reminders, by key, until their events are announced."""
    values = [{"of_key": key, "time": time} for key, time in until.items()]
    if values:
        statement = update(reminders).where(reminders.c.key == bindparam("of_key"))
        connection.execute(statement.values(send_from=bindparam("time")), values)


def mark_announced(connection: Connection, changes: Iterable[EventChange], number: int) -> None:
    """Record in the ledger that changes are announced in the publish with this number."""
    values = [
        {
            "of_uid": change.after.event.uid,
            "of_sequence": change.after.sequence,
            "kind_of_change": change.kind.value,
            "base": change.before.sequence if change.before else None,
            "publish": number,
        }
        for change in changes
    ]
    if values:
        statement = update(revisions).where(
            revisions.c.uid == bindparam("of_uid"),
            revisions.c.sequence == bindparam("of_sequence"),
        )
        connection.execute(
            statement.values(
                announced_in=bindparam("publish"),
                announced_as=bindparam("kind_of_change"),
                announced_from=bindparam("base"),
            ),
            values,
        )


def load_announced_after(
    connection: Connection, calendars: Sequence[str], position: AnnouncementPosition, limit: int
) -> list[AnnouncedChange]:
    """Load the announced changes of calendars after a position, oldest first."""
    columns = (revisions.c.announced_in, revisions.c.uid, revisions.c.sequence)
    query = (
        _select_announced()
        .where(
            revisions.c.calendar.in_(calendars),
            tuple_(*columns) > tuple_(position.number, position.uid, position.sequence),
        )
        .order_by(*columns)
        .limit(limit)
    )
    return [_to_announced(row) for row in connection.execute(query) if row.revision is not None]


def find_position(
    connection: Connection, calendars: Sequence[str], uid: str, sequence: int
) -> AnnouncementPosition | None:
    """Return the position of a revision, or None if these calendars have not announced it."""
    number = connection.scalar(
        select(revisions.c.announced_in).where(
            revisions.c.uid == uid,
            revisions.c.sequence == literal(sequence, BigInteger),
            revisions.c.calendar.in_(calendars),
        )
    )
    return None if number is None else AnnouncementPosition(number, uid, sequence)


def find_announced(connection: Connection, uid: str, sequence: int) -> AnnouncedChange | None:
    """Return an announced change by its event's UID and SEQUENCE.

    None if there is no such change, or if its key is missing.
    """
    query = _select_announced().where(
        revisions.c.uid == uid, revisions.c.sequence == literal(sequence, BigInteger)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None or row.revision is None else _to_announced(row)


def load_newest_announced(
    connection: Connection, calendars: Sequence[str], limit: int
) -> dict[str, list[AnnouncedChange]]:
    """Load announced changes of each calendar, newest first.

    These are up to `limit` new events, and up to `limit` other changes, so that many new events do
    not hide moves.
    """
    newest = func.row_number().over(
        partition_by=(revisions.c.calendar, revisions.c.announced_as == Kind.ADDED.value),
        order_by=(
            revisions.c.announced_in.desc(),
            revisions.c.at.desc(),
            revisions.c.uid,
            revisions.c.sequence.desc(),
        ),
    )
    ranked = (
        select(revisions.c.uid, revisions.c.sequence, newest.label("rank"))
        .where(revisions.c.calendar.in_(calendars), revisions.c.announced_in.is_not(None))
        .subquery()
    )
    query = (
        _select_announced()
        .add_columns(revisions.c.calendar)
        .join(
            ranked,
            (ranked.c.uid == revisions.c.uid) & (ranked.c.sequence == revisions.c.sequence),
        )
        .where(ranked.c.rank <= limit)
        .order_by(
            *(revisions.c.calendar, revisions.c.announced_in.desc(), revisions.c.at.desc()),
            *(revisions.c.uid, revisions.c.sequence.desc()),
        )
    )
    changes: dict[str, list[AnnouncedChange]] = {}
    for row in connection.execute(query):
        if row.revision is not None:
            changes.setdefault(row.calendar, []).append(_to_announced(row))
    return changes


def _select_announced() -> Select[Any]:
    base = revisions.alias("base")
    is_base = (base.c.uid == revisions.c.uid) & (base.c.sequence == revisions.c.announced_from)
    return (
        select(
            *(revisions.c.announced_in, revisions.c.uid, revisions.c.sequence, publishes.c.at),
            *(revisions.c.announced_as, revisions.c.revision, base.c.revision.label("base")),
        )
        .join(publishes, publishes.c.id == revisions.c.announced_in)
        .outerjoin(base, is_base)
    )


def _to_announced(row: Any) -> AnnouncedChange:
    position = AnnouncementPosition(row.announced_in, row.uid, row.sequence)
    return AnnouncedChange(position, row.at, row.announced_as, row.revision, row.base)
