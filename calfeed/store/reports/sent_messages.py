"""Stored messages, newest first, in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Subject
from calfeed.store.bulk_parameters import batches
from calfeed.store.outbox.messages import read_subject
from calfeed.store.tables import messages


@dataclass(frozen=True)
class MessageRow:
    """A stored message, created at `at` (UTC).

    `body` is empty if it was deleted. `text` and `body` are empty if their key is missing.
    """

    id: str
    subject: Subject
    at: datetime
    text: str
    body: bytes = field(repr=False)


def find_existing_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return the ids that exist as messages."""
    existing: set[str] = set()
    for batch in batches(ids):
        query = select(messages.c.id).where(messages.c.id.in_(batch))
        existing.update(connection.scalars(query))
    return existing


def load_messages_before(
    connection: Connection, position: tuple[datetime, str] | None, limit: int
) -> list[MessageRow]:
    """Load messages, newest first, after the message with this time and id."""
    query = select(messages).order_by(messages.c.at.desc(), messages.c.id.desc()).limit(limit)
    if position is not None:
        query = query.where(tuple_(messages.c.at, messages.c.id) < position)
    return [_to_message(row) for row in connection.execute(query)]


def find_message(connection: Connection, message_id: str) -> MessageRow:
    """Load a message by its id. Raises NotFoundError if it does not exist."""
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
