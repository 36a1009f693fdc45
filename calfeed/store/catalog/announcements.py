"""What people are told of changes: those that wait for their grace time, and those announced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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

from calfeed.ical.changes import EventChange, Kind, compare_revisions
from calfeed.model.revision import read_comparable
from calfeed.store.rows import Waiting
from calfeed.store.tables import announcements, publishes, reminders, revisions
from calfeed.store.upsert import upsert

_AT_ONCE = 500


@dataclass(frozen=True)
class Place:
    """A place among what was announced: an event's revision, in an announcement."""

    number: int
    uid: str
    sequence: int


@dataclass(frozen=True)
class Announced:
    """A change that was announced at `at` (UTC). What it was is read when it is asked for."""

    place: Place
    at: datetime
    kind: str
    revision_text: str = field(repr=False)
    base_text: str | None = field(repr=False)

    @cached_property
    def change(self) -> EventChange:
        """The change, from the revision that was announced before it."""
        before = read_comparable(self.base_text) if self.base_text is not None else None
        found = compare_revisions(before, read_comparable(self.revision_text))
        return replace(found, kind=Kind(self.kind))


def load_waiting(connection: Connection, uids: Sequence[str] | None = None) -> list[Waiting]:
    """What waits to be announced, of all events or of some, soonest first."""
    query = select(announcements).order_by(announcements.c.due, announcements.c.uid)
    if uids is None:
        return [Waiting(*row) for row in connection.execute(query)]
    found: list[Any] = []
    for part in _parts(uids):
        found += connection.execute(query.where(announcements.c.uid.in_(part))).all()
    return [Waiting(*row) for row in found]


def load_due(connection: Connection, now: datetime, limit: int) -> list[Waiting]:
    """What is to be announced by now, soonest first."""
    query = select(announcements).order_by(announcements.c.due, announcements.c.uid)
    due = query.where(announcements.c.due <= now).limit(limit)
    return [Waiting(*row) for row in connection.execute(due)]


def next_due(connection: Connection) -> datetime | None:
    """When the next change is to be announced."""
    found: datetime | None = connection.scalar(select(func.min(announcements.c.due)))
    return found


def load_bases(connection: Connection, uids: Sequence[str]) -> dict[str, str]:
    """Of events that wait: the revision (JSON) that was announced last, where one was."""
    same = (revisions.c.uid == announcements.c.uid) & (revisions.c.sequence == announcements.c.base)
    query = select(revisions.c.uid, revisions.c.revision).join(announcements, same)
    found: dict[str, str] = {}
    for part in _parts(uids):
        rows = connection.execute(query.where(announcements.c.uid.in_(part)))
        found |= {row.uid: row.revision for row in rows if row.revision is not None}
    return found


def save_waiting(connection: Connection, rows: Iterable[Waiting]) -> None:
    """Let changes wait; those of the same event that wait already wait anew."""
    values = [{"uid": row.uid, "base": row.base, "due": row.due} for row in rows]
    if values:
        connection.execute(upsert(connection, announcements), values)


def forget_waiting(connection: Connection, uids: Sequence[str]) -> None:
    """Let nothing wait of these events."""
    for part in _parts(uids):
        connection.execute(delete(announcements).where(announcements.c.uid.in_(part)))


def hold_back(connection: Connection, until: Mapping[str, datetime]) -> None:
    """Let reminders that are due not be sent before these moments, by key.

    Their events are announced then.
    """
    given = [{"of_key": key, "moment": moment} for key, moment in until.items()]
    if given:
        statement = update(reminders).where(reminders.c.key == bindparam("of_key"))
        connection.execute(statement.values(send_from=bindparam("moment")), given)


def note_announced(connection: Connection, changes: Iterable[EventChange], number: int) -> None:
    """Note in the ledger that changes are announced in a publish of this number."""
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
        mine = (revisions.c.uid == bindparam("of_uid")) & (
            revisions.c.sequence == bindparam("of_sequence")
        )
        statement = update(revisions).where(mine)
        connection.execute(
            statement.values(
                announced_in=bindparam("publish"),
                announced_as=bindparam("kind_of_change"),
                announced_from=bindparam("base"),
            ),
            values,
        )


def announced_after(
    connection: Connection, calendars: Sequence[str], place: Place, limit: int
) -> list[Announced]:
    """What was announced of some calendars behind a place, oldest first."""
    columns = (revisions.c.announced_in, revisions.c.uid, revisions.c.sequence)
    query = (
        _announced()
        .where(
            revisions.c.calendar.in_(calendars),
            tuple_(*columns) > tuple_(place.number, place.uid, place.sequence),
        )
        .order_by(*columns)
        .limit(limit)
    )
    return [_to_announced(row) for row in connection.execute(query) if row.revision is not None]


def find_place(
    connection: Connection, calendars: Sequence[str], uid: str, sequence: int
) -> Place | None:
    """Where a revision was announced; None where none such was of these calendars."""
    number = connection.scalar(
        select(revisions.c.announced_in).where(
            revisions.c.uid == uid,
            revisions.c.sequence == literal(sequence, BigInteger),
            revisions.c.calendar.in_(calendars),
        )
    )
    return None if number is None else Place(number, uid, sequence)


def newest_announced(
    connection: Connection, calendars: Sequence[str], most: int
) -> dict[str, list[Announced]]:
    """The newest that was announced of each of these calendars, newest first, at most `most`."""
    newest = func.row_number().over(
        partition_by=revisions.c.calendar,
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
        _announced()
        .add_columns(revisions.c.calendar)
        .join(
            ranked,
            (ranked.c.uid == revisions.c.uid) & (ranked.c.sequence == revisions.c.sequence),
        )
        .where(ranked.c.rank <= most)
        .order_by(revisions.c.calendar, ranked.c.rank)
    )
    found: dict[str, list[Announced]] = {}
    for row in connection.execute(query):
        if row.revision is not None:
            found.setdefault(row.calendar, []).append(_to_announced(row))
    return found


def _announced() -> Select[Any]:
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


def _to_announced(row: Any) -> Announced:
    place = Place(row.announced_in, row.uid, row.sequence)
    return Announced(place, row.at, row.announced_as, row.revision, row.base)


def _parts(uids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Databases limit how many parameters one statement has."""
    return (uids[index : index + _AT_ONCE] for index in range(0, len(uids), _AT_ONCE))
