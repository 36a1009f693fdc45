"""Sessions of the console.

The browser has a random id, of which only the hash is stored. A session ends on signing out, after
`IDLE_TIMEOUT` without a request, after `MAX_AGE`, and when the admin token is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, not_, select, update

from calfeed.store.access.tokens import digest_token
from calfeed.store.tables import session_keys, sessions
from calfeed.store.upsert import insert_row

IDLE_TIMEOUT = timedelta(hours=12)
"""How long a session lasts after its last request."""

MAX_AGE = timedelta(days=7)
"""The maximum duration of a session."""


@dataclass(frozen=True)
class Session:
    """A session: when it began and was last used (UTC).

    `method` says how the operator signed in: by `token` or `link`.
    """

    id: int
    method: str
    begun: datetime
    used: datetime


def load_session_key(connection: Connection) -> bytes:
    """Load the random key of this installation's sessions."""
    return bytes(connection.execute(select(session_keys.c.key)).scalar_one())


def begin_session(
    connection: Connection, secret: str, door: str, method: str, now: datetime
) -> int:
    """Store a new session by the hash of its id, delete ended ones, and return its number.

    `door` is derived from the current admin token.
    """
    connection.execute(delete(sessions).where(not_(_is_open(door, now))))
    values: dict[str, Any] = {"digest": digest_token(secret), "door": door, "method": method}
    return insert_row(connection, sessions, values | {"begun": now, "used": now})


def find_session(connection: Connection, secret: str, door: str, now: datetime) -> Session | None:
    """Find the session with an id, unless it has ended.

    The lookup is by hash, so its duration does not depend on the secret id.
    """
    query = select(sessions).where(sessions.c.digest == digest_token(secret), _is_open(door, now))
    row = connection.execute(query).one_or_none()
    return None if row is None else _to_session(row)


def list_sessions(connection: Connection, door: str, now: datetime) -> list[Session]:
    """List the sessions that have not ended, the last used first."""
    query = select(sessions).where(_is_open(door, now))
    rows = connection.execute(query.order_by(sessions.c.used.desc(), sessions.c.id.desc()))
    return [_to_session(row) for row in rows]


def touch_session(connection: Connection, number: int, now: datetime) -> None:
    """Record that a session was used."""
    connection.execute(update(sessions).where(sessions.c.id == number).values(used=now))


def end_session(connection: Connection, number: int) -> bool:
    """End a session. Returns False if it did not exist."""
    return connection.execute(delete(sessions).where(sessions.c.id == number)).rowcount == 1


def end_sessions(connection: Connection, besides: int | None = None) -> int:
    """End all sessions except `besides`, and return the number of ended ones."""
    statement = delete(sessions)
    if besides is not None:
        statement = statement.where(sessions.c.id != besides)
    return connection.execute(statement).rowcount


def _is_open(door: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        sessions.c.door == door,
        sessions.c.used > now - IDLE_TIMEOUT,
        sessions.c.begun > now - MAX_AGE,
    )


def _to_session(row: Any) -> Session:
    return Session(row.id, row.method, row.begun, row.used)
