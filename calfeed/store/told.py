"""What changed and what was told, page by page: the ledger from a place on, messages backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, literal, select, tuple_

from calfeed.errors import NotFoundError
from calfeed.ical.revision import Revision
from calfeed.reminders.filters import Subject
from calfeed.store.catalog import RevisionRow
from calfeed.store.tables import messages, publishes, revisions


@dataclass(frozen=True)
class Place:
    """A place in the ledger: an entry of an event's, in a publish."""

    publish_id: int
    uid: str
    sequence: int


@dataclass(frozen=True)
class Change:
    """An entry of the ledger, where it stands, and when (UTC) it was published."""

    place: Place
    at: datetime
    row: RevisionRow


@dataclass(frozen=True)
class MessageRow:
    """A message as kept; `at` (UTC) is when it was made, `body` empty once it is no longer kept."""

    id: str
    subject: Subject
    at: datetime
    text: str
    body: bytes = field(repr=False)


def changes_after(
    connection: Connection, calendars: Sequence[str], place: Place, limit: int
) -> list[Change]:
    """What was published of some calendars behind a place in the ledger, oldest first."""
    columns = (revisions.c.publish_id, revisions.c.uid, revisions.c.sequence)
    query = (
        select(*columns, revisions.c.kind, revisions.c.revision, publishes.c.at)
        .join(publishes, publishes.c.id == revisions.c.publish_id)
        .where(
            revisions.c.calendar.in_(calendars),
            tuple_(*columns) > tuple_(place.publish_id, place.uid, place.sequence),
        )
        .order_by(*columns)
        .limit(limit)
    )
    return [
        Change(
            place=Place(row.publish_id, row.uid, row.sequence),
            at=row.at,
            row=RevisionRow(row.kind, Revision.model_validate_json(row.revision)),
        )
        for row in connection.execute(query)
    ]


def find_place(
    connection: Connection, calendars: Sequence[str], uid: str, sequence: int
) -> Place | None:
    """Where a revision stands in the ledger; None where these calendars have no such one."""
    number = connection.scalar(
        select(revisions.c.publish_id).where(
            revisions.c.uid == uid,
            revisions.c.sequence == literal(sequence, BigInteger),
            revisions.c.calendar.in_(calendars),
        )
    )
    return None if number is None else Place(number, uid, sequence)


def messages_before(
    connection: Connection, place: tuple[datetime, str] | None, limit: int
) -> list[MessageRow]:
    """Messages, newest first: those behind the one that has this time and id."""
    query = select(messages).order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)
    if place is not None:
        query = query.where(tuple_(messages.c.at, messages.c.id) < place)
    return [_to_message(row) for row in connection.execute(query)]


def find_message(connection: Connection, message_id: str) -> MessageRow:
    """A message by its id. Raises NotFoundError where there is none."""
    row = connection.execute(select(messages).where(messages.c.id == message_id)).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no message "{message_id}"')
    return _to_message(row)


def _to_message(row: Any) -> MessageRow:
    return MessageRow(
        id=row.id,
        subject=Subject.model_validate_json(row.subject),
        at=row.at,
        text=row.text,
        body=bytes(row.body or b""),
    )
