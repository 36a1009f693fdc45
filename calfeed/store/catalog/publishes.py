"""The record of publishes: when each was, who made it, what it changed, event by event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from calfeed.errors import NotFoundError
from calfeed.store.tables import publishes


@dataclass(frozen=True)
class Author:
    """Who made a publish, and with which command; None is what nobody knows.

    A name is one line of at most 100 characters. Only those who may see the console see it.
    """

    name: str | None = None
    command: str | None = None


UNKNOWN = Author()


@dataclass(frozen=True)
class PublishRow:
    """A publish at `at` (UTC); `changes` has a JSON value for each event, as the plan had it.

    They are empty where they cannot be read.
    """

    id: int
    at: datetime
    summary: str
    changes: list[dict[str, Any]]
    author: Author


def list_publishes(
    connection: Connection, *, before: int | None = None, limit: int = 50
) -> list[PublishRow]:
    """Publishes, newest first, those whose number is lower than `before`."""
    query = select(publishes).order_by(publishes.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(publishes.c.id < before)
    return [_to_publish(row) for row in connection.execute(query)]


def find_publish(connection: Connection, number: int) -> PublishRow:
    """A publish by its number. Raises NotFoundError where there is none."""
    row = connection.execute(select(publishes).where(publishes.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError("publish", number)
    return _to_publish(row)


def _to_publish(row: Any) -> PublishRow:
    author = Author(row.author, row.command)
    return PublishRow(row.id, row.at, row.summary, json.loads(row.changes or "[]"), author)
