"""Sessions of the console: who is signed in, since when, and until when.

A browser carries a random id, of which only a hash is kept. A session ends when it is signed out
of, when it is not used for `IDLE`, after `LONGEST`, and when another admin token is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, not_, select, update

from calfeed.store.access.tokens import digest_token
from calfeed.store.tables import session_keys, sessions

IDLE = timedelta(hours=12)
"""How long a session lasts from the last page that was asked for."""

LONGEST = timedelta(days=7)
"""How long a session lasts from its beginning, however much it is used."""


@dataclass(frozen=True)
class Session:
    """A session: when it began and was last used (UTC), and how somebody signed in.

    `method` is `token` or `link`.
    """

    id: int
    method: str
    begun: datetime
    used: datetime


def load_session_key(connection: Connection) -> bytes:
    """The random key of this installation's sessions."""
    return bytes(connection.execute(select(session_keys.c.key)).scalar_one())


def begin_session(
    connection: Connection, secret: str, door: str, method: str, now: datetime
) -> int:
    """Keep a new session by its id's hash, forget those that are over, and return its number.

    `door` stands for the admin token that is in force.
    """
    connection.execute(delete(sessions).where(not_(_is_open(door, now))))
    values = {"digest": digest_token(secret), "door": door, "method": method}
    statement = sessions.insert().values(**values, begun=now, used=now)
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


def find_session(connection: Connection, secret: str, door: str, now: datetime) -> Session | None:
    """The session of an id, unless it is over.

    It is looked up by a hash, so the time of the look-up does not depend on the secret id.
    """
    query = select(sessions).where(sessions.c.digest == digest_token(secret), _is_open(door, now))
    row = connection.execute(query).one_or_none()
    return None if row is None else _to_session(row)


def list_sessions(connection: Connection, door: str, now: datetime) -> list[Session]:
    """The sessions that are not over, the last used first."""
    query = select(sessions).where(_is_open(door, now))
    rows = connection.execute(query.order_by(sessions.c.used.desc(), sessions.c.id.desc()))
    return [_to_session(row) for row in rows]


def touch_session(connection: Connection, number: int, now: datetime) -> None:
    """Note that a session is in use."""
    connection.execute(update(sessions).where(sessions.c.id == number).values(used=now))


def end_session(connection: Connection, number: int) -> bool:
    """End a session; False where it was over before."""
    return connection.execute(delete(sessions).where(sessions.c.id == number)).rowcount == 1


def end_sessions(connection: Connection, besides: int | None = None) -> int:
    """End every session, `besides` one; return how many."""
    statement = delete(sessions)
    if besides is not None:
        statement = statement.where(sessions.c.id != besides)
    return connection.execute(statement).rowcount


def _is_open(door: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        sessions.c.door == door, sessions.c.used > now - IDLE, sessions.c.begun > now - LONGEST
    )


def _to_session(row: Any) -> Session:
    return Session(row.id, row.method, row.begun, row.used)
