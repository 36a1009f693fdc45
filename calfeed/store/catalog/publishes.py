"""Publishes: the time, the author and the changed events of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from calfeed.errors import NotFoundError
from calfeed.store.secrets.private import seal_rows
from calfeed.store.tables import calendars, publishes
from calfeed.store.upsert import insert_row


@dataclass(frozen=True)
class Author:
    """Who made a publish, and with which command; None if unknown.

    A name is one line of at most 100 characters. It is shown only in the console.
    """

    name: str | None = None
    command: str | None = None


UNKNOWN_AUTHOR = Author()


@dataclass(frozen=True)
class PublishRow:
    """A publish at `at` (UTC); `changes` has the plan's JSON for each event.

    `changes` is empty if its key is missing.
    """

    id: int
    at: datetime
    summary: str
    changes: list[dict[str, Any]]
    author: Author


def list_publishes(
    connection: Connection, *, before: int | None = None, limit: int = 50
) -> list[PublishRow]:
    """List publishes, newest first; with `before`, those with a lower number."""
    query = select(publishes).order_by(publishes.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(publishes.c.id < before)
    return [_to_publish(row) for row in connection.execute(query)]


def find_publish(connection: Connection, number: int) -> PublishRow:
    """Load a publish by its number. Raises NotFoundError if it does not exist."""
    row = connection.execute(select(publishes).where(publishes.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError("publish", number)
    return _to_publish(row)


def _to_publish(row: Any) -> PublishRow:
    author = Author(row.author, row.command)
    return PublishRow(row.id, row.at, row.summary, json.loads(row.changes or "[]"), author)


def latest_publish(connection: Connection) -> int:
    """Return the number of the last publish, or 0 before the first."""
    return int(connection.scalar(select(func.max(publishes.c.id))) or 0)


def load_publish_times(connection: Connection) -> dict[int, datetime]:
    """Load the times of the publishes that last changed a calendar, by number."""
    numbers = select(calendars.c.publish_id)
    query = select(publishes.c.id, publishes.c.at).where(publishes.c.id.in_(numbers))
    return {row.id: row.at for row in connection.execute(query)}


def load_last_public_change(connection: Connection) -> datetime | None:
    """Load the time of the last publish that changed something public; None if there is none."""
    query = select(publishes.c.at).where(publishes.c.public).order_by(publishes.c.id.desc())
    return connection.scalar(query.limit(1))


def add_publish(
    connection: Connection,
    at: datetime,
    summary: str,
    changes: Any,
    author: Author = UNKNOWN_AUTHOR,
    *,
    public: bool = True,
    private: frozenset[str] | None = None,
) -> int:
    """Record a publish and return its number.

    `changes` are stored as JSON; each names its `calendar`. `public` says whether anything public
    changes. `private` are the private calendars after the publish, if that changes.
    """
    values = {
        "at": at,
        "summary": summary,
        "changes": "[]",
        "author": author.name,
        "command": author.command,
        "public": public,
    }
    number = insert_row(connection, publishes, values)
    if changes:
        row = {"id": number, "changes": json.dumps(changes)}
        owners = {change["calendar"] for change in changes}
        (sealed,) = seal_rows(connection, publishes, [row], [owners], private)
        statement = publishes.update().where(publishes.c.id == number)
        connection.execute(statement.values(changes=sealed["changes"]))
    return number
