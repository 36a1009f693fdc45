"""What was told, page by page: messages, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Subject
from calfeed.store.outbox.subjects import read_subject
from calfeed.store.tables import messages


@dataclass(frozen=True)
class MessageRow:
    """A message as kept; `at` (UTC) is when it was made, `body` empty once it is no longer kept.

    What cannot be read is empty too.
    """

    id: str
    subject: Subject
    at: datetime
    text: str
    body: bytes = field(repr=False)


def find_known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these are the ids of messages that there are."""
    found: set[str] = set()
    for index in range(0, len(ids), 500):
        part = messages.c.id.in_(ids[index : index + 500])
        found.update(connection.scalars(select(messages.c.id).where(part)))
    return found


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
        raise NotFoundError("message", message_id)
    return _to_message(row)


def _to_message(row: Any) -> MessageRow:
    return MessageRow(
        id=row.id,
        subject=read_subject(row),
        at=row.at,
        text=row.text or "",
        body=bytes(row.body or b""),
    )
